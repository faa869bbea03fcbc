import { describe, expect, it } from 'vitest';
import { NO_HINT } from '../../../src/mesh/balancing/policy.ts';
import { createRoundRobin } from '../../../src/mesh/balancing/round-robin.ts';
import { endpoint, picks, sequence, tally, weighted } from './endpoints.ts';

const create = () => createRoundRobin({ random: sequence() });

describe('round-robin', () => {
  it('gives a a b a c a a for weights 5, 1, 1, and again', () => {
    const policy = create();
    policy.update(weighted({ a: 5, b: 1, c: 1 }));
    expect(picks(policy, 7)).toBe('a a b a c a a');
    expect(picks(policy, 7)).toBe('a a b a c a a');
  });

  it('takes turns in order with equal weights', () => {
    const policy = create();
    policy.update(weighted({ a: 2, b: 2, c: 2 }));
    expect(picks(policy, 6)).toBe('a b c a b c');
  });

  it('goes on where it was when another endpoint joins or leaves', () => {
    const policy = create();
    const [a, b, c] = [endpoint('a'), endpoint('b'), endpoint('c')];
    policy.update([a, b, c]);
    expect(picks(policy, 1)).toBe('a');
    policy.update([a, b]);
    expect(picks(policy, 3)).toBe('b a b');
  });

  it('is fair at once after a weight fell from a large one', () => {
    const policy = create();
    const [a, b] = weighted({ a: 1000, b: 999 }) as [
      ReturnType<typeof endpoint>,
      ReturnType<typeof endpoint>,
    ];
    policy.update([a, b]);
    picks(policy, 1);
    a.effectiveWeight = 1;
    b.effectiveWeight = 1;
    policy.update([a, b]);
    expect(tally(policy, 20)).toEqual({ a: 10, b: 10 });
  });

  it('passes over excluded endpoints without costing them their turn', () => {
    const policy = create();
    const [a, b, c] = [endpoint('a'), endpoint('b'), endpoint('c')];
    policy.update([a, b, c]);
    expect(policy.pick({ exclude: [a] })).toBe(b);
    expect(policy.pick({ exclude: [a, b, c] })).toBeUndefined();
    expect(tally(policy, 3)).toEqual({ a: 1, b: 1, c: 1 });
  });

  it('explains the next pick without taking the turn', () => {
    const policy = create();
    policy.update(weighted({ a: 1, b: 1 }));
    expect(policy.explain(NO_HINT)).toMatchObject({
      endpoint: { id: 'a' },
      reason: 'round-robin: its turn among 2, weight 1',
    });
    expect(policy.explain(NO_HINT)?.endpoint.id).toBe('a');
    expect(picks(policy, 2)).toBe('a b');
  });

  it('picks nothing from an empty list', () => {
    expect(create().pick(NO_HINT)).toBeUndefined();
    expect(create().explain(NO_HINT)).toBeUndefined();
  });
});
