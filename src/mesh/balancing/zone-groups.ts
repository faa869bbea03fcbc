/** Splits the endpoints of a priority by zone, where that is wanted and of use. */
import { zoneOf, type Endpoint } from '../endpoint.ts';
import { MIN_ZONE_AWARE_ENDPOINTS, zoneShares } from './zone-shares.ts';

/** Endpoints that share a policy, and how much of the traffic goes to them. */
export interface EndpointGroup {
  /** Undefined: of all zones. */
  readonly zone: string | undefined;
  readonly share: number;
  readonly eligible: readonly Endpoint[];
}

/** For endpoints that do not say where they are. */
const NOWHERE = '';

/**
 * `usable`: all that might serve if they were well; `eligible`: those that do. One group where
 * there are fewer than six, and where zones can tell nothing.
 */
export function toZoneGroups(
  own: string | undefined,
  usable: readonly Endpoint[],
  eligible: readonly Endpoint[],
): readonly EndpointGroup[] {
  const whole: EndpointGroup = { zone: undefined, share: 1, eligible };
  if (own === undefined || usable.length < MIN_ZONE_AWARE_ENDPOINTS) return [whole];
  const zoneNames = new Set(usable.map(({ spec }) => zoneOf(spec) ?? NOWHERE));
  const byZone = Map.groupBy(eligible, ({ spec }) => zoneOf(spec) ?? NOWHERE);
  const zones = [...zoneNames].map((zone) => {
    const members = byZone.get(zone) ?? [];
    const capacity = members.reduce((sum, { effectiveWeight }) => sum + effectiveWeight, 0);
    return { zone, capacity, members };
  });
  const shares = zoneShares(own, zones);
  if (shares === undefined) return [whole];
  return zones.flatMap(({ zone, members }, i) =>
    members.length === 0 ? [] : [{ zone, share: shares[i]!, eligible: members }],
  );
}
