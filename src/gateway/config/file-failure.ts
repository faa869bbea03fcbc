/** Why a file could not be read, or the data directory not be written, in words. */
import { reasonOf } from '../../mesh/backplane/backplane-error.ts';

/** Beyond it nobody wrote it by hand, and to look for what is wrong with it would hold up traffic for seconds. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** E.g. `the file /etc/a.pem does not exist`. The name is left out where the reader knows it. */
export function toReadFailure(error: unknown, file?: string): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'error';
  const name = file === undefined ? 'the file' : `the file ${file}`;
  switch (code) {
    case 'ENOENT':
      return `${name} does not exist`;
    case 'ENOTDIR':
      return `${name} does not exist: what should be a folder of its path is none`;
    case 'EACCES':
    case 'EPERM':
      return `${name} may not be read by the user that meshgate runs as (${code})`;
    case 'EISDIR':
      return file === undefined
        ? 'this is a folder, not a file'
        : `${file} is a folder, not a file`;
    case 'EFBIG':
      return `${name} is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB, which no configuration may be`;
    default:
      return `cannot read ${name} (${code})`;
  }
}

const NOT_WRITABLE: Readonly<Record<string, string>> = {
  EACCES: 'the user that meshgate runs as may not write it',
  EPERM: 'the user that meshgate runs as may not write it',
  EROFS: 'its file system is read-only',
  EEXIST: 'it is a file, not a folder',
  ENOTDIR: 'what should be a folder of its path is none',
  ENOENT: 'it cannot be made there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
};

/** One line, with what helps; of an error that is not the system's, what it says itself. */
export function toDataDirFailure(error: unknown, dataDir: string): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  const why = NOT_WRITABLE[code];
  if (why === undefined) return reasonOf(error);
  return `the data directory ${dataDir} cannot be written: ${why} (${code}); mend that, or set \`dataDir\` to a folder that can be`;
}
