/** `where`: targets that are some of a service's endpoints. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, codeOf } from './client.ts';
import { startOrigins, type Origin } from './origin.ts';

let gateway: TestGateway;
let origins: Origin[];

beforeAll(async () => {
  origins = await startOrigins('v1-a', 'v1-b', 'v2');
  const metadata = [
    { version: 'v1', zone: 'eu-1a' },
    { version: 'v1', zone: 'eu-1b' },
    { version: 'v2', zone: 'eu-1a' },
  ];
  const target = (where: object): object => ({ to: [{ service: 'orders', where }] });
  gateway = await startGateway({
    services: {
      orders: {
        endpoints: origins.map(({ address }, i) => ({ address, metadata: metadata[i] })),
      },
    },
    routes: [
      { name: 'v1', match: [{ path: '/v1' }], ...target({ version: 'v1' }) },
      {
        name: 'v1-here',
        match: [{ path: '/v1-here' }],
        ...target({ version: 'v1', zone: 'eu-1b' }),
      },
      { name: 'v2', match: [{ path: '/v2' }], ...target({ version: 'v2' }) },
      { name: 'v3', match: [{ path: '/v3' }], ...target({ version: 'v3' }) },
      { name: 'unknown', match: [{ path: '/unknown' }], ...target({ constructor: 'v1' }) },
      { name: 'any', match: [{ path: '/any' }], to: 'orders' },
      {
        name: 'canary',
        match: [{ path: '/canary' }],
        to: [
          { service: 'orders', weight: 0, where: { version: 'v1' } },
          { service: 'orders', weight: 10, where: { version: 'v2' } },
        ],
      },
    ],
  });
});
afterAll(() => Promise.all([gateway.stop(), ...origins.map((origin) => origin.stop())]));

async function answerers(path: string, times: number): Promise<readonly string[]> {
  const found = new Set<string>();
  for (let i = 0; i < times; i++) found.add((await ask(gateway.httpPort, path)).body);
  return [...found].sort();
}

it('uses the endpoints that have the metadata, all of them, and no other', async () => {
  expect(await answerers('/v1', 6)).toEqual(['v1-a', 'v1-b']);
  expect(await answerers('/v2', 3)).toEqual(['v2']);
});

it('asks for every key of several', async () => {
  expect(await answerers('/v1-here', 3)).toEqual(['v1-b']);
});

it('uses every endpoint where nothing is asked for', async () => {
  expect(await answerers('/any', 6)).toEqual(['v1-a', 'v1-b', 'v2']);
});

it('shares requests among subsets of one service by weight', async () => {
  expect(await answerers('/canary', 5)).toEqual(['v2']);
});

it.each(['/v3', '/unknown'])('answers 503 where no endpoint has the metadata: %s', async (path) => {
  const reply = await ask(gateway.httpPort, path);
  expect(reply.status).toBe(503);
  expect(codeOf(reply)).toBe('no_healthy_endpoint');
  expect(reply.headers['proxy-status']).toContain('destination_unavailable');
});
