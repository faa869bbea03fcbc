/** The contract suite on every kind of counters there is. */
import type { RedisTarget } from '../../../src/mesh/backplane/redis/redis-target.ts';
import { createMemoryCounters } from '../../../src/mesh/limits/memory-counters.ts';
import { MemoryWindows } from '../../../src/mesh/limits/memory-windows.ts';
import type { Counters, LimiterOptions } from '../../../src/plugins/sdk/plugin-context.ts';
import { startLimitedWorkers } from '../../gateway/worker/limits/worker-limits.ts';
import { describeCounters, type CountersFixture } from '../../contracts/counters.ts';
import { singleTarget } from '../../redis/open-backplane.ts';
import { startRedisCluster } from '../../redis/redis-cluster.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { until } from '../../redis/redis-sentinel.ts';
import { passInRedis, PATIENT, startLimitNode } from '../../redis/shared-nodes.ts';

async function openMemory(): Promise<CountersFixture> {
  let nowMs = 1_000;
  return {
    counters: createMemoryCounters({ clock: { monotonic: () => nowMs } }),
    async pass(ms) {
      nowMs += ms;
    },
    async close() {},
  };
}

interface Store {
  readonly target: RedisTarget;
  readonly masters: readonly RedisProcess[];
  stop(): Promise<void>;
}

async function startSingle(): Promise<Store> {
  const redis = await RedisProcess.start();
  return { target: singleTarget(redis.port), masters: [redis], stop: () => redis.stop() };
}

async function openShared(
  mode: LimiterOptions['mode'] & string,
  start: () => Promise<Store>,
): Promise<CountersFixture> {
  const store = await start();
  let passedMs = 0;
  const clock = { monotonic: () => performance.now() + passedMs };
  const node = await startLimitNode(store.target, { clock, ...PATIENT });
  const counters: Counters = {
    limiter: (options) => node.counters.limiter({ ...options, mode }),
  };
  // A cluster's connections may not all stand yet.
  await until(async () => {
    const probe = counters.limiter({ name: 'probe', points: 1, windowMs: 1_000 });
    const keys = Array.from({ length: 50 }, (_, i) => String(i));
    const verdicts = await Promise.all(keys.map(async (key) => probe.peek(key)));
    return verdicts.every(({ fallback }) => fallback === undefined);
  });
  return {
    counters,
    async pass(ms) {
      passedMs += ms;
      await Promise.all(store.masters.map((master) => passInRedis(master, ms)));
    },
    async close() {
      await node.close();
      await store.stop();
    },
  };
}

/** Of a node without Redis: windows are in the memory of its supervisor. */
async function openWorker(mode: LimiterOptions['mode'] & string): Promise<CountersFixture> {
  let nowMs = 1_000;
  const monotonic = (): number => nowMs;
  const windows = new MemoryWindows({ monotonic });
  const [worker] = await startLimitedWorkers({ windows, workers: 1, monotonic });
  const { counters } = worker!;
  return {
    counters: { limiter: (options) => counters.limiter({ ...options, mode }) },
    async pass(ms) {
      nowMs += ms;
    },
    close: async () => worker!.die(),
  };
}

describeCounters('memory', openMemory);
describeCounters('a worker, leased', () => openWorker('leased'));
describeCounters('a worker, exact', () => openWorker('exact'));
describeCounters('Redis, leased', () => openShared('leased', startSingle));
describeCounters('Redis, exact', () => openShared('exact', startSingle));
describeCounters('Redis Cluster, leased', () => openShared('leased', startRedisCluster));
describeCounters('Redis Cluster, exact', () => openShared('exact', startRedisCluster));
