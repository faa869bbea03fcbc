/** Four nodes on one Redis: what they admit together, and how often they ask for it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LimiterOptions, LimitVerdict } from '../../../src/plugins/sdk/plugin-context.ts';
import { singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { passInRedis, PATIENT, startLimitNode, type LimitNode } from '../../redis/shared-nodes.ts';

const NODES = 4;
const WINDOW_MS = 600_000;

let redis: RedisProcess;
let nodes: LimitNode[];
let passedMs = 0;

/** Every node's timers run at a pace of their own. */
const clockOf = (node: number) => ({
  monotonic: () => performance.now() + passedMs + node * 86_400_000,
});

beforeAll(async () => {
  redis = await RedisProcess.start();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  nodes = await Promise.all(
    Array.from({ length: NODES }, (_, node) =>
      startLimitNode(singleTarget(redis.port), { clock: clockOf(node), ...PATIENT }),
    ),
  );
  return async () => {
    await Promise.all(nodes.map((node) => node.close()));
  };
});

function limitOf(points: number, mode: 'exact' | 'leased'): LimiterOptions {
  return { name: randomUUID(), points, windowMs: WINDOW_MS, mode };
}

interface Load {
  readonly perNode: number;
  /** Requests of a node that are under way at once. */
  readonly atOnce: number;
  readonly cost?: (request: number) => number;
}

/** The verdicts of all nodes, which work at the same time. */
async function press(limit: LimiterOptions, { perNode, atOnce, cost = () => 1 }: Load) {
  const admitted = nodes.map(() => 0);
  const verdicts: LimitVerdict[] = [];
  await Promise.all(
    nodes.map(async ({ counters }, node) => {
      const limiter = counters.limiter(limit);
      let sent = 0;
      const client = async (): Promise<void> => {
        while (sent < perNode) {
          const points = cost(sent++);
          const verdict = await limiter.consume('caller', points);
          verdicts.push(verdict);
          if (verdict.allowed) admitted[node]! += points;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, client));
    }),
  );
  expect(verdicts.filter(({ fallback }) => fallback !== undefined)).toEqual([]);
  return { admitted, total: admitted.reduce((sum, points) => sum + points, 0) };
}

function asks(): number {
  return nodes.reduce((sum, { counters }) => sum + counters.asks, 0);
}

describe('exact limits of four nodes', () => {
  it('admit exactly the limit under load, and ask for each request', async () => {
    const { total } = await press(limitOf(500, 'exact'), { perNode: 250, atOnce: 8 });
    expect(total).toBe(500);
    expect(asks()).toBe(NODES * 250);
  });

  it('admit exactly the limit by cost', async () => {
    const load = { perNode: 100, atOnce: 8, cost: (request: number) => 1 + (request % 3) };
    expect((await press(limitOf(300, 'exact'), load)).total).toBe(300);
  });
});

