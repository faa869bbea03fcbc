/** A file that survives a crash at any moment: written whole beside the old one, and checked when read. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './sync-directory.ts';

export interface DurableRead {
  /** Undefined where there is no readable generation. */
  readonly text: string | undefined;
  /** Where the generations are now that were cut short or altered. */
  readonly damaged: readonly string[];
}

const MAGIC = 'meshgate-data 1';

/** The generation before the newest. */
function previousOf(path: string): string {
  return `${path}.previous`;
}

function seal(text: string): string {
  return `${MAGIC} ${createHash('sha256').update(text).digest('hex')}\n${text}`;
}

/** Undefined for a file that was cut short or altered. */
function unseal(sealed: string): string | undefined {
  const end = sealed.indexOf('\n');
  const text = sealed.slice(end + 1);
  return end !== -1 && sealed.slice(0, end + 1) + text === seal(text) ? text : undefined;
}

/**
 * Resolves when the text is on the disk. The generation before is kept under `.previous`; in
 * the moment between the two renames it is the only one, which reading allows for. Mode 0600.
 * Not to be called again before it has ended.
 */
export async function writeDurable(path: string, text: string): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, seal(text), { mode: 0o600, flush: true });
    await renameIfThere(path, previousOf(path));
    await rename(temporary, path);
  } catch (error) {
    // On a full disk, half a file would only take more room.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(directory);
}

/**
 * The newest generation that is whole; what is not is put aside under `.damaged`, so that the
 * next write does not push out the good one. Rejects where the disk itself fails.
 */
export async function readDurable(path: string): Promise<DurableRead> {
  const damaged: string[] = [];
  for (const candidate of [path, previousOf(path)]) {
    const sealed = await readIfThere(candidate);
    if (sealed === undefined) continue;
    const text = unseal(sealed);
    if (text !== undefined) return { text, damaged };
    const aside = `${candidate}.damaged`;
    await rename(candidate, aside);
    damaged.push(aside);
  }
  return { text: undefined, damaged };
}

/** Resolves when no generation is left on the disk. Not to be called while one is written. */
export async function removeDurable(path: string): Promise<void> {
  // The older one first: left alone it would be taken for what was last.
  await rm(previousOf(path), { force: true });
  await rm(path, { force: true });
  await syncDirectory(dirname(path)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The second: its folder cannot even be made.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
