/** The contract suite on every kind of windows there is. */
import { MemoryWindows } from '../../../src/mesh/limits/memory-windows.ts';
import { RedisWindows } from '../../../src/mesh/limits/redis-windows.ts';
import { describe, expect, it } from 'vitest';
import { describeLimitWindows } from '../../contracts/limit-windows.ts';
import { startLimitedWorkers } from '../../gateway/worker/limits/worker-limits.ts';
import { openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { passInRedis } from '../../redis/shared-nodes.ts';

function memoryWindows(maxKeysPerLimiter?: number) {
  let nowMs = 1_000;
  const windows = new MemoryWindows({ monotonic: () => nowMs, maxKeysPerLimiter });
  return {
    windows,
    async pass(ms: number) {
      nowMs += ms;
    },
    async close() {},
  };
}

describeLimitWindows('memory', async () => memoryWindows());
describeLimitWindows('Redis', async () => {
  const redis = await RedisProcess.start();
  const backplane = await openRedisBackplane(singleTarget(redis.port));
  return {
    windows: new RedisWindows(backplane, 'meshgate'),
    pass: (ms) => passInRedis(redis, ms),
    async close() {
      await backplane.close();
      await redis.stop();
    },
  };
});
describeLimitWindows("a worker's, of its supervisor's memory", async () => {
  const memory = memoryWindows();
  const [worker] = await startLimitedWorkers({ windows: memory.windows, workers: 1 });
  return { ...memory, windows: worker!.windows, close: async () => worker!.die() };
});

describe('windows in memory', () => {
  const ask = { wanted: 1, least: 1, limit: 5 };

  it('hold no more keys of a limiter than the bound, whatever other limiters hold', async () => {
    const { windows } = memoryWindows(50);
    for (let i = 0; i < 200; i++) {
      await windows.ask({ lane: 0, limiter: 'a', key: String(i), windowMs: 1_000 }, ask);
    }
    await windows.ask({ lane: 0, limiter: 'b', key: '0', windowMs: 1_000 }, ask);
    expect(windows.keys).toBe(51);
  });

  it('forget limiters whose windows have all ended, as others are asked of', async () => {
    const memory = memoryWindows();
    const { windows } = memory;
    for (let i = 0; i < 100; i++) {
      await windows.ask({ lane: 0, limiter: String(i), key: 'a', windowMs: 1_000 }, ask);
    }
    expect(windows.size).toBe(100);
    await memory.pass(1_000);
    for (let i = 0; i < 100; i++) {
      await windows.ask({ lane: 0, limiter: 'last', key: String(i), windowMs: 1_000 }, ask);
    }
    expect(windows.size).toBe(1);
  });
});
