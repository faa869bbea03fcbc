import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  parseAdminAddress,
  readLoopbackId,
  toAdminAddress,
  toAdminValue,
} from '../../../src/mesh/node/admin-address.ts';

const HERE = 'here';
const REDIS = { host: '127.0.0.1', port: 6379 };

describe('the address of an admin API', () => {
  it.each([
    ['127.0.0.1', undefined, { address: '127.0.0.1:8001', loopback: HERE }],
    ['127.0.0.9', REDIS, { address: '127.0.0.9:8001', loopback: HERE }],
    ['::1', undefined, { address: '[::1]:8001', loopback: HERE }],
    ['10.0.0.7', REDIS, { address: '10.0.0.7:8001', loopback: undefined }],
    ['fd00::7', undefined, { address: '[fd00::7]:8001', loopback: undefined }],
    // Everywhere is told as the address towards the backplane, and that is on loopback here.
    ['0.0.0.0', REDIS, { address: '127.0.0.1:8001', loopback: HERE }],
    ['::', undefined, { address: '127.0.0.1:8001', loopback: HERE }],
  ])('on %s with a backplane at %o is told as %o', async (host, towards, expected) => {
    const told = await toAdminAddress({ host, port: 8001 }, towards, HERE);
    expect(told).toEqual(expected);
    expect(parseAdminAddress({ name: 'a', admin: toAdminValue(told) })).toEqual(expected);
  });

  it.each([
    null,
    {},
    { admin: null },
    { admin: { address: 1 } },
    { admin: { address: '' } },
    { admin: { address: '[::1:8001' } },
    { admin: { address: '10.0.0.1:99999' } },
    { admin: { address: 'a@10.0.0.1:8001' } },
    { admin: { address: '10.0.0.1:8001/path' } },
  ])('is none in %o', (description) => {
    expect(parseAdminAddress(description)).toBeUndefined();
  });
});

describe('the name of a loopback device', () => {
  it('is the same for every process that sees it', () => {
    const module = new URL('../../../src/mesh/node/admin-address.ts', import.meta.url);
    const script = `import(${JSON.stringify(module.href)}).then((m) => console.log(m.readLoopbackId()))`;
    const other = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(other.trim()).toBe(readLoopbackId());
    expect(readLoopbackId()).toMatch(/^[0-9a-f]{16}$/);
  });
});
