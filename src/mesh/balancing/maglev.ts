/** maglev: a table that every endpoint fills in an order of its own; a look-up is one division. */
import type { Endpoint } from '../endpoint.ts';
import type { HashTable } from './hash-choice.ts';
import { createHashPolicy, type HashPolicyOptions } from './hash-policy.ts';
import type { BalancingPolicy } from './policy.ts';
import { xxHash64 } from './xxhash64.ts';

/** A prime, so that every step reaches every place; the paper's small table, and Envoy's. */
const MAGLEV_PLACES = 65_537;

interface Filling {
  readonly endpoint: Endpoint;
  readonly index: number;
  /** Among the heaviest's. */
  readonly weight: number;
  readonly skip: number;
  place: number;
  target: number;
}

const EMPTY = -1;

/**
 * In each round every endpoint whose weight has come due takes the next free place of its
 * permutation. Source: D. Eisenbud et al., "Maglev" (NSDI 2016), with Envoy's weights.
 */
export function createMaglevTable(endpoints: readonly Endpoint[]): HashTable {
  const places = new Int32Array(endpoints.length === 0 ? 0 : MAGLEV_PLACES).fill(EMPTY);
  // By id, so that nodes that learned of them in another order fill alike.
  const fillings = endpoints
    .map((endpoint, index) => toFilling(endpoint, index))
    .sort((a, b) => (a.endpoint.id < b.endpoint.id ? -1 : 1));
  const heaviest = fillings.reduce((most, { weight }) => Math.max(most, weight), 0);
  let free = places.length;
  for (let round = 1; free > 0; round++) {
    for (const filling of fillings) {
      if (free === 0) break;
      if (round * filling.weight < filling.target) continue;
      filling.target += heaviest;
      takeNextFree(places, filling);
      free--;
    }
  }
  return {
    size: places.length,
    placeOf: (hash) => hash % MAGLEV_PLACES,
    ownerOf: (place) => endpoints[places[place]!]!,
  };
}

function toFilling(endpoint: Endpoint, index: number): Filling {
  return {
    endpoint,
    index,
    weight: endpoint.effectiveWeight,
    skip: (xxHash64(endpoint.id, 1) % (MAGLEV_PLACES - 1)) + 1,
    place: xxHash64(endpoint.id) % MAGLEV_PLACES,
    target: 0,
  };
}

function takeNextFree(places: Int32Array, filling: Filling): void {
  while (places[filling.place] !== EMPTY) {
    filling.place += filling.skip;
    if (filling.place >= MAGLEV_PLACES) filling.place -= MAGLEV_PLACES;
  }
  places[filling.place] = filling.index;
}

export function createMaglev(options: HashPolicyOptions): BalancingPolicy {
  return createHashPolicy('maglev', createMaglevTable, options);
}
