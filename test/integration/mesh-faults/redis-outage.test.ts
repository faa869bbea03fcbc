/** Redis is gone for a minute, under steady load: no request notices. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { until } from '../../redis/redis-sentinel.ts';
import { HEARTBEAT_MS } from './fleet.ts';
import { startLoadedFleet } from './loaded-fleet.ts';

const OUTAGE_MS = 60_000;
const NAMES = ['app-0', 'app-1', 'app-2'];

it('serves through a minute without Redis', { timeout: 150_000 }, async () => {
  const { redis, fleet, gets, posts, serve } = await startLoadedFleet();
  await serve(100);

  await redis.kill();
  const killedAtMs = performance.now();
  await serve(100);
  const [gateway] = fleet.gateways;
  await gateway!.stop();
  await gateway!.start();
  expect((await gateway!.samples('meshgate_backplane_connected')).get('')).toBe(0);
  await gateway!.sees('orders', NAMES.length);
  await pause(OUTAGE_MS - (performance.now() - killedAtMs));
  const staleness = (await gateway!.samples('meshgate_backplane_staleness_seconds')).get('');
  expect(staleness).toBeGreaterThan(30);

  await redis.start();
  const backAtMs = performance.now();
  const registered = (): Promise<number> => redis.admin.hlen('meshgate:{svc:orders}:inst');
  await until(async () => (await registered()) === NAMES.length);
  expect(performance.now() - backAtMs).toBeLessThan(HEARTBEAT_MS);
  await Promise.all([gets, posts].map((load) => load.onlyBy(NAMES)));
  expect([gets.failures, posts.failures]).toEqual([[], []]);
});
