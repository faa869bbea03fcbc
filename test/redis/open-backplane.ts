/** Connected backplanes for tests, on stores of their own. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedBackplane } from '../../src/mesh/backplane/embedded/embedded-backplane.ts';
import {
  createRedisBackplane,
  type RedisBackplane,
  type RedisBackplaneOptions,
} from '../../src/mesh/backplane/redis/redis-backplane.ts';
import type { RedisTarget } from '../../src/mesh/backplane/redis/redis-target.ts';
import { CLOCK, SILENT, type BackplanePair } from '../contracts/backplane-fixture.ts';
import { startRedisCluster } from './redis-cluster.ts';
import { RedisProcess } from './redis-process.ts';
import { startSentinelGroup } from './redis-sentinel.ts';

export async function openRedisBackplane(
  target: RedisTarget,
  options: Partial<RedisBackplaneOptions> = {},
): Promise<RedisBackplane> {
  const environment = { clock: CLOCK, log: SILENT, random: Math.random };
  const backplane = createRedisBackplane({ target, ...environment, ...options });
  await backplane.start();
  return backplane;
}

export function singleTarget(port: number): RedisTarget {
  return { topology: { type: 'single', host: '127.0.0.1', port } };
}

interface Store {
  readonly target: RedisTarget;
  stop(): Promise<void>;
}

const STORES: Record<RedisTarget['topology']['type'], () => Promise<Store>> = {
  async single() {
    const redis = await RedisProcess.start();
    return { target: singleTarget(redis.port), stop: () => redis.stop() };
  },
  sentinel: startSentinelGroup,
  cluster: startRedisCluster,
};

/** Two nodes on Redis processes that are stopped with them. */
export async function openRedisPair(type: RedisTarget['topology']['type']): Promise<BackplanePair> {
  const store = await STORES[type]();
  const namespace = `test-${randomUUID().slice(0, 8)}`;
  const [here, there] = await Promise.all([
    openRedisBackplane(store.target, { namespace }),
    openRedisBackplane(store.target, { namespace }),
  ]);
  return {
    here,
    there,
    async close() {
      await Promise.all([here.close(), there.close()]);
      await store.stop();
    },
  };
}

/** One node twice, on a directory that is removed with it. */
export async function openEmbeddedPair(): Promise<BackplanePair> {
  const directory = await mkdtemp(join(tmpdir(), 'meshgate-backplane-'));
  const here = createEmbeddedBackplane({ directory, clock: CLOCK, log: SILENT });
  await here.start();
  return {
    here,
    there: here,
    async close() {
      await here.close();
      await rm(directory, { recursive: true });
    },
  };
}
