/** The endpoint of a key: what the hashing policies have in common once their table stands. */
import type { Endpoint } from '../endpoint.ts';
import type { PickHint } from './policy.ts';

/** Places that a key leads to, in a circle; each belongs to an endpoint. */
export interface HashTable {
  readonly size: number;
  /** The place of a 53-bit hash. */
  placeOf(hash: number): number;
  ownerOf(place: number): Endpoint;
}

/** What is chosen, and how it came to be. */
export type OnChosen = (how: 'own' | 'next' | 'random') => void;

const HASHES = 2 ** 53;

/**
 * The owner of the key's place, or, where that one is excluded or over its bound, of the next
 * place with another owner. A request without a key goes anywhere. Allocates nothing.
 */
export function chooseByHash(
  table: HashTable,
  endpoints: readonly Endpoint[],
  { hash, exclude }: PickHint,
  random: () => number,
  balanceFactor: number | undefined,
  onChosen?: OnChosen,
): Endpoint | undefined {
  if (table.size === 0) return undefined;
  const key = hash ?? Math.floor(random() * HASHES);
  const start = table.placeOf(key);
  const home = table.ownerOf(start);
  if (exclude.length === 0 && (balanceFactor === undefined || home.active === 0)) {
    onChosen?.(hash === undefined ? 'random' : 'own');
    return home;
  }
  const slots = balanceFactor === undefined ? Infinity : slotsPerWeight(endpoints, balanceFactor);
  let spare: Endpoint | undefined;
  for (let i = 0; i < table.size; i++) {
    const place = start + i < table.size ? start + i : start + i - table.size;
    const owner = table.ownerOf(place);
    if (exclude.includes(owner)) continue;
    spare ??= owner;
    if (owner.active >= Math.ceil(slots * owner.effectiveWeight)) continue;
    onChosen?.(hash === undefined ? 'random' : owner === home ? 'own' : 'next');
    return owner;
  }
  if (spare !== undefined) onChosen?.('next');
  return spare;
}

/**
 * Consistent hashing with bounded loads: nobody takes more than `balanceFactor` times its part
 * of what is in flight, the request to come included. Source: V. Mirrokni, M. Thorup,
 * M. Zadimoghaddam, arXiv:1608.01350.
 */
function slotsPerWeight(endpoints: readonly Endpoint[], balanceFactor: number): number {
  let active = 1;
  let weight = 0;
  for (const endpoint of endpoints) {
    active += endpoint.active;
    weight += endpoint.effectiveWeight;
  }
  return (balanceFactor * active) / weight;
}

/** Whether a table made of the one list serves the other as well. */
export function isSameTable(
  before: readonly { readonly endpoint: Endpoint; readonly weight: number }[],
  endpoints: readonly Endpoint[],
): boolean {
  return (
    before.length === endpoints.length &&
    before.every(({ endpoint, weight }, i) => {
      return endpoint === endpoints[i] && weight === endpoint.effectiveWeight;
    })
  );
}
