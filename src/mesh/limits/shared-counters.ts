/** Rate-limit counters that all nodes share in one Redis, or all workers of a node in one process. */
import type { Clock, LimiterOptions, Log } from '../../plugins/sdk/plugin-context.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import { createExactLimiter } from './exact-limiter.ts';
import { createFallbackLimiter } from './fallback-limiter.ts';
import type { HeldCounters } from './held-limiter.ts';
import { Leases } from './leased-limiter.ts';
import { LimiterStores } from './limiter-stores.ts';
import { createMemoryCounters, DEFAULT_MAX_KEYS } from './memory-counters.ts';
import type { LimitWindows } from './limit-windows.ts';
import { SharedStore } from './shared-store.ts';
import { SweepRound } from './sweep-round.ts';

const ANSWER_WITHIN_MS = 20;

export interface SharedCountersOptions {
  /** Whoever counts for all who share; stays its owner's. */
  readonly windows: LimitWindows;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  /** Processes that share the limits, this one included. Asked for each batch and each fallback. */
  readonly liveNodes: () => number;
  /** Keys that one limiter holds at once on this node. Default 100,000. */
  readonly maxKeysPerLimiter?: number | undefined;
  /** A request waits no longer for an answer. Default 20. */
  readonly answerWithinMs?: number | undefined;
  readonly schedule?: Schedule | undefined;
}

export interface SharedCounters extends HeldCounters {
  /** Keys held here of leased limiters; the counts themselves are in the windows. */
  readonly keys: number;
  /** Keys let go before their window ended for want of room; their points in hand are lost to all. */
  readonly evictions: number;
  /** Names and windows that points are drawn for: those of limiters in use, and of open windows. */
  readonly size: number;
  /** How often the windows were asked. */
  readonly asks: number;
  /** Who still waits goes by the fallback. */
  close(): void;
}

/**
 * Limiters of the same name and window share their counts, on all nodes, over reloads and
 * restarts, whatever their points and modes. Windows are fixed, begin with a key's first
 * request, and end by the clock of who counts.
 */
export function createSharedCounters(options: SharedCountersOptions): SharedCounters {
  const { windows, clock, random, log, maxKeysPerLimiter = DEFAULT_MAX_KEYS } = options;
  const { answerWithinMs = ANSWER_WITHIN_MS, schedule = scheduleTimer } = options;
  const monotonic = (): number => clock.monotonic();
  // A count of nodes that is none must not make limits endless.
  const liveNodes = (): number => Math.max(1, Math.floor(options.liveNodes()) || 1);
  const local = createMemoryCounters({ clock, maxKeysPerLimiter });
  const round = new SweepRound();
  const store = new SharedStore({ windows, monotonic, random, log, schedule, answerWithinMs });
  const environment = { store, round, monotonic, liveNodes, maxKeys: maxKeysPerLimiter };
  const stores = new LimiterStores<Leases>(round, monotonic);

  return {
    limiter(limiter: LimiterOptions) {
      const { name, windowMs, mode = 'leased' } = limiter;
      if (!(windowMs > 0)) throw new RangeError('windowMs must be above 0');
      const fallback = createFallbackLimiter(limiter, local, liveNodes);
      const id = `${windowMs}:${name}`;
      if (mode === 'exact') {
        const exact = createExactLimiter(limiter, id, store, fallback);
        return { ...exact, release: () => fallback.release() };
      }
      const leases = stores.hold(id, () => new Leases(id, windowMs, environment));
      return {
        ...leases.limiter(limiter, fallback),
        release() {
          fallback.release();
          stores.release(id);
        },
      };
    },
    get keys() {
      return round.keys;
    },
    get evictions() {
      return round.evictions;
    },
    get size() {
      return stores.size;
    },
    get asks() {
      return store.asks;
    },
    close: () => store.close(),
  };
}
