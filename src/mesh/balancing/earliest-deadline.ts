/** Earliest deadline first: a weighted schedule whose weights may change from pick to pick. */
import type { Endpoint } from '../endpoint.ts';

interface Entry {
  readonly endpoint: Endpoint;
  deadline: number;
  /** When it was scheduled, for first-in-first-out on ties. */
  order: number;
}

export interface EarliestDeadline {
  update(endpoints: readonly Endpoint[]): void;
  pick(exclude: readonly Endpoint[]): Endpoint | undefined;
  /** What `pick` would return. */
  peek(exclude: readonly Endpoint[]): Endpoint | undefined;
}

/** Long before a double runs out of the digits that 1/weight needs. */
const REBASE_ABOVE = 1e6;

/**
 * The earliest deadline is picked and scheduled anew at now + 1/weight, where "now" is the
 * deadline just met. Source: Envoy, EdfScheduler. A scan stands in for Envoy's heap: lists
 * are short, and a request's exclusions fit in.
 */
export function createEarliestDeadline(weightOf: (endpoint: Endpoint) => number): EarliestDeadline {
  let entries: Entry[] = [];
  let now = 0;
  let orders = 0;

  function earliest(exclude: readonly Endpoint[]): Entry | undefined {
    let best: Entry | undefined;
    for (const entry of entries) {
      if (exclude.length > 0 && exclude.includes(entry.endpoint)) continue;
      if (
        best === undefined ||
        entry.deadline < best.deadline ||
        (entry.deadline === best.deadline && entry.order < best.order)
      ) {
        best = entry;
      }
    }
    return best;
  }

  function rebase(): void {
    for (const entry of entries) entry.deadline -= now;
    now = 0;
  }

  return {
    update(endpoints) {
      const before = new Map(entries.map((entry) => [entry.endpoint, entry]));
      entries = endpoints.map((endpoint) => {
        const fresh = now + 1 / weightOf(endpoint);
        const known = before.get(endpoint);
        if (known === undefined) {
          orders += 1;
          return { endpoint, deadline: fresh, order: orders };
        }
        // A deadline from the time of a smaller weight would keep it waiting.
        known.deadline = Math.min(known.deadline, fresh);
        return known;
      });
    },
    pick(exclude) {
      const entry = earliest(exclude);
      if (entry === undefined) return undefined;
      // An endpoint skipped by exclusion may be picked late; time does not go back for it.
      if (entry.deadline > now) now = entry.deadline;
      entry.deadline = now + 1 / weightOf(entry.endpoint);
      orders += 1;
      entry.order = orders;
      if (now > REBASE_ABOVE) rebase();
      return entry.endpoint;
    },
    peek(exclude) {
      return earliest(exclude)?.endpoint;
    },
  };
}
