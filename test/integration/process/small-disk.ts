/** A disk of a few KiB, where this process may mount one. */
import { execFile } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished, type TestContext } from 'vitest';
import { createFolder } from './gateway-process.ts';

const run = promisify(execFile);

export interface SmallDisk {
  readonly path: string;
  /** Takes all the room there is. */
  fill(): Promise<void>;
  /** Gives it back. */
  empty(): Promise<void>;
}

/** Skips the test, with the reason, where mounting is not permitted. `options` as of `mount -o`. */
export async function mountSmallDisk(
  context: TestContext,
  options = 'size=256k',
): Promise<SmallDisk> {
  const path = join(await createFolder(), 'disk');
  await mkdir(path);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  } catch (error) {
    context.skip(`a small disk cannot be mounted here: ${(error as Error).message}`);
  }
  // Lazily: what still has a file open there is killed by the same hook of another.
  onTestFinished(async () => {
    await run('umount', ['-l', path]);
  });
  const ballast = join(path, 'ballast');
  return {
    path,
    async fill() {
      const { bfree, bsize } = await statfs(path);
      await writeFile(ballast, Buffer.alloc(bfree * bsize));
    },
    empty: () => rm(ballast),
  };
}
