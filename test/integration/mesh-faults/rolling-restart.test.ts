/** Every process of a mesh replaced, one after the other, under steady load. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startFleet } from './fleet.ts';
import { startSteadyLoad } from './steady-load.ts';

let redis: RedisProcess;
beforeAll(async () => {
  redis = await RedisProcess.start();
});
afterAll(() => redis.stop());

it('a rolling restart of every process fails no request', { timeout: 90_000 }, async () => {
  const backplane = { redis: `redis://127.0.0.1:${redis.port}` };
  const fleet = await startFleet({ backplane, instances: 2, gateways: 2 });
  const gets = startSteadyLoad({ ports: fleet.publicPorts });
  const posts = startSteadyLoad({ ports: fleet.publicPorts, method: 'POST' });
  await Promise.all([gets.more(100), posts.more(100)]);
  for (const { application, sidecar } of fleet.instances) {
    // An application goes after its sidecar, and comes back before it.
    await sidecar.stop();
    await application.stop();
    await application.start();
    await sidecar.start();
    await fleet.isWhole();
  }
  for (const gateway of fleet.gateways) {
    await gateway.stop();
    await gateway.start();
    await gateway.sees('orders', 2);
  }
  await Promise.all([gets.more(100), posts.more(100)]);
  expect([gets.failures, posts.failures]).toEqual([[], []]);
  expect([...gets.answers.keys()].toSorted()).toEqual(['app-0', 'app-1']);
});
