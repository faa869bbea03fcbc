/** `services.*.hedge`, through a gateway. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';
import { startOrigins, type Origin } from './origin.ts';

let gateway: TestGateway;
let a: Origin;
let b: Origin;

beforeEach(async () => {
  [a, b] = (await startOrigins('a', 'b')) as [Origin, Origin];
  gateway = await startGateway({
    services: {
      orders: {
        endpoints: [{ address: a.address }, { address: b.address }],
        outlierDetection: false,
        hedge: { minDelay: '20ms' },
        balancer: { policy: 'round-robin' },
      },
    },
    routes: [{ name: 'orders', match: [{ path: '/*' }], to: 'orders' }],
  });
  // Both have to be known before either is hedged.
  for (let i = 0; i < 44; i++) await ask(gateway.httpPort, '/learn', { method: 'POST' });
  if (a.asked.length !== 22 || b.asked.length !== 22)
    throw new Error('they were not asked in turn');
});

afterEach(async () => {
  await Promise.all([gateway.stop(), a.stop(), b.stop()]);
});

const never = (): void => {};

async function hedges(): Promise<number> {
  const counted = /meshgate_retries_total\{service="orders",reason="hedge"\} (\d+)/;
  return Number(counted.exec(await gateway.metrics())?.[1] ?? 0);
}

it('a second endpoint answers for one that is slow: counted, and told in the log', async () => {
  a.answer = never;
  const reply = await ask(gateway.httpPort, '/slow');
  expect(reply).toMatchObject({ status: 200, body: 'b' });
  expect(await hedges()).toBe(1);
  const line = await gateway.waitForLog(({ path }) => path === '/slow');
  expect(line).toMatchObject({ attempts: 2, endpoint: b.address, status: 200 });
});

it('the log names the first endpoint where it answers first after all', async () => {
  b.answer = never;
  a.answer = (_asked, response) => void b.request(23).then(() => response.end('a'));
  const reply = await ask(gateway.httpPort, '/late');
  expect(reply.body).toBe('a');
  const line = await gateway.waitForLog(({ path }) => path === '/late');
  expect(line).toMatchObject({ attempts: 2, endpoint: a.address, status: 200 });
  // From the first try on, not from the hedge.
  expect(line['upstream_ms']).toBeGreaterThanOrEqual(19);
});

it('what is not idempotent is asked once', async () => {
  a.answer = (_asked, response) => void setTimeout(() => response.end('a'), 300);
  const reply = await ask(gateway.httpPort, '/orders', { method: 'POST', body: 'x' });
  expect(reply.body).toBe('a');
  expect(await hedges()).toBe(0);
  expect(b.asked).toHaveLength(22);
});
