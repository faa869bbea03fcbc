/** What this node sees of its calls, by the service they go to: a few increments a call. */
import { BUCKETS, bucketOf } from './latency-buckets.ts';

/** Calls to one service since they were last taken. */
export interface EdgeCounts {
  readonly destination: string;
  readonly calls: number;
  /** Those that ended in a 5xx, or without a whole answer. */
  readonly errors: number;
  /** By `bucketOf` their duration. */
  readonly buckets: ArrayLike<number>;
}

export interface TopologyRecorder {
  /** Bound once by whoever calls the service; several of one destination count as one. */
  edgeTo(destination: string): EdgeRecorder;
  /** Calls that others have counted for this node. */
  add(edges: readonly EdgeCounts[]): void;
  /** What was counted since the last time, one entry for each destination that was called. */
  take(): readonly EdgeCounts[];
}

/** Hears of every call once, when it is over: retries and hedges are part of it. */
export class EdgeRecorder {
  readonly destination: string;
  calls = 0;
  errors = 0;
  readonly buckets = new Uint32Array(BUCKETS);
  /** Where it puts itself at its first call, so that one that is idle or let go of costs nothing. */
  readonly #active: EdgeRecorder[];

  constructor(destination: string, active: EdgeRecorder[]) {
    this.destination = destination;
    this.#active = active;
  }

  record(durationMs: number, failed: boolean): void {
    if (this.calls++ === 0) this.#active.push(this);
    if (failed) this.errors++;
    this.buckets[bucketOf(durationMs)]!++;
  }

  reset(): void {
    this.calls = 0;
    this.errors = 0;
    this.buckets.fill(0);
  }
}

export function createTopologyRecorder(): TopologyRecorder {
  const active: EdgeRecorder[] = [];
  let sums = new Map<string, Sum>();

  function add({ destination, calls, errors, buckets }: EdgeCounts): void {
    const known = sums.get(destination);
    if (known === undefined) {
      sums.set(destination, { destination, calls, errors, buckets: Float64Array.from(buckets) });
      return;
    }
    known.calls += calls;
    known.errors += errors;
    known.buckets = addBuckets(known.buckets, buckets);
  }

  return {
    edgeTo: (destination) => new EdgeRecorder(destination, active),
    add(edges) {
      for (const edge of edges) add(edge);
    },
    take() {
      for (const edge of active.splice(0)) {
        add(edge);
        edge.reset();
      }
      const taken = [...sums.values()];
      sums = new Map();
      return taken;
    },
  };
}

/** Of one destination, until it is taken. */
type Sum = { -readonly [Key in keyof EdgeCounts]: EdgeCounts[Key] };

/** The same buckets of two, added up. */
export function addBuckets(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const sum = new Float64Array(BUCKETS);
  for (let i = 0; i < BUCKETS; i++) sum[i] = (a[i] ?? 0) + (b[i] ?? 0);
  return sum;
}
