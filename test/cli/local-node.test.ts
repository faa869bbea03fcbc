import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLocalNode } from '../../src/cli/local-node.ts';
import type { VerbIo } from '../../src/cli/verb.ts';
import { createFolder } from '../gateway/config/config-file.ts';

async function findIn(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
) {
  const cwd = await createFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), text);
  }
  const out = { write: () => true };
  const io: VerbIo = { stdout: out, stderr: out, env, cwd };
  const found = await findLocalNode(io);
  return { ...found, tokenFile: found.tokenFile.replace(`${cwd}/`, '') };
}

describe('the node that runs here', () => {
  it('is that of MESHGATE_CONFIG, else of meshgate.yaml, else of config/meshgate.yaml', async () => {
    const demo = { 'config/meshgate.yaml': 'meshgate: 1\n' };
    const own = { ...demo, 'meshgate.yaml': 'meshgate: 1\n' };
    const other = { ...own, 'etc/gate.yaml': 'meshgate: 1\n' };
    expect(await findIn(demo)).toEqual({
      configFile: 'config/meshgate.yaml',
      tokenFile: 'config/.meshgate/admin-token',
      adminAddress: undefined,
    });
    expect(await findIn(own)).toMatchObject({ tokenFile: '.meshgate/admin-token' });
    expect(await findIn(other, { MESHGATE_CONFIG: 'etc/gate.yaml' })).toMatchObject({
      tokenFile: 'etc/.meshgate/admin-token',
    });
  });

  it('without a configuration has its data where it would be started', async () => {
    expect(await findIn({})).toEqual({
      configFile: undefined,
      tokenFile: '.meshgate/admin-token',
      adminAddress: undefined,
    });
    expect(await findIn({}, { MESHGATE_CONFIG: 'etc/gate.yaml' })).toMatchObject({
      tokenFile: 'etc/.meshgate/admin-token',
    });
  });

  it.each([
    ['dataDir: state', 'state/admin-token'],
    ['dataDir: /var/lib/meshgate', '/var/lib/meshgate/admin-token'],
    ['dataDir: "${STATE:-there}"', 'there/admin-token'],
    ['dataDir: 5', '.meshgate/admin-token'],
    ['dataDir: [', '.meshgate/admin-token'],
  ])('has the token in the data directory: %s', async (text, tokenFile) => {
    expect(await findIn({ 'meshgate.yaml': `${text}\n` })).toMatchObject({ tokenFile });
  });

  it.each([
    ['127.0.0.1:9001', 'http://127.0.0.1:9001'],
    ['0.0.0.0:9001', 'http://127.0.0.1:9001'],
    ['"[::]:9001"', 'http://[::1]:9001'],
    ['gateway-admin.internal:8001', 'http://gateway-admin.internal:8001'],
    ['127.0.0.1:0', undefined],
    ['nowhere', undefined],
  ])('is asked at its admin address, as reached from here: %s', async (address, origin) => {
    const found = await findIn({ 'meshgate.yaml': `admin: { address: ${address} }\n` });
    expect(found.adminAddress).toBe(origin);
  });
});
