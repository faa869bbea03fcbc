/** Rate-limit counters that all nodes share, in the Redis of the backplane. */
import type { Clock, Counters, LimiterOptions, Log } from '../../plugins/sdk/plugin-context.ts';
import { assertNamespace } from '../backplane/redis/keys.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import { createExactLimiter } from './exact-limiter.ts';
import { createFallbackLimiter } from './fallback-limiter.ts';
import { Leases } from './leased-limiter.ts';
import { createMemoryCounters, DEFAULT_MAX_KEYS } from './memory-counters.ts';
import { SharedStore, type LimitsBackplane } from './shared-store.ts';
import { SweepRound } from './sweep-round.ts';

const ANSWER_WITHIN_MS = 20;

export interface SharedCountersOptions {
  readonly backplane: LimitsBackplane;
  /** Begins every key. Default `meshgate`. */
  readonly namespace?: string | undefined;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  /** Nodes that share the limits, this one included. Asked for each batch and each fallback. */
  readonly liveNodes: () => number;
  /** Keys that one limiter holds at once on this node. Default 100,000. */
  readonly maxKeysPerLimiter?: number | undefined;
  /** A request waits no longer for Redis. Default 20. */
  readonly answerWithinMs?: number | undefined;
  readonly schedule?: Schedule | undefined;
}

export interface SharedCounters extends Counters {
  /** Keys held here of leased limiters; the counts themselves are in Redis. */
  readonly keys: number;
  /** Keys let go before their window ended for want of room; their points in hand are lost to all. */
  readonly evictions: number;
  /** How often Redis was asked. */
  readonly asks: number;
  /** Who still waits goes by the fallback. The backplane is left open. */
  close(): void;
}

/**
 * Limiters of the same name and window share their counts, on all nodes, over reloads and
 * restarts, whatever their points and modes. Windows are fixed, begin with a key's first
 * request, and end by the clock of Redis.
 */
export function createSharedCounters(options: SharedCountersOptions): SharedCounters {
  const { backplane, clock, random, log, maxKeysPerLimiter = DEFAULT_MAX_KEYS } = options;
  const { namespace = 'meshgate', schedule = scheduleTimer } = options;
  const { answerWithinMs = ANSWER_WITHIN_MS } = options;
  assertNamespace(namespace);
  const monotonic = (): number => clock.monotonic();
  // A count of nodes that is none must not make limits endless.
  const liveNodes = (): number => Math.max(1, Math.floor(options.liveNodes()) || 1);
  const local = createMemoryCounters({ clock, maxKeysPerLimiter });
  const round = new SweepRound();
  const storeOptions = { backplane, namespace, monotonic, random, log, schedule, answerWithinMs };
  const store = new SharedStore(storeOptions);
  const environment = { store, round, monotonic, liveNodes, maxKeys: maxKeysPerLimiter };
  const leasesById = new Map<string, Leases>();

  function leasesOf(id: string, windowMs: number): Leases {
    let leases = leasesById.get(id);
    if (leases === undefined) {
      leases = new Leases(id, windowMs, environment);
      leasesById.set(id, leases);
    }
    return leases;
  }

  return {
    limiter(limiter: LimiterOptions) {
      const { name, windowMs, mode = 'leased' } = limiter;
      if (!(windowMs > 0)) throw new RangeError('windowMs must be above 0');
      const fallback = createFallbackLimiter(limiter, local, liveNodes);
      const id = `${windowMs}:${name}`;
      if (mode === 'exact') return createExactLimiter(limiter, id, store, fallback);
      return leasesOf(id, windowMs).limiter(limiter, fallback);
    },
    get keys() {
      return round.keys;
    },
    get evictions() {
      return round.evictions;
    },
    get asks() {
      return store.asks;
    },
    close: () => store.close(),
  };
}
