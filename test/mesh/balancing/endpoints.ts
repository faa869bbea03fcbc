/** Endpoints and chance for the balancing tests. */
import { createEndpoint, type Endpoint, type EndpointSpec } from '../../../src/mesh/endpoint.ts';
import type { BalancingPolicy } from '../../../src/mesh/balancing/policy.ts';
import { NO_HINT } from '../../../src/mesh/balancing/policy.ts';

export function endpoint(id: string, spec: Partial<EndpointSpec> = {}): Endpoint {
  return createEndpoint({ id, host: id, port: 80, weight: 1, metadata: {}, ...spec }, 0);
}

/** `weighted({ a: 5, b: 1 })` */
export function weighted(weights: Readonly<Record<string, number>>): Endpoint[] {
  return Object.entries(weights).map(([id, weight]) => endpoint(id, { weight }));
}

/** Says the given numbers in turn; one more is an error. */
export function sequence(...values: number[]): () => number {
  return () => {
    const value = values.shift();
    if (value === undefined) throw new Error('drawn more often than expected');
    return value;
  };
}

/** The same numbers on every run, uniform in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Ids of the next picks, joined. */
export function picks(
  policy: Pick<BalancingPolicy, 'pick'>,
  count: number,
  hint = NO_HINT,
): string {
  return Array.from({ length: count }, () => policy.pick(hint)?.id ?? '-').join(' ');
}

/** How often each id comes in so many picks. */
export function tally(
  policy: Pick<BalancingPolicy, 'pick'>,
  count: number,
  hint = NO_HINT,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < count; i += 1) {
    const id = policy.pick(hint)?.id ?? '-';
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}
