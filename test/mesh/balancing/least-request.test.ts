import { describe, expect, it } from 'vitest';
import { createLeastRequest } from '../../../src/mesh/balancing/least-request.ts';
import { NO_HINT } from '../../../src/mesh/balancing/policy.ts';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { endpoint, picks, seeded, sequence, tally, weighted } from './endpoints.ts';

describe('least-request with equal weights', () => {
  it('takes the one of two with fewer requests in flight', () => {
    const policy = createLeastRequest({ random: sequence(0, 0, 0.5, 0) });
    const [a, b] = [endpoint('a'), endpoint('b')];
    a.active = 4;
    b.active = 3;
    policy.update([a, b]);
    expect(policy.pick(NO_HINT)).toBe(b);
    expect(policy.explain(NO_HINT)).toEqual({
      endpoint: b,
      reason: 'least-request: of two drawn, 3 in flight against 4 at a',
    });
  });

  it('never takes the busiest of many', () => {
    const policy = createLeastRequest({ random: seeded(3) });
    const list = ['a', 'b', 'c', 'd'].map((id) => endpoint(id));
    list[0]!.active = 9;
    policy.update(list);
    expect(tally(policy, 500)).not.toHaveProperty('a');
  });

  it('takes the only one left after exclusion', () => {
    const policy = createLeastRequest({ random: sequence() });
    const [a, b] = [endpoint('a'), endpoint('b')];
    policy.update([a, b]);
    expect(policy.pick({ exclude: [a] })).toBe(b);
    expect(policy.explain({ exclude: [a] })?.reason).toBe('least-request: the only one');
    expect(policy.pick({ exclude: [a, b] })).toBeUndefined();
  });
});

describe('least-request with unequal weights', () => {
  function loaded(bias?: number): {
    policy: ReturnType<typeof createLeastRequest>;
    list: Endpoint[];
  } {
    const list = weighted({ a: 4, b: 1 });
    const policy = createLeastRequest({
      random: sequence(),
      ...(bias === undefined ? {} : { activeRequestBias: bias }),
    });
    policy.update(list);
    return { policy, list };
  }

  it('follows the weights while nothing is in flight', () => {
    expect(tally(loaded().policy, 50)).toEqual({ a: 40, b: 10 });
  });

  it('divides a weight by the requests in flight and one', () => {
    const { policy, list } = loaded();
    list[0]!.active = 3; // 4 / (3 + 1) = 1, as b's
    picks(policy, 1);
    expect(tally(policy, 50)).toEqual({ a: 25, b: 25 });
  });

  it('raises that divisor to the bias', () => {
    const { policy, list } = loaded(2);
    list[0]!.active = 1; // 4 / 2² = 1, as b's
    picks(policy, 1);
    expect(tally(policy, 50)).toEqual({ a: 25, b: 25 });
    const unbiased = loaded(0);
    unbiased.list[0]!.active = 100;
    expect(tally(unbiased.policy, 50)).toEqual({ a: 40, b: 10 });
  });

  it('explains the next pick without taking the turn', () => {
    const { policy } = loaded();
    expect(policy.explain(NO_HINT)?.reason).toBe('least-request: next by weight 4 and 0 in flight');
    const next = policy.explain(NO_HINT)?.endpoint;
    expect(policy.pick(NO_HINT)).toBe(next);
  });

  it('changes to two choices when the weights become equal', () => {
    const { policy, list } = loaded();
    const other = createLeastRequest({ random: sequence(0, 0) });
    other.update(list);
    for (const one of list) one.effectiveWeight = 1;
    other.update(list);
    list[0]!.active = 1;
    expect(other.pick(NO_HINT)).toBe(list[1]);
    expect(policy.explain(NO_HINT)?.reason).toMatch(/next by weight/);
  });
});
