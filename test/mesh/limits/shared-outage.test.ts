/** A Redis that dies, hangs, refuses or forgets: limits go on by their fallback, and come back by themselves. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type {
  LimitFallback,
  Limiter,
  LimiterOptions,
} from '../../../src/plugins/sdk/plugin-context.ts';
import { freePorts } from '../../redis/free-port.ts';
import { untilConnected } from '../../redis/mesh-nodes.ts';
import { singleTarget } from '../../redis/open-backplane.ts';
import { startRedisCluster } from '../../redis/redis-cluster.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { until } from '../../redis/redis-sentinel.ts';
import { PATIENT, startLimitNode, type LimitNode } from '../../redis/shared-nodes.ts';

const WINDOW_MS = 60_000;
const BACK_WITHIN_MS = 5_000;
const MODES = ['leased', 'exact'] as const;

let redis: RedisProcess;
let node: LimitNode;

beforeEach(async () => {
  redis = await RedisProcess.start();
  node = await startLimitNode(singleTarget(redis.port));
});

afterEach(async () => {
  await node.close();
  await redis.stop();
});

function limiterOf(options: Partial<LimiterOptions> = {}, counters = node.counters): Limiter {
  return counters.limiter({ name: randomUUID(), points: 100, windowMs: WINDOW_MS, ...options });
}

/** Of a key that nobody knows yet, so that Redis is needed. */
async function fallbackOf(limiter: Limiter): Promise<LimitFallback | undefined> {
  return (await limiter.consume(randomUUID())).fallback;
}

async function expectCounted(limiter: Limiter, withinMs = BACK_WITHIN_MS): Promise<void> {
  await until(async () => (await fallbackOf(limiter)) === undefined, withinMs);
}

async function expectFallback(limiter: Limiter): Promise<void> {
  await until(async () => (await fallbackOf(limiter)) !== undefined);
}

function expectAtOnce(limiter: Limiter, fallback: LimitFallback): void {
  const verdict = limiter.consume(randomUUID());
  expect(verdict).not.toBeInstanceOf(Promise);
  expect(verdict).toMatchObject({ fallback });
}

