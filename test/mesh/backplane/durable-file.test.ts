import {
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDurable, writeDurable } from '../../../src/mesh/backplane/durable-file.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshgate-durable-'));
  path = join(directory, 'deep', 'state.json');
});

afterEach(() => rm(directory, { recursive: true }));

describe('a durable file', () => {
  it('reads what was written last', async () => {
    expect(await readDurable(path)).toEqual({ text: undefined, damaged: [] });
    await writeDurable(path, 'one');
    await writeDurable(path, 'two\nwith lines ü');
    expect(await readDurable(path)).toEqual({ text: 'two\nwith lines ü', damaged: [] });
  });

  it('is for its owner alone, and leaves no temporary files', async () => {
    await writeDurable(path, 'one');
    await writeDurable(path, 'two');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, 'deep'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(directory, 'deep'))).toEqual(['state.json', 'state.json.previous']);
  });

  it('falls back to the generation before, wherever the newest was cut off', async () => {
    await writeDurable(path, 'one');
    await writeDurable(path, 'two');
    const whole = await readFile(path);
    for (let length = 0; length < whole.length; length += 1) {
      await writeFile(path, whole.subarray(0, length));
      expect(await readDurable(path)).toEqual({ text: 'one', damaged: [`${path}.damaged`] });
    }
  });

  it('falls back when a single bit of the newest has turned', async () => {
    await writeDurable(path, 'one');
    await writeDurable(path, 'two');
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    expect((await readDurable(path)).text).toBe('one');
  });

  it('reads the generation before when the process died between the two renames', async () => {
    await writeDurable(path, 'one');
    await rename(path, `${path}.previous`);
    expect(await readDurable(path)).toEqual({ text: 'one', damaged: [] });
  });

  it('does not push out the good generation by a damaged one', async () => {
    await writeDurable(path, 'one');
    await writeDurable(path, 'two');
    await truncate(path, 10);
    await readDurable(path);
    await writeDurable(path, 'three');
    await truncate(path, 10);
    expect((await readDurable(path)).text).toBe('one');
  });

  it('puts both aside when both are damaged', async () => {
    await writeDurable(path, 'one');
    await writeDurable(path, 'two');
    await truncate(path, 3);
    await truncate(`${path}.previous`, 3);
    const damaged = [`${path}.damaged`, `${path}.previous.damaged`];
    expect(await readDurable(path)).toEqual({ text: undefined, damaged });
    expect(await readDurable(path)).toEqual({ text: undefined, damaged: [] });
  });

  it('leaves what is there when it cannot write', async () => {
    await writeDurable(path, 'one');
    // A directory where the temporary file should go.
    await writeDurable(join(`${path}.${process.pid}.tmp`, 'in-the-way'), '');
    await expect(writeDurable(path, 'two')).rejects.toThrow(/EISDIR|is a directory/);
    expect((await readDurable(path)).text).toBe('one');
  });
});
