/** What a node holds of one key. */
import { describe, expect, it } from 'vitest';
import { LeasedKey } from '../../../src/mesh/limits/leased-key.ts';

const WINDOW_MS = 60_000;

function createKey(granted: number, spent: number): LeasedKey {
  const held = new LeasedKey('caller', 0, WINDOW_MS);
  held.take({ granted, spent, endsInMs: 50_000 }, 1_000);
  return held;
}

describe('a leased key', () => {
  it('knows nothing before Redis has answered, and nothing after the window', () => {
    expect(new LeasedKey('a', 0, WINDOW_MS).decide(10, 1, 0)).toBeUndefined();
    const held = createKey(5, 5);
    expect(held.decide(10, 1, 50_999)).toMatchObject({ allowed: true, resetMs: 1 });
    expect(held.decide(10, 1, 51_000)).toBeUndefined();
    expect(held.peek(10, 1, 51_000)).toBeUndefined();
  });

  it('spends what it holds, tells what is left for all, and asks when it needs more', () => {
    const held = createKey(2, 42);
    expect(held.decide(100, 1, 2_000)).toEqual({ allowed: true, remaining: 59, resetMs: 49_000 });
    expect(held.decide(100, 1, 2_000)).toMatchObject({ allowed: true, remaining: 58 });
    expect(held.decide(100, 1, 2_000)).toBeUndefined();
  });

  it('refuses only what no answer of Redis could let through', () => {
    const held = createKey(2, 98);
    expect(held.decide(100, 5, 2_000)).toMatchObject({ allowed: false, remaining: 4 });
    expect(held.decide(100, 4, 2_000)).toBeUndefined();
    expect(held.decide(100, 2, 2_000)).toMatchObject({ allowed: true, remaining: 2 });
  });

  it('goes by the limit of who asks, where one name has several', () => {
    const held = createKey(10, 50);
    expect(held.decide(40, 1, 2_000)).toMatchObject({ allowed: false, remaining: 0 });
    expect(held.decide(41, 1, 2_000)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('leaves the points in hand behind where Redis is in another window', () => {
    const later = createKey(30, 30);
    later.take({ granted: 1, spent: 80, endsInMs: WINDOW_MS }, 51_500);
    expect(later.peek(100, 0, 52_000)).toMatchObject({ remaining: 21 });
    const emptied = createKey(30, 30);
    // The count fell, so this window is not the one that the points are of.
    emptied.take({ granted: 1, spent: 1, endsInMs: WINDOW_MS }, 2_000);
    expect(emptied.decide(100, 2, 3_000)).toBeUndefined();
  });

  it('adds up what is drawn in one window, and ends it no later than Redis may', () => {
    const held = createKey(2, 2);
    expect(held.take({ granted: 3, spent: 10, endsInMs: 49_000 }, 1_990)).toBe(false);
    expect(held.decide(100, 5, 50_999)).toMatchObject({ allowed: true });
    expect(held.endsAtMs).toBe(51_000);
  });

  it('draws ahead below a quarter of a batch, unless it does already or nothing is left', () => {
    const held = createKey(40, 60);
    held.decide(100, 30, 2_000);
    expect(held.wantsDrawAhead(100)).toBe(false);
    held.decide(100, 1, 2_000);
    expect(held.wantsDrawAhead(100)).toBe(true);
    expect(held.wantsDrawAhead(60)).toBe(false);
    held.isAsking = true;
    expect(held.wantsDrawAhead(100)).toBe(false);
  });

  it('asks for what waits less what it holds, and at least for what the first needs', () => {
    const held = createKey(2, 2);
    for (const cost of [5, 4]) {
      held.waiting.push({ cost, points: 100, isSettled: false, resolve() {}, onDue() {} });
    }
    expect(held.toAsk(100, 4, 2_000)).toEqual({ wanted: 7, least: 3, limit: 100 });
  });

  it('counts refused requests as demand, which the next window will meet', () => {
    const held = createKey(0, 100);
    // In a minute: some 60 of them are recent.
    for (let i = 0; i < 500; i++) held.decide(100, 1, 50_900);
    expect(held.toAsk(100, 4, 51_000)).toEqual({ wanted: 25, least: 1, limit: 100 });
  });

  it('asks for nothing where nobody waits and nothing was spent lately', () => {
    expect(createKey(1, 1).toAsk(100, 4, 2_000)).toBeUndefined();
  });

  it('lasts as long as requests come as they have', () => {
    const held = createKey(20, 20);
    held.toAsk(100, 4, 2_000);
    for (let i = 0; i < 10; i++) held.decide(100, 1, 2_500);
    // 10 left, and the next one would wait: 11 at 10 a second.
    expect(held.lastsMs(3_000)).toBe(1_100);
  });
});
