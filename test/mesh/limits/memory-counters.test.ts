/** Counters in memory. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createMemoryCounters } from '../../../src/mesh/limits/memory-counters.ts';

function createCounters(maxKeysPerLimiter?: number) {
  const time = { ms: 1000 };
  const counters = createMemoryCounters({
    clock: { monotonic: () => time.ms },
    ...(maxKeysPerLimiter !== undefined && { maxKeysPerLimiter }),
  });
  return { counters, time };
}

const minute = { name: 'orders', points: 3, windowMs: 60_000 };

afterEach(() => {
  vi.useRealTimers();
});

describe('a limiter in memory', () => {
  it('admits as many points as a window has, and says what is left and for how long', async () => {
    const { counters, time } = createCounters();
    const limiter = counters.limiter(minute);
    expect(await limiter.consume('a')).toEqual({ allowed: true, remaining: 2, resetMs: 60_000 });
    time.ms += 15_000;
    expect(await limiter.consume('a')).toEqual({ allowed: true, remaining: 1, resetMs: 45_000 });
    expect(await limiter.consume('a')).toEqual({ allowed: true, remaining: 0, resetMs: 45_000 });
    expect(await limiter.consume('a')).toEqual({ allowed: false, remaining: 0, resetMs: 45_000 });
  });

  it("begins a key's window with its first request and another when that has ended", async () => {
    const { counters, time } = createCounters();
    const limiter = counters.limiter({ ...minute, points: 1 });
    expect((await limiter.consume('a')).allowed).toBe(true);
    time.ms += 59_999;
    expect((await limiter.consume('a')).allowed).toBe(false);
    time.ms += 1;
    expect(await limiter.consume('a')).toEqual({ allowed: true, remaining: 0, resetMs: 60_000 });
  });

  it('counts each key by itself, keys that look like properties too', async () => {
    const { counters } = createCounters();
    const limiter = counters.limiter({ ...minute, points: 1 });
    for (const key of ['a', 'b', '', '__proto__', 'constructor']) {
      expect((await limiter.consume(key)).allowed).toBe(true);
      expect((await limiter.consume(key)).allowed).toBe(false);
    }
  });

  it('refuses what costs more than is left and spends nothing for it', async () => {
    const { counters } = createCounters();
    const limiter = counters.limiter({ ...minute, points: 10 });
    await limiter.consume('a', 6);
    expect(await limiter.consume('a', 5)).toMatchObject({ allowed: false, remaining: 4 });
    expect(await limiter.consume('a', 4)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('admits exactly the points when many requests meet before any is answered', async () => {
    const { counters } = createCounters();
    const limiter = counters.limiter({ ...minute, points: 10 });
    const verdicts = await Promise.all(
      Array.from({ length: 50 }, () => Promise.resolve(limiter.consume('a'))),
    );
    expect(verdicts.filter((verdict) => verdict.allowed)).toHaveLength(10);
    expect(await limiter.peek('a', 0)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('gives back what was refused when two requests meet', async () => {
    const { counters } = createCounters();
    const limiter = counters.limiter({ ...minute, points: 10 });
    const [first, second] = await Promise.all([limiter.consume('a', 6), limiter.consume('a', 6)]);
    expect(first).toMatchObject({ allowed: true, remaining: 4 });
    expect(second).toMatchObject({ allowed: false, remaining: 4 });
    expect(await limiter.consume('a', 4)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('refuses without a promise once a key is known to be spent', async () => {
    const { counters } = createCounters();
    const limiter = counters.limiter({ ...minute, points: 1 });
    await limiter.consume('a');
    expect(limiter.consume('a')).toEqual({ allowed: false, remaining: 0, resetMs: 60_000 });
  });

  it('peeks at what a request would meet and spends nothing', async () => {
    const { counters, time } = createCounters();
    const limiter = counters.limiter(minute);
    expect(await limiter.peek('a')).toEqual({ allowed: true, remaining: 2, resetMs: 60_000 });
    expect(counters.keys).toBe(0);
    await limiter.consume('a', 2);
    time.ms += 10_000;
    for (let i = 0; i < 3; i++) {
      expect(await limiter.peek('a')).toEqual({ allowed: true, remaining: 0, resetMs: 50_000 });
    }
    expect(await limiter.peek('a', 2)).toEqual({ allowed: false, remaining: 1, resetMs: 50_000 });
  });

  it.each([3_600_000, -3_600_000])(
    'keeps its windows when the wall clock jumps by %d ms',
    async (jumpMs) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      const { counters, time } = createCounters();
      const limiter = counters.limiter({ ...minute, points: 1 });
      await limiter.consume('a');
      vi.setSystemTime(Date.now() + jumpMs);
      time.ms += 30_000;
      expect(await limiter.consume('a')).toEqual({ allowed: false, remaining: 0, resetMs: 30_000 });
      time.ms += 30_000;
      expect(await limiter.consume('a')).toEqual({ allowed: true, remaining: 0, resetMs: 60_000 });
    },
  );

  it('arms no timer, for no window however long', async () => {
    vi.useFakeTimers();
    const { counters, time } = createCounters();
    // Longer than a timer can run (2^31 ms), where one would fire at once and free the key.
    const limiter = counters.limiter({ ...minute, points: 1, windowMs: 30 * 86_400_000 });
    await limiter.consume('a');
    expect(vi.getTimerCount()).toBe(0);
    time.ms += 29 * 86_400_000;
    expect((await limiter.consume('a')).allowed).toBe(false);
  });
});

describe('counters', () => {
  it('go on when a limiter is made again, as a reload does', async () => {
    const { counters } = createCounters();
    await counters.limiter(minute).consume('a', 2);
    const again = counters.limiter({ ...minute });
    expect(await again.consume('a')).toMatchObject({ allowed: true, remaining: 0 });
    expect((await again.consume('a')).allowed).toBe(false);
  });

  it('go on under new points, while the limiter from before still decides by its own', async () => {
    const { counters } = createCounters();
    const before = counters.limiter({ ...minute, points: 3 });
    await before.consume('a', 3);
    const after = counters.limiter({ ...minute, points: 5 });
    expect(await after.consume('a')).toMatchObject({ allowed: true, remaining: 1 });
    expect((await before.consume('a')).allowed).toBe(false);
    const stricter = counters.limiter({ ...minute, points: 2 });
    expect(await stricter.consume('a')).toMatchObject({ allowed: false, remaining: 0 });
    expect(await after.consume('a')).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('are decided on by the points of each limiter, also when requests meet', async () => {
    const { counters } = createCounters();
    const lenient = counters.limiter({ ...minute, points: 5 });
    const strict = counters.limiter({ ...minute, points: 1 });
    const verdicts = await Promise.all(
      [lenient, strict, lenient, strict].map((limiter) => Promise.resolve(limiter.consume('a'))),
    );
    expect(verdicts.map((verdict) => verdict.allowed)).toEqual([true, false, true, false]);
  });

  it('are apart for another name or window', async () => {
    const { counters } = createCounters();
    await counters.limiter({ ...minute, points: 1 }).consume('a');
    for (const other of [
      { ...minute, name: 'users' },
      { ...minute, windowMs: 1000 },
    ]) {
      expect((await counters.limiter({ ...other, points: 1 }).consume('a')).allowed).toBe(true);
    }
  });

  it('hold no more keys than the bound, evict the oldest window and count it', async () => {
    const { counters, time } = createCounters(3);
    const limiter = counters.limiter({ ...minute, points: 1 });
    for (const key of ['a', 'b', 'c', 'd']) {
      await limiter.consume(key);
      time.ms += 1;
    }
    expect(counters.keys).toBe(3);
    expect(counters.evictions).toBe(1);
    expect((await limiter.peek('d')).allowed).toBe(false);
    expect((await limiter.peek('a')).allowed).toBe(true);
    // Its count was let go with its window, in the library too.
    expect(await limiter.consume('a')).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('let go of ended windows as others open', async () => {
    const { counters, time } = createCounters();
    const limiter = counters.limiter(minute);
    for (let i = 0; i < 100; i++) await limiter.consume(`old${i}`);
    time.ms += 60_000;
    for (let i = 0; i < 100; i++) await limiter.consume(`new${i}`);
    expect(counters.keys).toBe(100);
  });

  it('let go of ended windows of a limiter that no request reaches any more', async () => {
    const { counters, time } = createCounters();
    const idle = counters.limiter({ ...minute, name: 'removed route' });
    const busy = counters.limiter(minute);
    for (let i = 0; i < 100; i++) await idle.consume(`old${i}`);
    time.ms += 60_000;
    for (let i = 0; i < 100; i++) await busy.consume(`new${i}`);
    expect(counters.keys).toBe(100);
  });

  it('refuse options that make no sense', () => {
    const { counters } = createCounters();
    expect(() => counters.limiter({ ...minute, windowMs: 0 })).toThrow(RangeError);
    expect(() => createCounters(0)).toThrow(RangeError);
  });
});

describe('limiters that nobody uses any more', () => {
  it('are forgotten at once where they counted nothing', () => {
    const { counters } = createCounters();
    const limiters = Array.from({ length: 50 }, (_, i) =>
      counters.limiter({ ...minute, name: `route-${i}` }),
    );
    expect(counters.size).toBe(50);
    for (const limiter of limiters) limiter.release();
    expect(counters.size).toBe(0);
  });

  it('keep their counts until their windows end, for whoever takes the name meanwhile', async () => {
    const { counters, time } = createCounters();
    const before = counters.limiter(minute);
    await before.consume('a', 3);
    before.release();
    time.ms += 59_999;
    const after = counters.limiter(minute);
    expect((await after.consume('a')).allowed).toBe(false);
    after.release();
    expect(counters.size).toBe(1);
    time.ms += 1;
    // It is only looked at when another comes or goes.
    counters.limiter({ ...minute, name: 'other' });
    expect([counters.size, counters.keys]).toEqual([1, 0]);
  });

  it('stay while one of two is left, and do not pile up over reloads that each change the names', async () => {
    const { counters, time } = createCounters(1);
    const lasting = counters.limiter(minute);
    counters.limiter(minute).release();
    await lasting.consume('a');
    await lasting.consume('b');
    for (let i = 0; i < 1_000; i++) {
      const limiter = counters.limiter({ ...minute, name: `version-${i}` });
      await limiter.consume('a');
      await limiter.consume('b');
      limiter.release();
      time.ms += 10_000;
    }
    expect(counters.size).toBeLessThan(20);
    expect(counters.evictions).toBe(1_001);
    expect(await lasting.peek('b')).toMatchObject({ allowed: true });
  });
});
