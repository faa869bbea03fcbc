/** What nobody waits for is asked together, and at once where somebody comes to wait. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Ask, Grant, LimitWindow } from '../../../src/mesh/limits/limit-windows.ts';
import { MemoryWindows } from '../../../src/mesh/limits/memory-windows.ts';
import { createSharedCounters } from '../../../src/mesh/limits/shared-counters.ts';
import type { Limiter } from '../../../src/plugins/sdk/plugin-context.ts';

const POINTS = 1_000;
const LIMIT = { name: 'asking-ahead', points: POINTS, windowMs: 60_000 } as const;

let nowMs = 0;
let asked: string[] = [];
let scheduled: { delayMs: number; run: () => void }[] = [];

class Watched extends MemoryWindows {
  override ask(window: LimitWindow, ask: Ask): Promise<Grant> {
    asked.push(window.key);
    return super.ask(window, ask);
  }
}

function openLimiter(): Limiter {
  const monotonic = (): number => nowMs;
  const counters = createSharedCounters({
    windows: new Watched({ monotonic }),
    clock: { monotonic },
    random: () => 0,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    liveNodes: () => 2,
    schedule(delayMs, run) {
      const one = { delayMs, run };
      scheduled.push(one);
      return () => void (scheduled = scheduled.filter((other) => other !== one));
    },
  });
  return counters.limiter({ ...LIMIT, onUnavailable: 'local' });
}

/** Until each key has a batch of several points in hand. */
async function warmUp(
  limiter: Limiter,
  keys: readonly string[],
  { everyMs = 100, requests = 40 } = {},
): Promise<void> {
  for (let i = 0; i < requests; i++) {
    nowMs += everyMs;
    for (const key of keys) await limiter.consume(key);
    for (const { run } of scheduled) run();
    await new Promise(setImmediate);
  }
  asked = [];
}

/** Spends without waiting until a draw is due. */
function spendToLowWater(limiter: Limiter, keys: readonly string[]): void {
  while (scheduled.length === 0) {
    nowMs += 100;
    for (const key of keys) expect(limiter.consume(key)).not.toBeInstanceOf(Promise);
  }
}

describe('a leased limit that draws ahead', () => {
  beforeEach(() => {
    nowMs = 0;
    asked = [];
    scheduled = [];
  });

  it('asks for several keys together, a moment later', async () => {
    const limiter = openLimiter();
    const keys = ['a', 'b', 'c'];
    await warmUp(limiter, keys);
    spendToLowWater(limiter, keys);
    expect(asked).toEqual([]);
    expect(scheduled.map(({ delayMs }) => delayMs)).toEqual([10]);
    scheduled[0]!.run();
    expect(asked).toEqual(keys);
    expect(scheduled).toEqual([]);
  });

  it('asks at once where a request has to wait for it', async () => {
    const limiter = openLimiter();
    await warmUp(limiter, ['a', 'b']);
    spendToLowWater(limiter, ['a', 'b']);
    expect(asked).toEqual([]);
    const verdict = limiter.consume('a', 50);
    expect(asked).toEqual(['a', 'b']);
    expect(scheduled).toEqual([]);
    expect(await verdict).toMatchObject({ allowed: true });
  });

  it('asks at once where the points in hand will not last', async () => {
    const limiter = openLimiter();
    await warmUp(limiter, ['a'], { everyMs: 0.1, requests: 200 });
    while (asked.length === 0 && scheduled.length === 0) {
      nowMs += 0.1;
      expect(limiter.consume('a')).not.toBeInstanceOf(Promise);
    }
    expect([asked, scheduled]).toEqual([['a'], []]);
  });
});
