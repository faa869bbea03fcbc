import { describe, expect, it } from 'vitest';
import { NO_HINT } from '../../../src/mesh/balancing/policy.ts';
import { createRandom } from '../../../src/mesh/balancing/random.ts';
import { endpoint, picks, seeded, sequence, tally, weighted } from './endpoints.ts';

describe('random', () => {
  it('draws in proportion to weight: 0 … 1 falls on a, b and c by their shares', () => {
    const policy = createRandom({ random: sequence(0, 0.499, 0.5, 0.749, 0.75, 0.999) });
    policy.update(weighted({ a: 2, b: 1, c: 1 }));
    expect(picks(policy, 6)).toBe('a a b b c c');
  });

  it('keeps the shares over many draws', () => {
    const policy = createRandom({ random: seeded(1) });
    policy.update(weighted({ a: 3, b: 1 }));
    const { a = 0, b = 0 } = tally(policy, 10_000);
    expect(a + b).toBe(10_000);
    expect(a / 10_000).toBeCloseTo(0.75, 1);
  });

  it('shares an excluded endpoint out among the others', () => {
    const policy = createRandom({ random: sequence(0, 0.33, 0.34, 0.99) });
    const [a, b, c] = weighted({ a: 5, b: 1, c: 2 });
    policy.update([a!, b!, c!]);
    expect(picks(policy, 4, { exclude: [a!] })).toBe('b b c c');
    expect(policy.pick({ exclude: [a!, b!, c!] })).toBeUndefined();
  });

  it('picks nothing from an empty list, and the only one without drawing', () => {
    const policy = createRandom({ random: sequence() });
    expect(policy.pick(NO_HINT)).toBeUndefined();
    const only = endpoint('only');
    policy.update([only]);
    expect(policy.pick(NO_HINT)).toBe(only);
    expect(policy.explain(NO_HINT)?.reason).toBe('random: drawn among 1, weight 1');
  });
});
