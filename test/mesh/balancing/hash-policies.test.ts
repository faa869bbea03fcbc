import { describe, expect, it } from 'vitest';
import type { HashPolicyOptions } from '../../../src/mesh/balancing/hash-policy.ts';
import { createMaglev, createMaglevTable } from '../../../src/mesh/balancing/maglev.ts';
import { NO_HINT, type BalancingPolicy } from '../../../src/mesh/balancing/policy.ts';
import { createRing, createRingHash, ringShares } from '../../../src/mesh/balancing/ring-hash.ts';
import { xxHash64 } from '../../../src/mesh/balancing/xxhash64.ts';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { endpoint, seeded, sequence, tally, weighted } from './endpoints.ts';

const KEYS = 5000;

function ten(): Endpoint[] {
  return Array.from({ length: 10 }, (_, i) => endpoint(`10.0.0.${i}:80`));
}

function entriesOf(table: ReturnType<typeof createRing>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let place = 0; place < table.size; place++) {
    const { id } = table.ownerOf(place);
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

describe('the ring', () => {
  it('has 1024 entries at least, in proportion to weight', () => {
    expect(ringShares([1, 1])).toEqual([512, 512]);
    expect(ringShares([1, 2])).toEqual([512, 1024]);
    expect(ringShares([1, 1, 1])).toEqual([512, 512, 512]);
    expect(ringShares([0.5, 0.25, 0.25])).toEqual([512, 256, 256]);
    expect(ringShares(Array(9).fill(1))).toEqual(Array(9).fill(128));
    expect(ringShares([1])).toEqual([1024]);
    expect(ringShares([])).toEqual([]);
  });

  it('has an entry for each of very many', () => {
    expect(new Set(ringShares(Array(10_000).fill(1)))).toEqual(new Set([1]));
  });

  it('does not grow without bound for very unequal weights', () => {
    const [light, heavy] = ringShares([1, 1_000_000]);
    expect(light! + heavy!).toBeLessThanOrEqual(65_537);
    expect(heavy).toBeGreaterThan(60_000);
  });

  it('gives a key to the next entry of the circle, and the first after the last', () => {
    const ring = createRing(weighted({ a: 1, b: 1 }));
    expect(ring.size).toBe(1024);
    expect(ring.placeOf(0)).toBe(0);
    expect(ring.placeOf(2 ** 53 - 1)).toBe(0);
    const hashes = ['a', 'b'].flatMap((id) =>
      Array.from({ length: 512 }, (_, i) => ({ id, hash: xxHash64(`${id}_${i}`) })),
    );
    hashes.sort((one, other) => one.hash - other.hash);
    for (const place of [0, 1, 500, 1023]) {
      expect(ring.placeOf(hashes[place]!.hash)).toBe(place);
      expect(ring.ownerOf(place).id).toBe(hashes[place]!.id);
    }
  });
});

describe('the maglev table', () => {
  it('has 65537 places, and weights 1:2 fill 21,846 and 43,691 of them', () => {
    const table = createMaglevTable(weighted({ a: 1, b: 2 }));
    expect(table.size).toBe(65_537);
    expect(entriesOf(table)).toEqual({ a: 21_846, b: 43_691 });
  });

  it('is shared evenly by equals', () => {
    const counts = Object.values(entriesOf(createMaglevTable(ten())));
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  it('is the same whatever the order in which a node learned of the endpoints', () => {
    const ownersOf = (endpoints: readonly Endpoint[]): readonly string[] => {
      const table = createMaglevTable(endpoints);
      return Array.from({ length: table.size }, (_, place) => table.ownerOf(place).id);
    };
    expect(ownersOf(ten())).toEqual(ownersOf(ten().reverse()));
  });

  it('is empty without endpoints', () => {
    expect(createMaglevTable([]).size).toBe(0);
  });
});

describe.each([
  ['ring-hash', createRingHash],
  ['maglev', createMaglev],
] as const)('%s', (name, create) => {
  function policyOf(
    endpoints: readonly Endpoint[],
    options: Partial<HashPolicyOptions> = {},
  ): BalancingPolicy {
    const policy = create({ random: sequence(), ...options });
    policy.update(endpoints);
    return policy;
  }

  function owners(policy: BalancingPolicy): readonly string[] {
    return Array.from(
      { length: KEYS },
      (_, i) => policy.pick({ ...NO_HINT, hash: xxHash64(`user-${i}`) })!.id,
    );
  }

  it('sends equal keys to equal endpoints', () => {
    expect(owners(policyOf(ten()))).toEqual(owners(policyOf(ten())));
  });

  it('moves about 1/n of the keys when one of n endpoints goes', () => {
    const before = owners(policyOf(ten()));
    const after = owners(policyOf(ten().filter(({ id }) => id !== '10.0.0.3:80')));
    const moved = before.filter((id, i) => id !== after[i]).length / KEYS;
    expect(before.filter((id) => id === '10.0.0.3:80').length / KEYS).toBeCloseTo(0.1, 1);
    expect(moved).toBeGreaterThan(0.05);
    expect(moved).toBeLessThan(0.15);
  });

  it('follows weights', () => {
    const counts = { a: 0, b: 0 };
    for (const id of owners(policyOf(weighted({ a: 3, b: 1 })))) counts[id as 'a' | 'b']++;
    expect(counts.a / KEYS).toBeCloseTo(0.75, 1);
  });

  it('spreads requests without a key', () => {
    expect(Object.keys(tally(policyOf(ten(), { random: seeded(2) }), 200))).toHaveLength(10);
    const policy = policyOf(ten(), { random: seeded(2) });
    expect(policy.explain(NO_HINT)?.reason).toBe(`${name}: the request has no key, so any`);
  });

  it('passes over the excluded, always to the same other one', () => {
    const endpoints = ten();
    const policy = policyOf(endpoints);
    const hash = xxHash64('somebody');
    const home = policy.pick({ exclude: [], hash })!;
    const other = policy.pick({ exclude: [home], hash })!;
    expect(other).not.toBe(home);
    expect(policy.pick({ exclude: [home], hash })).toBe(other);
    expect(policy.explain({ exclude: [home], hash })?.reason).toContain('the next one');
    expect(policy.pick({ exclude: endpoints, hash })).toBeUndefined();
    expect(policyOf([]).pick({ exclude: [], hash })).toBeUndefined();
  });

  it('bounds the load of one endpoint by hashBalanceFactor', () => {
    const endpoints = ten();
    const policy = policyOf(endpoints, { hashBalanceFactor: 1.5 });
    const hash = xxHash64('everybody');
    for (let i = 0; i < 100; i++) policy.pick({ exclude: [], hash })!.active++;
    // Each took 1.5 times a tenth of what was in flight when it was chosen, at most.
    expect(Math.max(...endpoints.map(({ active }) => active))).toBe(15);
    expect(endpoints.reduce((sum, { active }) => sum + active, 0)).toBe(100);
  });

  it('leaves the load unbounded without it', () => {
    const endpoints = ten();
    const policy = policyOf(endpoints);
    for (let i = 0; i < 100; i++) policy.pick({ exclude: [], hash: 1 })!.active++;
    expect(Math.max(...endpoints.map(({ active }) => active))).toBe(100);
  });

  it('keeps its table while endpoints and weights are the same', () => {
    const [a, b] = weighted({ a: 1, b: 1 }) as [Endpoint, Endpoint];
    const policy = policyOf([a, b]);
    const before = owners(policy);
    policy.update([a, b]);
    expect(owners(policy)).toEqual(before);
    b.effectiveWeight = 3;
    policy.update([a, b]);
    const share = owners(policy).filter((id) => id === 'b').length / KEYS;
    expect(share).toBeCloseTo(0.75, 1);
  });
});
