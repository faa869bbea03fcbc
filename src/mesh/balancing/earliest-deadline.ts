/** Earliest deadline first: a weighted schedule whose weights may change from pick to pick. */
import type { Endpoint } from '../endpoint.ts';

interface Entry {
  readonly endpoint: Endpoint;
  deadline: number;
  /** When it was scheduled, for first-in-first-out on ties. */
  order: number;
  /** Where it stands in the heap. */
  index: number;
}

export interface EarliestDeadline {
  update(endpoints: readonly Endpoint[]): void;
  pick(exclude: readonly Endpoint[]): Endpoint | undefined;
  /** What `pick` would return. */
  peek(exclude: readonly Endpoint[]): Endpoint | undefined;
}

/** Long before a double runs out of the digits that 1/weight needs. */
const REBASE_ABOVE = 1e6;

function isBefore(a: Entry, b: Entry): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
}

/** Moves an entry whose deadline has grown down to its place. */
function sink(heap: Entry[], entry: Entry): void {
  let at = entry.index;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    const below = heap[child]!;
    if (isBefore(entry, below)) break;
    heap[at] = below;
    below.index = at;
    at = child;
  }
  heap[at] = entry;
  entry.index = at;
}

/**
 * The earliest deadline is picked and scheduled anew at now + 1/weight, where "now" is the
 * deadline just met. Source: Envoy, EdfScheduler.
 */
export function createEarliestDeadline(weightOf: (endpoint: Endpoint) => number): EarliestDeadline {
  let heap: Entry[] = [];
  let now = 0;
  let orders = 0;

  /** Only retries exclude, so a scan is good enough for them. */
  function earliest(exclude: readonly Endpoint[]): Entry | undefined {
    if (exclude.length === 0) return heap[0];
    let best: Entry | undefined;
    for (const entry of heap) {
      if (exclude.includes(entry.endpoint)) continue;
      if (best === undefined || isBefore(entry, best)) best = entry;
    }
    return best;
  }

  /** Takes the same from all, which changes nobody's place. */
  function rebase(): void {
    for (const entry of heap) entry.deadline -= now;
    now = 0;
  }

  return {
    update(endpoints) {
      const before = new Map(heap.map((entry) => [entry.endpoint, entry]));
      heap = endpoints.map((endpoint, index) => {
        const fresh = now + 1 / weightOf(endpoint);
        const known = before.get(endpoint);
        if (known === undefined) {
          orders += 1;
          return { endpoint, deadline: fresh, order: orders, index };
        }
        // A deadline from the time of a smaller weight would keep it waiting.
        known.deadline = Math.min(known.deadline, fresh);
        known.index = index;
        return known;
      });
      for (let i = (heap.length >>> 1) - 1; i >= 0; i--) sink(heap, heap[i]!);
    },
    pick(exclude) {
      const entry = earliest(exclude);
      if (entry === undefined) return undefined;
      // An endpoint skipped by exclusion may be picked late; time does not go back for it.
      if (entry.deadline > now) now = entry.deadline;
      entry.deadline = now + 1 / weightOf(entry.endpoint);
      orders += 1;
      entry.order = orders;
      sink(heap, entry);
      if (now > REBASE_ABOVE) rebase();
      return entry.endpoint;
    },
    peek(exclude) {
      return earliest(exclude)?.endpoint;
    },
  };
}
