/** `routes[].mirror`: copies that nobody waits for. */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';
import { deadAddress, startOrigins, type Origin } from './origin.ts';

let gateway: TestGateway;
let orders: Origin;
let next: Origin;
let other: Origin;

beforeAll(async () => {
  let lot = 0;
  vi.spyOn(Math, 'random').mockImplementation(() => (lot += 0.618_033_988_749_895) % 1);
  [orders, next, other] = (await startOrigins('orders', 'next', 'other')) as [
    Origin,
    Origin,
    Origin,
  ];
  const mirrored = (name: string, ...mirror: object[]): object => ({
    name,
    match: [{ path: `/${name}/*` }],
    to: 'orders',
    mirror,
  });
  gateway = await startGateway({
    services: {
      orders: { endpoints: [{ address: orders.address }] },
      next: {
        endpoints: [
          { address: next.address, metadata: { version: 'v2' } },
          { address: other.address, metadata: { version: 'v1' } },
        ],
      },
      dead: { endpoints: [{ address: await deadAddress() }] },
    },
    routes: [
      mirrored('all', { service: 'next', where: { version: 'v2' } }),
      mirrored('some', { service: 'next', percent: 25, where: { version: 'v2' } }),
      mirrored('none', { service: 'next', percent: 0 }),
      mirrored('dead', { service: 'dead' }),
      mirrored(
        'two',
        { service: 'next', where: { version: 'v1' } },
        { service: 'next', where: { version: 'v2' } },
      ),
    ],
  });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await Promise.all([gateway, orders, next, other].map((one) => one.stop()));
});
beforeEach(() => {
  for (const origin of [orders, next, other]) {
    origin.asked.splice(0);
    origin.answer = (_asked, response) => response.end(origin.name);
  }
});

it('sends a copy of method, path, query, fields and body', async () => {
  const reply = await ask(gateway.httpPort, '/all/x?y=z', {
    method: 'POST',
    host: 'api.example.com',
    headers: { 'x-env': 'canary' },
    body: 'the body',
  });
  expect(reply).toMatchObject({ status: 200, body: 'orders' });
  const copy = await next.request(1);
  expect(copy).toMatchObject({ method: 'POST', target: '/all/x?y=z', body: 'the body' });
  expect(copy.headers).toMatchObject({ 'x-env': 'canary', host: 'api.example.com' });
  expect(copy.headers['x-request-id']).toBe(orders.asked[0]!.headers['x-request-id']);
  expect(other.asked).toEqual([]);
});

it('copies the share of requests that percent says', async () => {
  for (let i = 0; i < 40; i++) await ask(gateway.httpPort, '/some/x');
  await next.request(8);
  // What is sent after them all has come: no copy is still on its way.
  await ask(gateway.httpPort, '/all/last');
  await until(async () => next.asked.find(({ target }) => target === '/all/last'));
  expect(orders.asked).toHaveLength(41);
  expect(next.asked.length - 1).toBeGreaterThanOrEqual(8);
  expect(next.asked.length - 1).toBeLessThanOrEqual(12);
});

it('copies nothing at 0 percent', async () => {
  for (let i = 0; i < 10; i++) await ask(gateway.httpPort, '/none/x');
  await ask(gateway.httpPort, '/all/last');
  expect((await next.request(1)).target).toBe('/all/last');
});

it('never waits for a copy: a mirror that does not answer delays nobody', async () => {
  next.answer = () => undefined;
  const reply = await ask(gateway.httpPort, '/all/x', { method: 'PUT', body: 'x' });
  expect(reply).toMatchObject({ status: 200, body: 'orders' });
  expect((await next.request(1)).body).toBe('x');
});

it('never fails the original: a mirror that is down is counted', async () => {
  expect(await ask(gateway.httpPort, '/dead/x')).toMatchObject({ status: 200, body: 'orders' });
  const lost = 'meshgate_mirrors_lost_total{service="dead"} 1';
  await until(async () => ((await gateway.metrics()).includes(lost) ? true : undefined));
});

it('never shows a mirror’s answer', async () => {
  next.answer = (_asked, response) => response.writeHead(500, { 'x-mirror': '1' }).end('no');
  const reply = await ask(gateway.httpPort, '/all/x');
  expect(reply).toMatchObject({ status: 200, body: 'orders' });
  expect(reply.headers['x-mirror']).toBeUndefined();
});

it('sends copies to several mirrors, each with its own endpoints', async () => {
  await ask(gateway.httpPort, '/two/x', { method: 'POST', body: 'both' });
  const copies = await Promise.all([next.request(1), other.request(1)]);
  expect(copies.map(({ body }) => body)).toEqual(['both', 'both']);
});
