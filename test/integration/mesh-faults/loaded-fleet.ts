/** A fleet on a Redis of its own, under steady load from outside and from inside. */
import { onTestFinished } from 'vitest';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startFleet, type Fleet } from './fleet.ts';
import { startSteadyLoad, type SteadyLoad } from './steady-load.ts';

export interface LoadedFleet {
  readonly redis: RedisProcess;
  readonly fleet: Fleet;
  /** Through the gateways. */
  readonly gets: SteadyLoad;
  /** Through the outbound doors: what may not be tried twice. */
  readonly posts: SteadyLoad;
  /** Resolves when so many more have been answered of each. */
  readonly serve: (count: number) => Promise<void>;
}

export async function startLoadedFleet(): Promise<LoadedFleet> {
  const redis = await RedisProcess.start();
  onTestFinished(() => redis.stop());
  const fleet = await startFleet({
    backplane: { redis: `redis://127.0.0.1:${redis.port}` },
    gateways: 2,
  });
  const gets = startSteadyLoad({ ports: fleet.publicPorts, callers: 2 });
  const posts = startSteadyLoad({
    ports: fleet.outboundPorts,
    host: 'orders.mesh',
    method: 'POST',
    callers: 2,
  });
  return {
    redis,
    fleet,
    gets,
    posts,
    serve: async (count) => {
      await Promise.all([gets.more(count), posts.more(count)]);
    },
  };
}
