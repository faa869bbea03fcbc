/** How much of a node's traffic goes to each zone: a pure rule of numbers. */

export interface ZoneCapacity {
  readonly zone: string;
  /** Weight of its endpoints that are well; 0 is possible. */
  readonly capacity: number;
}

/** Below so many endpoints a zone is too few of them to carry its callers evenly (Envoy's default). */
export const MIN_ZONE_AWARE_ENDPOINTS = 6;

/**
 * Callers are taken to be spread evenly over the zones. A zone that has its even part of the
 * capacity keeps all its traffic; one with less keeps as much as it can carry, and what is
 * missing goes to the zones with capacity to spare, in proportion to it. Shares are in the
 * order of `zones` and make 1 together. Source: Envoy, "Zone aware routing".
 *
 * Undefined where zones can tell nothing: the own one has no endpoint, or there is no other.
 */
export function zoneShares(
  own: string,
  zones: readonly ZoneCapacity[],
): readonly number[] | undefined {
  const total = zones.reduce((sum, { capacity }) => sum + capacity, 0);
  const here = zones.find(({ zone }) => zone === own);
  if (here === undefined || here.capacity === 0 || zones.length < 2) return undefined;
  const even = total / zones.length;
  const kept = Math.min(1, here.capacity / even);
  const spare = zones.map((one) => (one === here ? 0 : Math.max(0, one.capacity - even)));
  const allSpare = spare.reduce((sum, one) => sum + one, 0);
  return zones.map((one, i) => {
    if (one === here) return kept;
    return allSpare === 0 ? 0 : ((1 - kept) * spare[i]!) / allSpare;
  });
}
