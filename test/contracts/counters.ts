/** The contract of Counters: what holds wherever the counts are kept. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Counters, LimiterOptions } from '../../src/plugins/sdk/plugin-context.ts';

export interface CountersFixture {
  /** In the mode under test. */
  readonly counters: Counters;
  /** Lets time pass, for windows wherever they are. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

const WINDOW_MS = 60_000;
/** A loaded machine's own time; on a clock that stands still there is none. */
const SLACK_MS = 15_000;

/** Of this test alone. */
function newLimit(points: number, more: Partial<LimiterOptions> = {}): LimiterOptions {
  return { name: randomUUID(), points, windowMs: WINDOW_MS, ...more };
}

function expectReset(resetMs: number, wantedMs: number): void {
  expect(resetMs).toBeLessThanOrEqual(wantedMs);
  expect(resetMs).toBeGreaterThan(wantedMs - SLACK_MS);
}

export function describeCounters(name: string, open: () => Promise<CountersFixture>): void {
  describe(`counters contract: ${name}`, () => {
    let fixture: CountersFixture;
    beforeAll(async () => {
      fixture = await open();
    }, 60_000);
    afterAll(() => fixture.close());

    it('admit as many points as a window has, and say what is left and for how long', async () => {
      const limiter = fixture.counters.limiter(newLimit(3));
      const first = await limiter.consume('a');
      expect(first).toMatchObject({ allowed: true, remaining: 2 });
      expectReset(first.resetMs, WINDOW_MS);
      await fixture.pass(20_000);
      const second = await limiter.consume('a');
      expect(second).toMatchObject({ allowed: true, remaining: 1 });
      expectReset(second.resetMs, WINDOW_MS - 20_000);
      expect(await limiter.consume('a')).toMatchObject({ allowed: true, remaining: 0 });
      const refused = await limiter.consume('a');
      expect(refused).toMatchObject({ allowed: false, remaining: 0 });
      expectReset(refused.resetMs, WINDOW_MS - 20_000);
    });

    it("begin a key's window with its first request and another when that has ended", async () => {
      const limiter = fixture.counters.limiter(newLimit(2));
      await limiter.consume('a', 2);
      await fixture.pass(30_000);
      expect((await limiter.consume('a')).allowed).toBe(false);
      await fixture.pass(30_000);
      const anew = await limiter.consume('a');
      expect(anew).toMatchObject({ allowed: true, remaining: 1 });
      expectReset(anew.resetMs, WINDOW_MS);
    });

    it('count each key by itself, keys that look like properties or hash tags too', async () => {
      const limiter = fixture.counters.limiter(newLimit(1));
      for (const key of ['a', 'b', '', '__proto__', 'constructor', '{a}', 'ü \r\n*1']) {
        expect((await limiter.consume(key)).allowed).toBe(true);
        expect((await limiter.consume(key)).allowed).toBe(false);
      }
    });

    it('refuse what costs more than is left and spend nothing for it', async () => {
      const limiter = fixture.counters.limiter(newLimit(10));
      await limiter.consume('a', 6);
      expect(await limiter.consume('a', 5)).toMatchObject({ allowed: false, remaining: 4 });
      expect(await limiter.consume('a', 4)).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('admit exactly the points when many requests meet before any is answered', async () => {
      const limiter = fixture.counters.limiter(newLimit(10));
      const verdicts = await Promise.all(
        Array.from({ length: 50 }, async () => limiter.consume('a')),
      );
      expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(10);
      expect(await limiter.peek('a', 0)).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('take nothing for a refusal when two requests meet', async () => {
      const limiter = fixture.counters.limiter(newLimit(10));
      const [first, second] = await Promise.all([limiter.consume('a', 6), limiter.consume('a', 6)]);
      expect(first).toMatchObject({ allowed: true, remaining: 4 });
      expect(second).toMatchObject({ allowed: false, remaining: 4 });
      expect(await limiter.consume('a', 4)).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('peek at what a request would meet and spend nothing', async () => {
      const limiter = fixture.counters.limiter(newLimit(3));
      const fresh = await limiter.peek('a');
      expect(fresh).toMatchObject({ allowed: true, remaining: 2 });
      expectReset(fresh.resetMs, WINDOW_MS);
      await limiter.consume('a', 2);
      for (let i = 0; i < 3; i++) {
        expect(await limiter.peek('a')).toMatchObject({ allowed: true, remaining: 0 });
      }
      expect(await limiter.peek('a', 2)).toMatchObject({ allowed: false, remaining: 1 });
    });

    it('let what costs nothing through, and open no window for it', async () => {
      const limiter = fixture.counters.limiter(newLimit(3));
      expect(await limiter.peek('a', 0)).toMatchObject({ allowed: true, remaining: 3 });
      await limiter.consume('a', 3);
      expect(await limiter.peek('a', 0)).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('go on when a limiter is made again, as a reload does', async () => {
      const limit = newLimit(3);
      await fixture.counters.limiter(limit).consume('a', 2);
      const again = fixture.counters.limiter({ ...limit });
      expect(await again.consume('a')).toMatchObject({ allowed: true, remaining: 0 });
      expect((await again.consume('a')).allowed).toBe(false);
    });

    it('go on under new points, while the limiter from before still decides by its own', async () => {
      const limit = newLimit(3);
      const before = fixture.counters.limiter(limit);
      await before.consume('a', 3);
      const after = fixture.counters.limiter({ ...limit, points: 5 });
      expect(await after.consume('a')).toMatchObject({ allowed: true, remaining: 1 });
      expect((await before.consume('a')).allowed).toBe(false);
      const stricter = fixture.counters.limiter({ ...limit, points: 2 });
      expect(await stricter.consume('a')).toMatchObject({ allowed: false, remaining: 0 });
      expect(await after.consume('a')).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('are decided on by the points of each limiter, also when requests meet', async () => {
      const limit = newLimit(5);
      const lenient = fixture.counters.limiter(limit);
      const strict = fixture.counters.limiter({ ...limit, points: 1 });
      const verdicts = await Promise.all(
        [lenient, strict, lenient, strict].map(async (limiter) => limiter.consume('a')),
      );
      expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, false, true, false]);
    });

    it('are apart for another name or window', async () => {
      const limit = newLimit(1);
      await fixture.counters.limiter(limit).consume('a');
      for (const other of [newLimit(1), { ...limit, windowMs: 1000 }]) {
        expect((await fixture.counters.limiter(other).consume('a')).allowed).toBe(true);
      }
    });

    it('have windows of less than a second, and of a month', async () => {
      const short = fixture.counters.limiter(newLimit(1, { windowMs: 800 }));
      expect((await short.consume('a')).resetMs).toBeLessThanOrEqual(800);
      await fixture.pass(800);
      expect(await short.consume('a')).toMatchObject({ allowed: true, remaining: 0 });
      const monthMs = 30 * 86_400_000;
      const long = fixture.counters.limiter(newLimit(1, { windowMs: monthMs }));
      await long.consume('a');
      await fixture.pass(monthMs - 3_600_000);
      expect((await long.consume('a')).allowed).toBe(false);
      await fixture.pass(3_600_000);
      expect((await long.consume('a')).allowed).toBe(true);
    });

    it('refuse a window of no length', () => {
      expect(() => fixture.counters.limiter(newLimit(1, { windowMs: 0 }))).toThrow(RangeError);
    });
  });
}
