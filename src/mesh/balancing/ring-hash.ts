/** ring-hash: endpoints own arcs of a circle of hashes; one more or less moves its own arcs alone. */
import type { Endpoint } from '../endpoint.ts';
import type { HashTable } from './hash-choice.ts';
import { createHashPolicy, type HashPolicyOptions } from './hash-policy.ts';
import type { BalancingPolicy } from './policy.ts';
import { xxHash64 } from './xxhash64.ts';

/** Envoy's default: with fewer entries the arcs differ too much in length. */
const MIN_RING_ENTRIES = 1024;
/** What very unequal weights may cost in memory. */
const MAX_RING_ENTRIES = 65_536;

interface RingEntry {
  readonly hash: number;
  readonly endpoint: Endpoint;
}

/**
 * Entries of each endpoint, in proportion to its weight: so many that the lightest has a whole
 * number of them, and 1024 in all at least. Source: Envoy, RingHashLoadBalancer; but the
 * lightest's number is a power of two here, so that the others seldom get more entries, which
 * take keys from each other, when one of them goes.
 */
export function ringShares(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const least = Math.min(...weights) / total;
  const ceiling = Math.max(MAX_RING_ENTRIES, weights.length);
  const ofLightest = 2 ** Math.ceil(Math.log2(Math.ceil(least * MIN_RING_ENTRIES)));
  const scale = Math.min(ofLightest / least, ceiling);
  let target = 0;
  let given = 0;
  return weights.map((weight) => {
    target += (scale * weight) / total;
    const share = Math.max(0, Math.ceil(target - given - ROUNDING));
    given += share;
    return share;
  });
}

/** A sum of fractions misses the whole number it stands for by so little. */
const ROUNDING = 1e-6;

export function createRing(endpoints: readonly Endpoint[]): HashTable {
  const shares = ringShares(endpoints.map(({ effectiveWeight }) => effectiveWeight));
  const entries: RingEntry[] = [];
  for (const [i, endpoint] of endpoints.entries()) {
    for (let n = 0; n < shares[i]!; n++) {
      entries.push({ hash: xxHash64(`${endpoint.id}_${n}`), endpoint });
    }
  }
  entries.sort((a, b) => a.hash - b.hash);
  const hashes = Float64Array.from(entries, ({ hash }) => hash);
  const owners = entries.map(({ endpoint }) => endpoint);
  return {
    size: owners.length,
    placeOf(hash) {
      let from = 0;
      let to = hashes.length;
      while (from < to) {
        const middle = (from + to) >>> 1;
        if (hashes[middle]! < hash) from = middle + 1;
        else to = middle;
      }
      return from === hashes.length ? 0 : from;
    },
    ownerOf: (place) => owners[place]!,
  };
}

export function createRingHash(options: HashPolicyOptions): BalancingPolicy {
  return createHashPolicy('ring-hash', createRing, options);
}
