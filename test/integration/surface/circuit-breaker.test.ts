/** `services.<name>.circuitBreaker`: what is too much is refused at once. */
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, codeOf, type Reply } from './client.ts';
import { startOrigin, type Origin } from './origin.ts';

let gateway: TestGateway;
let origin: Origin;
let held: ServerResponse[];

beforeAll(async () => {
  origin = await startOrigin('origin');
  const service = (circuitBreaker: object): object => ({
    endpoints: [{ address: origin.address }],
    circuitBreaker,
  });
  gateway = await startGateway({
    services: {
      requests: service({ maxRequests: 2 }),
      pending: service({ maxConnections: 1, maxPending: 1 }),
      connections: service({ maxConnections: 2 }),
    },
    routes: ['requests', 'pending', 'connections'].map((name) => ({
      name,
      match: [{ path: `/${name}` }],
      to: name,
    })),
  });
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));

beforeEach(() => {
  held = [];
  origin.asked.splice(0);
  origin.answer = (_asked, response) => void held.push(response);
});

function release(): void {
  origin.answer = (_asked, response) => response.end('later');
  for (const response of held.splice(0)) response.end('held');
}

function expectOpen(reply: Reply): void {
  expect(reply.status).toBe(503);
  expect(codeOf(reply)).toBe('circuit_open');
  expect(reply.headers['proxy-status']).toContain('connection_limit_reached');
}

it('maxRequests refuses what is more than so many in flight, and nothing once they are done', async () => {
  const inFlight = [ask(gateway.httpPort, '/requests'), ask(gateway.httpPort, '/requests')];
  await origin.request(2);
  expectOpen(await ask(gateway.httpPort, '/requests'));
  release();
  expect((await Promise.all(inFlight)).map(({ body }) => body)).toEqual(['held', 'held']);
  expect((await ask(gateway.httpPort, '/requests')).body).toBe('later');
  expect(origin.asked).toHaveLength(3);
});

it('maxPending refuses what would wait behind too many for a connection', async () => {
  const first = ask(gateway.httpPort, '/pending');
  await origin.request(1);
  // One of these waits for the only connection, the other is refused; which of them is all the same.
  const both = [ask(gateway.httpPort, '/pending'), ask(gateway.httpPort, '/pending')];
  expectOpen(await Promise.race(both));
  release();
  expect((await first).body).toBe('held');
  const statuses = (await Promise.all(both)).map(({ status }) => status);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 503]);
  expect(origin.asked).toHaveLength(2);
});

it('maxConnections lets the others wait', async () => {
  const all = Array.from({ length: 5 }, () => ask(gateway.httpPort, '/connections'));
  await origin.request(2);
  release();
  expect((await Promise.all(all)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(new Set(origin.asked.map(({ remotePort }) => remotePort)).size).toBeLessThanOrEqual(2);
});