describe.each(MODES)('a %s limit', (mode) => {
  it('falls back at once when Redis is killed, and counts in it again when it is back', async () => {
    const limiter = limiterOf({ mode, onUnavailable: 'open' });
    await expectCounted(limiter);
    await redis.kill();
    await expectFallback(limiter);
    for (let i = 0; i < 100; i++) expectAtOnce(limiter, 'open');
    await untilConnected(node.backplane, false);
    await until(async () => node.warnings.length > 0);
    expect(node.warnings).toEqual(['rate limits go without Redis, each by its onUnavailable']);
    await redis.start();
    await expectCounted(limiter);
  });

  it('waits once for a Redis that hangs, no longer than it may, and not again', async () => {
    const limiter = limiterOf({ mode, onUnavailable: 'closed' });
    await expectCounted(limiter);
    await redis.admin.call('CLIENT', 'PAUSE', 2_000, 'ALL');
    const asked = performance.now();
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => limiter.consume(`caller ${i}`)),
    );
    // 20 ms and what a loaded machine takes; the client itself would wait a second.
    expect(performance.now() - asked).toBeLessThan(900);
    for (const verdict of verdicts) {
      expect(verdict).toMatchObject({ allowed: false, fallback: 'closed' });
    }
    const asks = node.counters.asks;
    for (let i = 0; i < 100; i++) expectAtOnce(limiter, 'closed');
    expect(node.counters.asks).toBe(asks);
    await expectCounted(limiter, 2_000 + BACK_WITHIN_MS);
  });

  it('comes back after Redis stood still with its connections open', async () => {
    const limiter = limiterOf({ mode });
    await expectCounted(limiter);
    redis.freeze();
    await expectFallback(limiter);
    await untilConnected(node.backplane, false);
    redis.thaw();
    await expectCounted(limiter);
  });

  it('falls back where Redis takes no writes, as a replica', async () => {
    const limiter = limiterOf({ mode });
    await expectCounted(limiter);
    await redis.admin.call('REPLICAOF', '127.0.0.1', '1');
    await expectFallback(limiter);
    await redis.admin.call('REPLICAOF', 'NO', 'ONE');
    await expectCounted(limiter);
  });

  it('falls back where Redis is out of memory', async () => {
    const limiter = limiterOf({ mode });
    await expectCounted(limiter);
    await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.admin.config('SET', 'maxmemory', '1');
    await expectFallback(limiter);
    // Connected all the while: it is the writing that fails.
    expect(node.backplane.status().connected).toBe(true);
    await redis.admin.config('SET', 'maxmemory', '0');
    await expectCounted(limiter);
  });

  it('does not notice that Redis lost its scripts', async () => {
    const patient = await startLimitNode(singleTarget(redis.port), PATIENT);
    const limiter = limiterOf({ mode, points: 3 }, patient.counters);
    const allowed: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      await redis.admin.script('FLUSH');
      const verdict = await limiter.consume('caller');
      expect(verdict.fallback).toBeUndefined();
      allowed.push(verdict.allowed);
    }
    expect(allowed).toEqual([true, true, true, false]);
    await patient.close();
  });

  it('begins anew where Redis was emptied', async () => {
    const patient = await startLimitNode(singleTarget(redis.port), PATIENT);
    const limiter = limiterOf({ mode, points: 3 }, patient.counters);
    await limiter.consume('caller', 2);
    await redis.admin.flushall();
    expect(await limiter.consume('caller')).toMatchObject({ allowed: true });
    expect((await limiter.peek('another')).fallback).toBeUndefined();
    await patient.close();
  });

  it('serves a node that starts while Redis is down, and counts in it when it is there', async () => {
    const [port] = await freePorts(1);
    const early = await startLimitNode(singleTarget(port!));
    const limiter = limiterOf({ mode, onUnavailable: 'open' }, early.counters);
    expectAtOnce(limiter, 'open');
    expect(limiter.peek('caller')).toMatchObject({ allowed: true, fallback: 'open' });
    const late = await RedisProcess.start({}, port);
    await expectCounted(limiter);
    await early.close();
    await late.stop();
  });

  it('gives nobody a longer window than it has, whatever the clock of Redis did', async () => {
    const patient = await startLimitNode(singleTarget(redis.port), PATIENT);
    const limiter = limiterOf({ mode, points: 2 }, patient.counters);
    await limiter.consume('caller');
    const [key] = await redis.admin.keys('meshgate:{limit:0}:60000:*');
    // As if it had been set back by an hour.
    await redis.admin.pexpire(key!, WINDOW_MS + 3_600_000);
    expect((await limiter.consume('caller')).resetMs).toBeLessThanOrEqual(WINDOW_MS);
    expect(await redis.admin.pttl(key!)).toBeLessThanOrEqual(WINDOW_MS);
    await patient.close();
  });

  it('lets go of everybody who waits when it is closed', async () => {
    const patient = await startLimitNode(singleTarget(redis.port), PATIENT);
    const limiter = limiterOf({ mode, onUnavailable: 'closed' }, patient.counters);
    redis.freeze();
    const waiting = limiter.consume('caller');
    patient.counters.close();
    expect(await waiting).toMatchObject({ allowed: false, fallback: 'closed' });
    redis.thaw();
    await patient.close();
  });
});

