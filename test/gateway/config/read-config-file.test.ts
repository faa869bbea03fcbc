import { execFile } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readConfigFile } from '../../../src/gateway/config/read-config-file.ts';
import { catalogue, createFolder } from './config-file.ts';
import { loadConfig } from '../../../src/gateway/config/load.ts';

const MIB = 1024 * 1024;

describe('a configuration file', () => {
  it.each([64 * MIB + 1, 1024 ** 4])('is refused by its size alone: %d bytes', async (bytes) => {
    const folder = await createFolder({ 'm.yaml': 'meshgate: 1\n' });
    // Sparse: it has that size, and takes no room.
    await truncate(join(folder, 'm.yaml'), bytes);
    expect(await loadConfig(join(folder, 'm.yaml'), { catalogue })).toMatchObject({
      ok: false,
      issues: [
        {
          line: 1,
          column: 1,
          path: '',
          message: 'the file is larger than 64 MiB, which no configuration may be',
        },
      ],
    });
  });

  it('is refused where it has no size and does not end', async () => {
    await expect(readConfigFile('/dev/zero')).rejects.toMatchObject({ code: 'EFBIG' });
  });

  it('may come by a pipe', async () => {
    const folder = await createFolder();
    const pipe = join(folder, 'm.yaml');
    await promisify(execFile)('mkfifo', [pipe]);
    const [text] = await Promise.all([readConfigFile(pipe), writeFile(pipe, 'meshgate: 1 # ü\n')]);
    expect(text).toBe('meshgate: 1 # ü\n');
  });

  it('is told of where it is none', async () => {
    const folder = await createFolder();
    await expect(readConfigFile(folder)).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(readConfigFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
