/** `balancer: { policy: peak-ewma }`, slow start and zones, through a gateway. */
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';
import { startOrigins, type Origin } from './origin.ts';

let gateway: TestGateway | undefined;
let origins: Origin[];

beforeEach(async () => {
  origins = await startOrigins('a', 'b', 'c', 'd', 'e', 'f');
});
afterEach(async () => {
  await Promise.all([gateway?.stop(), ...origins.map((origin) => origin.stop())]);
  gateway = undefined;
});

async function serve(balancer: object, endpoints: object[], rest: object = {}): Promise<void> {
  gateway = await startGateway({
    services: { orders: { endpoints, balancer, outlierDetection: false } },
    routes: [{ name: 'orders', match: [{ path: '/*' }], to: 'orders' }],
    ...rest,
  });
}

async function tally(times: number, method = 'GET'): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < times; i++) {
    const { body } = await ask(gateway!.httpPort, '/', { method });
    counts[body] = (counts[body] ?? 0) + 1;
  }
  return counts;
}

it('peak-ewma is not drawn to an endpoint that fails fast', async () => {
  const [a, b, c] = origins as [Origin, Origin, Origin];
  b.answer = (_asked, response) => response.writeHead(503).end('failed');
  await serve(
    { policy: 'peak-ewma' },
    [a, b, c].map(({ address }) => ({ address })),
  );
  // Once it has failed, it loses to either of the others; POST is not tried again.
  const { failed = 0 } = await tally(40, 'POST');
  expect(failed).toBeLessThanOrEqual(2);
});

it('peak-ewma passes over an endpoint that has answered late', async () => {
  const [a, b] = origins as [Origin, Origin];
  await serve(
    { policy: 'peak-ewma' },
    [a, b].map(({ address }) => ({ address })),
  );
  const held: ServerResponse[] = [];
  for (const origin of [a, b]) origin.answer = (_asked, response) => void held.push(response);
  const late = ask(gateway!.httpPort, '/');
  await Promise.race([a.request(1), b.request(1)]);
  const slow = a.asked.length === 1 ? 'a' : 'b';
  for (const origin of [a, b]) origin.answer = (_asked, response) => response.end(origin.name);
  // Longer than any answer of the other takes.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  held[0]!.end('late');
  await late;
  expect(await tally(10)).toEqual({ [slow === 'a' ? 'b' : 'a']: 10 });
});

it("zoneAware prefers the node's zone", async () => {
  const endpoints = origins.map(({ address }, i) => ({
    address,
    metadata: { zone: i < 3 ? 'eu-1a' : 'eu-1b' },
  }));
  await serve({}, endpoints, { node: { zone: 'eu-1b' } });
  expect(await tally(6)).toEqual({ d: 2, e: 2, f: 2 });
});

it('zoneAware: false goes anywhere', async () => {
  const endpoints = origins.map(({ address }) => ({ address, metadata: { zone: 'eu-1a' } }));
  await serve({ zoneAware: false }, endpoints, { node: { zone: 'eu-1b' } });
  expect(Object.keys(await tally(6))).toHaveLength(6);
});

it('slowStart lets endpoints that joined together share alike', async () => {
  const endpoints = origins.slice(0, 2).map(({ address }) => ({ address }));
  await serve({ slowStart: { window: '10s' } }, endpoints);
  expect(await tally(8)).toEqual({ a: 4, b: 4 });
});