describe('the fallback', () => {
  beforeEach(async () => {
    await redis.kill();
    await untilConnected(node.backplane, false);
  });

  it.each(MODES)('local gives a node its share of the points (%s)', async (mode) => {
    const limiter = limiterOf({ mode, points: 10 });
    const verdicts = [];
    for (let i = 0; i < 3; i++) verdicts.push(await limiter.consume('caller'));
    expect(verdicts).toMatchObject([
      { allowed: true, remaining: 1, fallback: 'local' },
      { allowed: true, remaining: 0, fallback: 'local' },
      { allowed: false, remaining: 0, fallback: 'local' },
    ]);
    expect(verdicts[2]!.resetMs).toBeLessThanOrEqual(WINDOW_MS);
    expect(await limiter.peek('caller')).toMatchObject({ allowed: false, fallback: 'local' });
    expect(await limiter.peek('another')).toMatchObject({ allowed: true, remaining: 1 });
  });

  it('local follows the number of live nodes, and takes none for one', async () => {
    let live = 10;
    const other = await startLimitNode(singleTarget(redis.port), { liveNodes: () => live });
    const limiter = limiterOf({ points: 10 }, other.counters);
    expect(await limiter.consume('a')).toMatchObject({ allowed: true, remaining: 0 });
    live = 2;
    expect(await limiter.consume('a')).toMatchObject({ allowed: true, remaining: 3 });
    live = Number.NaN;
    expect(await limiter.consume('a')).toMatchObject({ allowed: true, remaining: 7 });
    live = 0;
    expect(await limiter.consume('a')).toMatchObject({ allowed: true, remaining: 6 });
    await other.close();
  });

  it('local lets one request a window through, however small the share and dear the request', async () => {
    const limiter = limiterOf({ points: 3 });
    expect((await limiter.consume('a')).allowed).toBe(true);
    expect((await limiter.consume('a')).allowed).toBe(false);
    const dear = limiterOf({ points: 12 });
    expect((await dear.consume('a', 12)).allowed).toBe(true);
    expect((await dear.consume('a')).allowed).toBe(false);
  });

  it('open lets everybody through, closed nobody', () => {
    for (let i = 0; i < 200; i++) {
      expectAtOnce(limiterOf({ onUnavailable: 'open', points: 1 }), 'open');
    }
    const closed = limiterOf({ onUnavailable: 'closed' });
    expect(closed.consume('a')).toEqual({
      allowed: false,
      remaining: 0,
      resetMs: 1_000,
      fallback: 'closed',
    });
  });
});

describe('leased points', () => {
  it('are spent while Redis is away, and so is the knowledge that none are left', async () => {
    const patient = await startLimitNode(singleTarget(redis.port), {
      // All requests are recent, however slow the machine is.
      clock: { monotonic: () => 1_000 },
      ...PATIENT,
    });
    const limiter = limiterOf({ points: 1_000, onUnavailable: 'closed' }, patient.counters);
    for (let i = 0; i < 100; i++) await limiter.consume('caller');
    const spent = limiterOf({ points: 1, onUnavailable: 'open' }, patient.counters);
    await spent.consume('caller');
    await redis.kill();
    await untilConnected(patient.backplane, false);
    expect(limiter.consume('caller')).toMatchObject({ allowed: true });
    expect(limiter.consume('caller')).not.toHaveProperty('fallback');
    expect(spent.consume('caller')).toMatchObject({ allowed: false, remaining: 0 });
    await patient.close();
  });
});

describe('limits in a cluster', () => {
  it('go on at the other masters while one is gone', async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const member = await startLimitNode(cluster.target, { answerWithinMs: 500 });
    onTestFinished(() => member.close());
    const limiter = limiterOf({ mode: 'exact', points: 1 }, member.counters);
    const keys = Array.from({ length: 60 }, (_, i) => `caller ${i}`);
    await expectCounted(limiter, 15_000);
    const fallbacks = async (): Promise<number> => {
      const verdicts = await Promise.all(keys.map(async (key) => limiter.peek(key)));
      return verdicts.filter(({ fallback }) => fallback !== undefined).length;
    };
    await until(async () => (await fallbacks()) === 0);
    const dbSizes = await Promise.all(
      cluster.masters.map(async ({ admin }) => {
        await Promise.all(keys.map(async (key) => limiter.consume(key)));
        return admin.dbsize();
      }),
    );
    expect(Math.min(...dbSizes)).toBeGreaterThan(0);
    await cluster.masters[0]!.kill();
    await until(async () => {
      const now = await fallbacks();
      return now > 0 && now < keys.length;
    });
    await cluster.masters[0]!.start();
    await until(async () => (await fallbacks()) === 0);
  }, 60_000);
});
