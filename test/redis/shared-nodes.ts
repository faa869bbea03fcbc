/** Nodes that share their limits in one Redis, each with connections and a memory of its own. */
import {
  createSharedCounters,
  type SharedCounters,
  type SharedCountersOptions,
} from '../../src/mesh/limits/shared-counters.ts';
import { RedisWindows } from '../../src/mesh/limits/redis-windows.ts';
import type { RedisBackplane } from '../../src/mesh/backplane/redis/redis-backplane.ts';
import type { RedisTarget } from '../../src/mesh/backplane/redis/redis-target.ts';
import type { Log } from '../../src/plugins/sdk/plugin-context.ts';
import { openRedisBackplane } from './open-backplane.ts';
import type { RedisProcess } from './redis-process.ts';

export interface LimitNode {
  readonly backplane: RedisBackplane;
  readonly counters: SharedCounters;
  /** Messages of the log, warnings and worse. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/** For tests that count: on a loaded machine an answer within 20 ms is nothing to rely on. */
export const PATIENT = { answerWithinMs: 10_000 };

export async function startLimitNode(
  target: RedisTarget,
  options: Partial<SharedCountersOptions> = {},
): Promise<LimitNode> {
  const warnings: string[] = [];
  const warn = (_fields: object, message: string): void => void warnings.push(message);
  const log: Log = { debug() {}, info() {}, warn, error: warn };
  const backplane = await openRedisBackplane(target);
  const counters = createSharedCounters({
    windows: new RedisWindows(backplane, 'meshgate'),
    clock: { monotonic: () => performance.now() },
    random: Math.random,
    log,
    liveNodes: () => 4,
    ...options,
  });
  return {
    backplane,
    counters,
    warnings,
    async close() {
      counters.close();
      await backplane.close();
    },
  };
}

/** Lets so much time pass for every key that expires. */
export async function passInRedis(redis: RedisProcess, ms: number): Promise<void> {
  const { admin } = redis;
  for (const key of await admin.keys('*')) {
    const ttlMs = await admin.pttl(key);
    if (ttlMs >= 0) await admin.pexpire(key, Math.max(0, ttlMs - ms));
  }
}
