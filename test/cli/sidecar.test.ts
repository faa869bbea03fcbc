/** The command line of a sidecar, and the configuration it is short for. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createSidecar } from '../../src/cli/sidecar.ts';
import { toSidecarDocument } from '../../src/cli/sidecar-document.ts';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { standardPlugins } from '../../src/plugins/standard.ts';
import { SILENT } from '../contracts/backplane-fixture.ts';
import { runVerb, type VerbRun } from './verb-run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshgate-sidecar-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (...argv: string[]): Promise<VerbRun> =>
  runVerb(createSidecar(createApp, SILENT), argv, folder);

describe('the document of a sidecar', () => {
  it('is that of the configuration form', async () => {
    const flags = {
      service: 'orders',
      app: '127.0.0.1:3001',
      redis: 'redis://127.0.0.1:6379',
      metadata: ['version=v2', 'note=a=b ${c}'],
      zone: 'eu-1a',
      'health-path': '/healthz',
      services: 'payments, users',
    };
    const text = toSidecarDocument(flags, { MESHGATE_REDIS: 'redis://elsewhere' });
    const short = await loadConfig('/x/sidecar', { catalogue: standardPlugins, env: {}, text });
    const long = await loadConfig('/x/sidecar', {
      catalogue: standardPlugins,
      env: {},
      text: `meshgate: 1
node: { zone: eu-1a }
backplane: { redis: redis://127.0.0.1:6379 }
register:
  - service: orders
    address: 127.0.0.1:3001
    inbound: 0.0.0.0:4143
    metadata: { version: v2, note: 'a=b $\${c}' }
    healthCheck: { http: { path: /healthz } }
outbound: { address: 127.0.0.1:4140, services: [payments, users] }
admin: { address: 127.0.0.1:0 }
`,
    });
    expect(short).toMatchObject({ ok: true });
    expect(short).toEqual(long);
  });

  it('names the node, by itself where the instance has an id', async () => {
    const nameOf = async (flags: { name?: string; id?: string }): Promise<string | undefined> => {
      const text = toSidecarDocument({ service: 'orders', app: '127.0.0.1:3001', ...flags }, {});
      const catalogue = standardPlugins;
      const loaded = await loadConfig('/x/sidecar', { catalogue, env: {}, text });
      return loaded.ok ? loaded.config.node.name : 'refused';
    };
    expect(await nameOf({})).toBeUndefined();
    expect(await nameOf({ name: 'east', id: 'a' })).toBe('east');
    expect(await nameOf({ id: 'vm-7.a' })).toBe('orders-vm-7.a');
    // The same each time, and of no two ids.
    const derived = await nameOf({ id: '10.0.0.5:4143' });
    expect(derived).toMatch(/^orders-10\.0\.0\.5-4143-[0-9a-f]{8}$/);
    expect(await nameOf({ id: '10.0.0.5/4143' })).not.toBe(derived);
    expect(await nameOf({ id: 'x'.repeat(200) })).toMatch(/^orders-x{112}-[0-9a-f]{8}$/);
  });

  it('leaves the address of the admin API to the system, or has what it is told', async () => {
    const addressOf = (flags: { admin?: string }): unknown =>
      (
        JSON.parse(toSidecarDocument({ service: 'a', app: '127.0.0.1:1', ...flags }, {})) as {
          admin: unknown;
        }
      ).admin;
    expect(addressOf({})).toEqual({ address: '127.0.0.1:0' });
    expect(addressOf({ admin: '10.0.0.5:8001' })).toEqual({ address: '10.0.0.5:8001' });
  });

  it('has the Redis of the environment, which is not printed back', async () => {
    const env = { MESHGATE_REDIS: 'redis://user:secret@10.0.0.5' };
    const text = toSidecarDocument({ service: 'orders', app: '127.0.0.1:3001' }, env);
    expect(text).not.toContain('secret');
    const loaded = await loadConfig('/x/sidecar', { catalogue: standardPlugins, env, text });
    expect(loaded).toMatchObject({
      config: { backplane: { redis: { kind: 'single', url: env.MESHGATE_REDIS } } },
    });
  });
});

describe('meshgate sidecar', () => {
  it.each([
    ['no service', [], 'it takes one SERVICE'],
    ['two services', ['a', 'b', '--app', '127.0.0.1:1'], 'it takes one SERVICE'],
    ['no application', ['orders'], '--app HOST:PORT is needed'],
    [
      'an odd label',
      ['orders', '--app', '127.0.0.1:1', '--metadata', 'v2'],
      '--metadata: not "key=value": v2',
    ],
    ['an unknown option', ['orders', '--app', '127.0.0.1:1', '--ap'], "Unknown option '--ap'"],
  ])('refuses %s with 2', async (_what, argv, message) => {
    const outcome = await run(...argv).catch((error: Error) => ({
      code: 2,
      stderr: error.message,
    }));
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain(message);
  });

  it('tells of everything that is wrong at once, by the names of its options', async () => {
    const { code, stderr } = await run(
      'orders',
      '--app=localhost',
      '--protocol=h3',
      '--health-path=healthz',
      '--services=a,,b',
      '--trust=10.0.0.0/40',
      '--admin=8001:x',
      '--name=no name',
    );
    expect(code).toBe(2);
    const named = stderr
      .trim()
      .split('\n')
      .map((line) => /^meshgate sidecar: (\S+): /.exec(line)?.[1]);
    expect(new Set(named)).toEqual(
      new Set([
        '--admin',
        '--app',
        '--name',
        '--health-path',
        '--protocol',
        '--services',
        '--trust',
      ]),
    );
    expect(stderr).not.toContain('register[0]');
    const other = await run('or ders', '--app', '127.0.0.1:1', '--status', '127.0.0.1:4143');
    expect(other.stderr).toMatch(/^meshgate sidecar: SERVICE: .* is not valid here/);
    const taken = await run('orders', '--app', '127.0.0.1:1', '--inbound', '127.0.0.1:4140');
    expect(taken.stderr).toMatch(
      /^meshgate sidecar: --inbound: the address is taken by the outbound door, which has it unless/,
    );
  });
});
