/** `Server-Timing`: how much of the time to the head was the gateway's, and how much the service's. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, type Reply } from './client.ts';
import { deadAddress, startOrigin, type Origin } from './origin.ts';

let gateway: TestGateway;
let origin: Origin;

beforeAll(async () => {
  origin = await startOrigin('origin');
  gateway = await startGateway({
    services: {
      orders: { endpoints: [{ address: origin.address }] },
      dead: { endpoints: [{ address: await deadAddress() }] },
    },
    routes: [
      { name: 'orders', match: [{ path: '/orders/*' }], to: 'orders' },
      { name: 'dead', match: [{ path: '/dead/*' }], to: 'dead' },
      { name: 'hello', match: [{ path: '/hello' }], respond: { body: 'hi' } },
    ],
  });
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));
beforeEach(() => {
  origin.answer = (_asked, response) => response.end('origin');
});

const timing = ({ headers }: Reply): string => String(headers['server-timing']);
const asking = { headers: { prefer: 'server-timing' } };

it('parts the time to the head in the gateway’s and the service’s, for who asks', async () => {
  origin.answer = (_asked, response) => void setTimeout(() => response.end(), 30);
  const reply = await ask(gateway.httpPort, '/orders/1', asking);
  const found = /^gateway;dur=([0-9.]+), upstream;dur=([0-9.]+)$/.exec(timing(reply));
  expect(Number(found?.[1])).toBeLessThan(5000);
  expect(Number(found?.[2])).toBeGreaterThanOrEqual(29);
  expect(Number(found?.[2])).toBeLessThan(5000);
});

it.each([
  'respond-async, server-timing',
  'Server-Timing; x=1, wait=10',
  ['wait=1', 'server-timing'],
])('is asked for in a list too: %s', async (prefer) => {
  const reply = await ask(gateway.httpPort, '/orders/1', { headers: { prefer } });
  expect(timing(reply)).toMatch(/^gateway;dur=/);
});

it.each([undefined, 'respond-async', 'x-server-timing', 'server-timings', 'x="server-timing"'])(
  'stays away from who does not ask: %s',
  async (prefer) => {
    const headers = prefer === undefined ? {} : { prefer };
    const reply = await ask(gateway.httpPort, '/orders/1', { headers });
    expect(reply.headers['server-timing']).toBeUndefined();
  },
);

it('stands beside what the service says of itself', async () => {
  origin.answer = (_asked, response) =>
    response.writeHead(200, { 'Server-Timing': 'db;dur=1' }).end();
  const reply = await ask(gateway.httpPort, '/orders/1', asking);
  expect(timing(reply)).toMatch(/^db;dur=1, gateway;dur=/);
});

it('tells of the gateway alone where it answers itself', async () => {
  expect(timing(await ask(gateway.httpPort, '/hello', asking))).toMatch(/^gateway;dur=[0-9.]+$/);
  const nowhere = await ask(gateway.httpPort, '/nowhere', asking);
  expect(nowhere.status).toBe(404);
  expect(timing(nowhere)).toMatch(/^gateway;dur=[0-9.]+$/);
});

it('tells how long a service was waited for in vain', async () => {
  const reply = await ask(gateway.httpPort, '/dead/x', asking);
  expect(reply.status).toBe(503);
  expect(timing(reply)).toMatch(/^gateway;dur=[0-9.]+, upstream;dur=[0-9.]+$/);
});
