/** Rate-limit counters in this process's memory, whose windows the monotonic clock ends. */
import type { Clock, LimitVerdict } from '../../plugins/sdk/plugin-context.ts';
import type { HeldCounters, HeldLimiter } from './held-limiter.ts';
import { KeyWindows } from './key-windows.ts';
import { LimiterStores } from './limiter-stores.ts';
import { SweepRound } from './sweep-round.ts';

export interface MemoryCountersOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Keys that one limiter holds at once; one more evicts the oldest window. Default 100,000. */
  readonly maxKeysPerLimiter?: number;
}

export interface MemoryCounters extends HeldCounters {
  /** Names and windows that are counted for: those of limiters in use, and of open windows. */
  readonly size: number;
  /** Keys held by all limiters. */
  readonly keys: number;
  /** Windows that were closed before their end for want of room; such a key starts with all its points again. */
  readonly evictions: number;
}

/** The windows of one name and length, shared by every limiter made for them. */
interface Store {
  readonly windows: KeyWindows;
}

export const DEFAULT_MAX_KEYS = 100_000;

/**
 * Counters that outlive what is reloaded: limiters of the same name and window share their counts,
 * also when their points differ, or when one is released before the next is made.
 *
 * rate-limiter-flexible, which counts on Redis, is not asked here: its memory limiter arms one timer a
 * key, takes windows from `Date.now()` (an hour forward ends them all), loses windows beyond 24.8 days (a
 * timer that long fires at once), holds keys without bound, and answers by promise only, which
 * cost a request more than the count.
 */
export function createMemoryCounters(options: MemoryCountersOptions): MemoryCounters {
  const { clock, maxKeysPerLimiter = DEFAULT_MAX_KEYS } = options;
  if (!(maxKeysPerLimiter >= 1)) throw new RangeError('maxKeysPerLimiter must be at least 1');
  const round = new SweepRound();
  const stores = new LimiterStores<Store>(round, () => clock.monotonic());

  return {
    limiter({ name, points, windowMs }) {
      if (!(windowMs > 0)) throw new RangeError('windowMs must be above 0');
      const id = `${windowMs} ${name}`;
      const store = stores.hold(id, () => ({
        windows: new KeyWindows(windowMs, maxKeysPerLimiter),
      }));
      const release = (): void => stores.release(id);
      return createLimiter(store, { points, windowMs }, { clock, round, release });
    },
    get size() {
      return stores.size;
    },
    get keys() {
      return round.keys;
    },
    get evictions() {
      return round.evictions;
    },
  };
}

interface Surroundings {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly round: SweepRound;
  readonly release: () => void;
}

function createLimiter(
  { windows }: Store,
  { points, windowMs }: { readonly points: number; readonly windowMs: number },
  { clock, round, release }: Surroundings,
): HeldLimiter {
  return {
    release,
    consume(key, cost = 1) {
      const nowMs = clock.monotonic();
      const window = windows.find(key, nowMs) ?? round.open(windows, key, nowMs);
      const resetMs = window.endsAtMs - nowMs;
      // What is refused is not spent, else one dear request would use up what cheap ones may still have.
      if (window.spent + cost > points) return refused(points, window.spent, resetMs);
      window.spent += cost;
      return { allowed: true, remaining: points - window.spent, resetMs };
    },
    peek(key, cost = 1) {
      const nowMs = clock.monotonic();
      const window = windows.find(key, nowMs);
      const spent = window?.spent ?? 0;
      const resetMs = window === undefined ? windowMs : window.endsAtMs - nowMs;
      if (spent + cost > points) return refused(points, spent, resetMs);
      return { allowed: true, remaining: points - spent - cost, resetMs };
    },
  };
}

function refused(points: number, spent: number, resetMs: number): LimitVerdict {
  return { allowed: false, remaining: Math.max(0, points - spent), resetMs };
}