describe('leased limits of four nodes', () => {
  it('admit the limit under load, and ask less than once in 20 requests', async () => {
    const load = { perNode: 2_000, atOnce: 8 };
    const { total } = await press(limitOf(4_000, 'leased'), load);
    // Points are charged when they are drawn, so none are admitted twice; what is drawn last
    // may stay unspent where a node has no more requests.
    expect(total).toBeLessThanOrEqual(4_000);
    expect(total).toBeGreaterThan(4_000 * 0.9);
    expect(asks()).toBeLessThanOrEqual((NODES * load.perNode) / 20);
  });

  it('ask less than once in 20 requests where the limit is never reached', async () => {
    const load = { perNode: 1_000, atOnce: 4 };
    const { total } = await press(limitOf(1_000_000, 'leased'), load);
    expect(total).toBe(NODES * load.perNode);
    expect(asks()).toBeLessThanOrEqual((NODES * load.perNode) / 20);
  });

  it('give every point of a small limit out, and not one more', async () => {
    for (const points of [1, 5, 12]) {
      const { total } = await press(limitOf(points, 'leased'), { perNode: 20, atOnce: 5 });
      expect(total).toBe(points);
    }
  });

  it('count requests that come one by one, at one node and then at another', async () => {
    const limit = limitOf(5, 'leased');
    const verdicts: [boolean, number][] = [];
    for (let i = 0; i < 7; i++) {
      const limiter = nodes[i % NODES]!.counters.limiter(limit);
      const { allowed, remaining } = await limiter.consume('caller');
      verdicts.push([allowed, remaining]);
      // As slow as some callers are: nothing of one is recent when the next comes.
      passedMs += 5_000;
      await passInRedis(redis, 5_000);
    }
    expect(verdicts).toEqual([
      [true, 4],
      [true, 3],
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ]);
  });

  it('refuse to the end of the window without asking, once Redis has nothing left', async () => {
    const limit = limitOf(20, 'leased');
    await press(limit, { perNode: 20, atOnce: 4 });
    const before = asks();
    const limiter = nodes[0]!.counters.limiter(limit);
    for (let i = 0; i < 100; i++) {
      const verdict = limiter.consume('caller');
      expect(verdict).not.toBeInstanceOf(Promise);
      expect(verdict).toMatchObject({ allowed: false, remaining: 0 });
    }
    expect(asks()).toBe(before);
    passedMs += WINDOW_MS;
    await passInRedis(redis, WINDOW_MS);
    expect(await limiter.consume('caller')).toMatchObject({ allowed: true });
  });

  it('spend what is in hand without a promise, and draw ahead before it is gone', async () => {
    // On a clock that stands still all requests are recent, however slow the machine is.
    const clock = { monotonic: () => 1_000 };
    const node = await startLimitNode(singleTarget(redis.port), { clock, ...PATIENT });
    const limiter = node.counters.limiter(limitOf(1_000_000, 'leased'));
    for (let i = 0; i < 1_000; i++) await limiter.consume('caller');
    const before = node.counters.asks;
    for (let i = 0; i < 4_000; i++) {
      expect(limiter.consume('caller')).not.toBeInstanceOf(Promise);
      // Answered after any draw that was sent.
      if (i % 50 === 0) await node.backplane.client.ping();
    }
    expect(node.counters.asks).toBeGreaterThan(before);
    await node.close();
  });

  it('take up no points of a window that has ended', async () => {
    const limit = limitOf(100, 'leased');
    const limiter = nodes[0]!.counters.limiter(limit);
    for (let i = 0; i < 30; i++) await limiter.consume('caller');
    passedMs += WINDOW_MS;
    await passInRedis(redis, WINDOW_MS);
    const { total } = await press(limit, { perNode: 100, atOnce: 4 });
    expect(total).toBeLessThanOrEqual(100);
  });

  it('go on where they were after a node was restarted', async () => {
    const limit = limitOf(10, 'leased');
    for (let i = 0; i < 4; i++) await nodes[0]!.counters.limiter(limit).consume('caller');
    const again = await startLimitNode(singleTarget(redis.port), PATIENT);
    const verdict = await again.counters.limiter(limit).consume('caller', 6);
    await again.close();
    // What the one before still had in hand went with it.
    expect(verdict.remaining).toBeLessThanOrEqual(6);
    const { total } = await press(limit, { perNode: 10, atOnce: 1 });
    expect(4 + (verdict.allowed ? 6 : 0) + total).toBeLessThanOrEqual(10);
  });

  it('share their counts with exact ones of the same name', async () => {
    const limit = limitOf(10, 'leased');
    await nodes[0]!.counters.limiter(limit).consume('caller', 4);
    const exact = nodes[1]!.counters.limiter({ ...limit, mode: 'exact' });
    expect(await exact.consume('caller', 6)).toMatchObject({ allowed: true, remaining: 0 });
    expect((await nodes[2]!.counters.limiter(limit).consume('caller')).allowed).toBe(false);
  });

  it('hold no more keys than the bound, and let go of windows that have ended', async () => {
    const node = await startLimitNode(singleTarget(redis.port), {
      clock: clockOf(0),
      maxKeysPerLimiter: 50,
      ...PATIENT,
    });
    const limiter = node.counters.limiter(limitOf(5, 'leased'));
    for (let i = 0; i < 200; i++) await limiter.consume(`caller ${i}`);
    expect(node.counters.keys).toBe(50);
    expect(node.counters.evictions).toBe(150);
    // The counts themselves are in Redis.
    await limiter.consume('caller 0', 4);
    expect((await limiter.consume('caller 0')).allowed).toBe(false);
    passedMs += WINDOW_MS;
    for (let i = 0; i < 40; i++) await limiter.consume(`another ${i}`);
    expect(node.counters.keys).toBeLessThanOrEqual(50);
    await node.close();
  });

  it('spend what is in hand though their limiter is made anew, and are forgotten after their window', async () => {
    let nowMs = 1_000;
    const clock = { monotonic: () => nowMs };
    const node = await startLimitNode(singleTarget(redis.port), { clock, ...PATIENT });
    const { counters } = node;
    const limit = limitOf(1_000_000, 'leased');
    const before = counters.limiter(limit);
    for (let i = 0; i < 1_000; i++) await before.consume('caller');
    before.release();
    const after = counters.limiter(limit);
    expect(after.consume('caller')).not.toBeInstanceOf(Promise);
    after.release();
    expect(counters.size).toBe(1);
    // Whatever was asked for ahead.
    await node.backplane.client.ping();
    nowMs += WINDOW_MS;
    counters.limiter(limitOf(1, 'exact')).release();
    counters.limiter(limitOf(1, 'leased')).release();
    expect([counters.size, counters.keys]).toEqual([0, 0]);
    await node.close();
  });
});
