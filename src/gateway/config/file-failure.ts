/** Why a file could not be read, in words. */

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
    default:
      return `cannot read ${name} (${code})`;
  }
}
