import { randomBytes } from 'node:crypto';
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFolder } from '../config-file.ts';
import {
  createConfigKeys,
  type ConfigKeys,
} from '../../../../src/gateway/config/versions/config-keys.ts';
import { newKey } from './version-node.ts';

function keysOf(
  folder: string,
  env: Readonly<Record<string, string>> = {},
  isShared = false,
): ConfigKeys {
  return createConfigKeys({ env, directory: folder, dataDir: join(folder, 'data'), isShared });
}

describe('the key of configurations', () => {
  it('is made in the data directory, for its owner alone, when something is first written', async () => {
    const folder = await createFolder();
    const keys = keysOf(folder);
    expect(await keys.forReading()).toBeUndefined();
    const [one, other] = await Promise.all([keys.forWriting(), keysOf(folder).forWriting()]);
    expect(one.keyId).toBe(other.keyId);
    expect((await keysOf(folder).forReading())?.keyId).toBe(one.keyId);
    const file = join(folder, 'data', 'config-key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
    expect(await readFile(file, 'utf8')).toMatch(/^[\w+/]{43}=\n$/);
  });

  it('comes from the environment, or from a file that it names', async () => {
    const key = newKey();
    const folder = await createFolder({ 'the.key': `${key}\n` });
    const one = await keysOf(folder, { MESHGATE_CONFIG_KEY: key }, true).forWriting();
    const other = await keysOf(folder, { MESHGATE_CONFIG_KEY_FILE: 'the.key' }, true).forWriting();
    expect(other.keyId).toBe(one.keyId);
    const urlSafe = Buffer.from(key, 'base64').toString('base64url');
    const again = await keysOf(folder, { MESHGATE_CONFIG_KEY: urlSafe }, true).forReading();
    expect(again?.keyId).toBe(one.keyId);
  });

  it('is of no use where others read it and it is of this node alone: it says what to do', async () => {
    const keys = keysOf(await createFolder(), {}, true);
    expect(await keys.forReading()).toBeUndefined();
    await expect(keys.forWriting()).rejects.toThrow(
      /there is no key: set MESHGATE_CONFIG_KEY, or MESHGATE_CONFIG_KEY_FILE .* on every node/,
    );
  });

  it('seals with the first of several, and opens with each', async () => {
    const folder = await createFolder();
    const [old, young] = [newKey(), newKey()];
    const before = await keysOf(folder, { MESHGATE_CONFIG_KEY: old }).forWriting();
    const sealed = before.seal(Buffer.from('x'), 'here');
    const both = await keysOf(folder, { MESHGATE_CONFIG_KEY: `${young}, ${old}` }).forWriting();
    expect(Buffer.from(both.open(sealed, 'here')).toString()).toBe('x');
    expect(both.keyId).not.toBe(before.keyId);
  });

  it('still opens what the key of the data directory sealed when one is given', async () => {
    const folder = await createFolder();
    const sealed = (await keysOf(folder).forWriting()).seal(Buffer.from('x'), 'here');
    const given = await keysOf(folder, { MESHGATE_CONFIG_KEY: newKey() }).forWriting();
    expect(Buffer.from(given.open(sealed, 'here')).toString()).toBe('x');
    expect(given.isOwn(sealed)).toBe(false);
  });

  it('refuses what is none, without showing it', async () => {
    const folder = await createFolder({ empty: '\n' });
    const short = randomBytes(16).toString('base64');
    const faults: readonly (readonly [Record<string, string>, RegExp])[] = [
      [
        { MESHGATE_CONFIG_KEY: short },
        /^MESHGATE_CONFIG_KEY: what it holds is no key; .* 32 bytes/,
      ],
      [{ MESHGATE_CONFIG_KEY: `${newKey()} ${short}` }, /^MESHGATE_CONFIG_KEY: number 2 is no key/],
      [
        { MESHGATE_CONFIG_KEY_FILE: 'nowhere' },
        /^MESHGATE_CONFIG_KEY_FILE: the file .*nowhere does not exist/,
      ],
      [{ MESHGATE_CONFIG_KEY_FILE: 'empty' }, /holds no key/],
    ];
    for (const [env, message] of faults) {
      expect(() => keysOf(folder, env)).toThrow(message);
      expect(() => keysOf(folder, env)).not.toThrow(short);
    }
  });

  it('is not replaced where its file cannot be used', async () => {
    const folder = await createFolder();
    await keysOf(folder).forWriting();
    const file = join(folder, 'data', 'config-key');
    await chmod(file, 0o600);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(file, 'damaged');
    await expect(keysOf(folder).forWriting()).rejects.toThrow(/is no key/);
    expect(await readFile(file, 'utf8')).toBe('damaged');
  });
});
