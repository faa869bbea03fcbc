/** Where the lines of a log go: a file to append to, or standard output. */
import { close, fstat, fstatSync, open, type Stats } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface OpenFile {
  readonly fd: number;
  /** What the path is compared with; undefined for standard output, which nobody moves away. */
  readonly identity: Pick<Stats, 'dev' | 'ino'> | undefined;
  /** Longer writes may be torn; undefined: none are. */
  readonly maxWriteBytes: number | undefined;
}

/** What a pipe takes in one piece at least, whoever else writes (PIPE_BUF of Linux; POSIX asks for 512). */
const WHOLE_IN_PIPE_BYTES = 4096;

/** Makes the file, with its folders, where it is not there. `isShared`: other processes write there too. */
export async function openForAppending(
  path: string | undefined,
  isShared: boolean,
): Promise<OpenFile> {
  const maxFor = (stats: Stats): number | undefined =>
    isShared && !stats.isFile() ? WHOLE_IN_PIPE_BYTES : undefined;
  // Asking process.stdout makes a pipe non-blocking: a reader that reads no more would otherwise
  // keep a thread, and process.exit() waits for that.
  if (path === undefined) {
    const { fd } = process.stdout;
    return { fd, identity: undefined, maxWriteBytes: isShared ? maxFor(fstatSync(fd)) : undefined };
  }
  await mkdir(dirname(path), { recursive: true });
  return new Promise((resolve, reject) => {
    open(path, 'a', (error, fd) => {
      if (error !== null) return reject(error);
      fstat(fd, (failure, identity) => {
        if (failure !== null) return close(fd, () => reject(failure));
        resolve({ fd, identity, maxWriteBytes: maxFor(identity) });
      });
    });
  });
}
