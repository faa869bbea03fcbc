/** The configuration that was applied last, kept beside the embedded state for `diff` and for people. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config.ts';

export interface LastGood {
  readonly hash: string;
  readonly config: Config;
}

const FILE = 'last-good.json';

/** Replaces the file whole; mode 0600, since a configuration may hold secrets. */
export async function saveLastGood(dataDir: string, lastGood: LastGood): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, FILE);
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, JSON.stringify(lastGood), { mode: 0o600, flush: true });
  await rename(temporary, path);
}

/** Undefined where nothing has been applied yet. */
export async function readLastGood(dataDir: string): Promise<LastGood | undefined> {
  try {
    return JSON.parse(await readFile(join(dataDir, FILE), 'utf8')) as LastGood;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
