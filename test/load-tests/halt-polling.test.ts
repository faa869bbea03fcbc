import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepAwake, readHaltPollNs } from '../../load-tests/halt-polling.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshgate-haltpoll-'));
});

afterAll(() => rm(folder, { recursive: true }));

describe('processors that are kept awake', () => {
  it('are so until all is put back', async () => {
    const file = join(folder, 'poll_ns');
    await writeFile(file, '50000\n');
    const putBack = await keepAwake(file);
    expect(await readHaltPollNs(file)).toBe(1_000_000);
    await putBack();
    expect(await readFile(file, 'utf8')).toBe('50000');
  });

  it('are not where the system cannot, which is said', async () => {
    const file = join(folder, 'none');
    expect(await readHaltPollNs(file)).toBeUndefined();
    await expect(keepAwake(file)).rejects.toThrow(/^--awake: .*there is no .*haltpoll$/);
  });
});
