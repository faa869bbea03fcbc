/** Processes that are killed under steady load, as a machine that fails would end them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startFleet } from './fleet.ts';
import { startSteadyLoad } from './steady-load.ts';

let redis: RedisProcess;
beforeAll(async () => {
  redis = await RedisProcess.start();
});
afterAll(() => redis.stop());

let namespaces = 0;
const newBackplane = () => ({
  redis: `redis://127.0.0.1:${redis.port}`,
  namespace: `crashes-${++namespaces}`,
});

describe(
  'under steady load through a gateway and through an outbound door',
  { timeout: 60_000 },
  () => {
    it('a killed application costs no idempotent call, and each caller at most 5 others', async () => {
      const fleet = await startFleet({ backplane: newBackplane() });
      const gets = startSteadyLoad({ ports: fleet.publicPorts });
      const posts = startSteadyLoad({ ports: fleet.publicPorts, method: 'POST' });
      const east = startSteadyLoad({ ports: fleet.outboundPorts, host: 'orders.mesh' });
      await Promise.all([gets.more(200), posts.more(200), east.more(200)]);
      await fleet.instances[0]!.application.kill();
      await Promise.all([gets, posts, east].map((load) => load.onlyBy(['app-1', 'app-2'])));
      // It is drained by its own sidecar, which looks at it.
      await fleet.gateways[0]!.sees('orders', 1, 'draining');
      await fleet.instances[0]!.application.start();
      await fleet.isWhole();
      await gets.onlyBy(['app-0', 'app-1', 'app-2']);
      expect([gets.failures, east.failures]).toEqual([[], []]);
      expect(posts.mostFailuresOfACaller).toBeLessThanOrEqual(5);
    });

    it('a killed sidecar costs no idempotent call, is passed over, and is back when it is started again', async () => {
      const fleet = await startFleet({ backplane: newBackplane() });
      const gets = startSteadyLoad({ ports: fleet.publicPorts });
      const posts = startSteadyLoad({
        ports: fleet.outboundPorts,
        host: 'orders.mesh',
        method: 'POST',
      });
      await Promise.all([gets.more(200), posts.more(200)]);
      await fleet.instances[1]!.sidecar.kill();
      await Promise.all([gets, posts].map((load) => load.onlyBy(['app-0', 'app-2'])));
      await fleet.gateways[0]!.sees('orders', 2);
      await fleet.instances[1]!.sidecar.start();
      await fleet.isWhole();
      await gets.onlyBy(['app-0', 'app-1', 'app-2']);
      expect(gets.failures).toEqual([]);
      expect(posts.mostFailuresOfACaller).toBeLessThanOrEqual(5);
    });

    it('a killed gateway costs only what it had in flight, and the other nothing', async () => {
      const fleet = await startFleet({ backplane: newBackplane(), instances: 2, gateways: 2 });
      const callers = 4;
      const both = startSteadyLoad({ ports: fleet.publicPorts, callers });
      const other = startSteadyLoad({ ports: fleet.publicPorts.slice(1) });
      await Promise.all([both.more(200), other.more(200)]);
      await fleet.gateways[0]!.kill();
      await Promise.all([both.more(200), other.more(200)]);
      await fleet.gateways[0]!.start();
      await fleet.gateways[0]!.sees('orders', 2);
      await both.more(100);
      expect(other.failures).toEqual([]);
      expect(both.mostFailuresOfACaller).toBeLessThanOrEqual(1);
    });
  },
);
