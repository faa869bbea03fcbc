/** The contract suite on every kind of counters there is. */
import { createMemoryCounters } from '../../../src/mesh/limits/memory-counters.ts';
import type { Counters, LimiterOptions } from '../../../src/plugins/sdk/plugin-context.ts';
import { describeCounters, type CountersFixture } from '../../contracts/counters.ts';
import { singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
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

async function openShared(mode: LimiterOptions['mode'] & string): Promise<CountersFixture> {
  const redis = await RedisProcess.start();
  let passedMs = 0;
  const clock = { monotonic: () => performance.now() + passedMs };
  const node = await startLimitNode(singleTarget(redis.port), { clock, ...PATIENT });
  const counters: Counters = {
    limiter: (options) => node.counters.limiter({ ...options, mode }),
  };
  return {
    counters,
    async pass(ms) {
      passedMs += ms;
      await passInRedis(redis, ms);
    },
    async close() {
      await node.close();
      await redis.stop();
    },
  };
}

describeCounters('memory', openMemory);
describeCounters('Redis, leased', () => openShared('leased'));
describeCounters('Redis, exact', () => openShared('exact'));
