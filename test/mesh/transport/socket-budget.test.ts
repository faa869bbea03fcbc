import { describe, expect, it } from 'vitest';
import { createSocketBudget } from '../../../src/mesh/transport/socket-budget.ts';

describe('the socket budget', () => {
  it.for([
    [1024, 512, 448],
    [20_000, 10_000, 9936],
    // Of a small limit an eighth is kept free.
    [64, 32, 24],
    [Infinity, Infinity, Infinity],
  ] as const)('of %d descriptors gives %d to clients and %d to upstreams', ([all, down, up]) => {
    const { accepted, connected } = createSocketBudget(all);
    expect([accepted.limit, connected.limit]).toEqual([down, up]);
  });

  it('lends no more than there is, until some is given back', () => {
    const { accepted, connected } = createSocketBudget(8);
    expect(Array.from({ length: 5 }, () => accepted.tryTake())).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(connected.open).toBe(0);
    accepted.giveBack();
    expect(accepted.tryTake()).toBe(true);
  });
});
