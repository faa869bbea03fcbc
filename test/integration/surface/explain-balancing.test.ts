/** `explain` on balancing: the endpoint that a request would go to, and why, with nothing sent to any. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { startOrigins, type Origin } from './origin.ts';

let origins: Origin[];
let folder: string;

beforeAll(async () => {
  origins = await startOrigins('a', 'b', 'c');
  folder = await mkdtemp(join(tmpdir(), 'meshgate-explain-'));
});
afterAll(async () => {
  await Promise.all(origins.map((origin) => origin.stop()));
  await rm(folder, { recursive: true });
});

async function explained(balancer: object, headers: readonly string[] = [], routes = 1) {
  const configFile = join(folder, 'meshgate.yaml');
  const config = {
    meshgate: 1,
    listeners: [{ name: 'http', address: '127.0.0.1:0' }],
    services: {
      orders: {
        endpoints: origins.map(({ address }) => ({ address })),
        balancer,
        healthCheck: { http: {}, interval: '1ms' },
      },
    },
    routes: Array.from({ length: routes }, (_, i) => ({ name: `orders-${i}`, to: 'orders' })),
  };
  await writeFile(configFile, JSON.stringify(config));
  const app = await createApp({ configFile, env: {}, log: pino({ level: 'silent' }) });
  const url = new URL('http://localhost/');
  const { forward } = await app.explain({ method: 'GET', url, headers, body: undefined });
  return forward!;
}

it('says by what policy an endpoint is chosen', async () => {
  const hashed = await explained({ policy: 'maglev', hashOn: { header: 'X-User' } }, [
    'x-user',
    '7',
  ]);
  expect(hashed.reason).toBe('maglev: the endpoint of its key');
  const again = await explained({ policy: 'maglev', hashOn: { header: 'X-User' } }, [
    'X-User',
    '7',
  ]);
  expect(again.endpoint).toBe(hashed.endpoint);
  expect(hashed.endpoints.map(({ verdict }) => verdict).sort()).toEqual([
    'chosen',
    'eligible',
    'eligible',
  ]);
  const { reason } = await explained({ policy: 'ring-hash', hashOn: { header: 'X-User' } });
  expect(reason).toBe('ring-hash: the request has no key, so any');
  expect((await explained({ policy: 'peak-ewma' })).reason).toMatch(/^peak-ewma: of two drawn/);
});

it('sends nothing to an endpoint, and leaves nothing in the data directory', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  // So many that compiling them gives a check time to begin.
  await explained({ sticky: { cookie: 'endpoint' } }, [], 4000);
  vi.restoreAllMocks();
  expect(origins.flatMap(({ asked }) => asked)).toEqual([]);
  expect(await readdir(folder)).toEqual(['meshgate.yaml']);
});
