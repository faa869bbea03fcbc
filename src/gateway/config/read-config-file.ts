/** Reads a file that somebody wrote a configuration in, unless it has more than one can have. */
import { open, type FileHandle } from 'node:fs/promises';
import { MAX_FILE_BYTES } from './file-failure.ts';

/** Rejects as `readFile` does, and with the code `EFBIG` where it has more than 64 MiB, of which none is then read. */
export async function readConfigFile(path: string): Promise<string> {
  await using file = await open(path);
  const stats = await file.stat();
  if (!stats.isFile()) return await readStream(file, path);
  if (stats.size > MAX_FILE_BYTES) throw tooLarge(path);
  return await file.readFile('utf8');
}

/** What has no size, such as a pipe, may be endless. */
async function readStream(file: FileHandle, path: string): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of file.createReadStream({ end: MAX_FILE_BYTES, autoClose: false })) {
    pieces.push(piece as Buffer);
    bytes += (piece as Buffer).length;
  }
  if (bytes > MAX_FILE_BYTES) throw tooLarge(path);
  return Buffer.concat(pieces).toString('utf8');
}

function tooLarge(path: string): Error {
  return Object.assign(new Error(`EFBIG: file too large, open '${path}'`), { code: 'EFBIG' });
}
