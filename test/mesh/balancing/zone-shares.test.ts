import { describe, expect, it } from 'vitest';
import { createBalancer, type Balancer } from '../../../src/mesh/balancing/balancer.ts';
import { NO_HINT } from '../../../src/mesh/balancing/policy.ts';
import { zoneShares } from '../../../src/mesh/balancing/zone-shares.ts';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { endpoint, seeded, tally } from './endpoints.ts';

function shares(own: string, capacities: Readonly<Record<string, number>>) {
  const zones = Object.entries(capacities).map(([zone, capacity]) => ({ zone, capacity }));
  return zoneShares(own, zones)?.map((share) => Math.round(share * 1000) / 1000);
}

describe('shares of zones', () => {
  it('keeps all in a zone that has its even part of the capacity, or more', () => {
    expect(shares('a', { a: 4, b: 4, c: 4 })).toEqual([1, 0, 0]);
    expect(shares('a', { a: 9, b: 1 })).toEqual([1, 0]);
  });

  it('spills what is missing over the zones that have capacity to spare, in proportion to it', () => {
    // Even parts are 10/3; a carries 2 of it, b and c have 2/3 to spare each.
    expect(shares('a', { a: 2, b: 4, c: 4 })).toEqual([0.6, 0.2, 0.2]);
    // Even parts are 4; b has 1 to spare and c 2.
    expect(shares('a', { a: 1, b: 5, c: 6 })).toEqual([0.25, 0.25, 0.5]);
  });

  it('gives nothing to another zone that is short itself', () => {
    expect(shares('a', { a: 1, b: 2, c: 6 })).toEqual([0.333, 0, 0.667]);
  });

  it('has nothing to say where the own zone is empty, unknown or the only one', () => {
    expect(shares('a', { a: 0, b: 2 })).toBeUndefined();
    expect(shares('z', { a: 1, b: 2 })).toBeUndefined();
    expect(shares('a', { a: 1 })).toBeUndefined();
  });
});

function inZones(...zones: readonly string[]): Endpoint[] {
  return zones.map((zone, i) => endpoint(`${zone}${i}`, { metadata: { zone } }));
}

function zoneAware(endpoints: readonly Endpoint[], zone: string | undefined = 'a'): Balancer {
  const random = seeded(7);
  const options = { policy: 'round-robin', random, monotonic: () => 0, zoneAware: true } as const;
  const balancer = createBalancer({ ...options, zone });
  balancer.update(endpoints);
  return balancer;
}

function byZone(counts: Readonly<Record<string, number>>): Record<string, number> {
  const zones: Record<string, number> = {};
  for (const [id, count] of Object.entries(counts)) {
    zones[id[0]!] = (zones[id[0]!] ?? 0) + count;
  }
  return zones;
}

describe('a zone-aware balancer', () => {
  it("prefers the caller's zone while that has capacity", () => {
    const balancer = zoneAware(inZones('a', 'a', 'b', 'b', 'c', 'c'));
    expect(byZone(tally(balancer.subset(), 60))).toEqual({ a: 60 });
    const { pick, considered } = balancer.subset().explain(NO_HINT);
    expect(pick?.reason).toBe('round-robin: its turn among 2, weight 1, in zone a');
    expect(considered.map(({ verdict }) => verdict).slice(2)).toEqual(Array(4).fill('other-zone'));
  });

  it('spills over when endpoints of the zone are out', () => {
    const endpoints = inZones('a', 'a', 'b', 'b', 'c', 'c');
    const balancer = zoneAware(endpoints);
    endpoints[0]!.ejected = true;
    balancer.refresh();
    // One of five is left, where the even part is 5/3.
    const { a = 0, b = 0, c = 0 } = byZone(tally(balancer.subset(), 6000));
    expect(a / 6000).toBeCloseTo(0.6, 1);
    expect(b / 6000).toBeCloseTo(0.2, 1);
    expect(c / 6000).toBeCloseTo(0.2, 1);
  });

  it('is off below six endpoints', () => {
    const balancer = zoneAware(inZones('a', 'b', 'b', 'c', 'c'));
    expect(Object.keys(byZone(tally(balancer.subset(), 5)))).toEqual(['a', 'b', 'c']);
  });

  it('is off where nobody knows where the caller is, and for a hashing policy', () => {
    const endpoints = inZones('a', 'a', 'b', 'b', 'c', 'c');
    const nowhere = zoneAware(endpoints, undefined);
    nowhere.update(endpoints);
    const options = { random: seeded(3), monotonic: () => 0, zoneAware: true };
    const unset = createBalancer({ policy: 'round-robin', ...options });
    unset.update(endpoints);
    expect(byZone(tally(unset.subset(), 6))).toEqual({ a: 2, b: 2, c: 2 });
    const hashing = createBalancer({ policy: 'maglev', ...options, zone: 'a' });
    hashing.update(endpoints);
    expect(Object.keys(byZone(tally(hashing.subset(), 200)))).toHaveLength(3);
  });

  it('goes to another zone for a retry when the own one has been tried through', () => {
    const endpoints = inZones('a', 'b', 'b', 'b', 'b', 'b');
    endpoints[0]!.weight = 20;
    const balancer = zoneAware(endpoints);
    expect(balancer.subset().pick(NO_HINT)).toBe(endpoints[0]);
    expect(endpoints.slice(1)).toContain(balancer.subset().pick({ exclude: [endpoints[0]!] }));
  });

  it('uses all zones alike in panic', () => {
    const endpoints = inZones('a', 'a', 'b', 'b', 'c', 'c');
    for (const one of endpoints.slice(1, 5)) one.healthy = false;
    const balancer = zoneAware(endpoints);
    expect(byZone(tally(balancer.subset(), 6))).toEqual({ a: 2, b: 2, c: 2 });
  });
});
