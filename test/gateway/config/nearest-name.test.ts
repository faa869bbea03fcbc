import { describe, expect, it } from 'vitest';
import { nearestName } from '../../../src/gateway/config/nearest-name.ts';

describe('the nearest name', () => {
  it.each([
    ['ordrs', ['orders', 'billing'], 'orders'],
    ['oredrs', ['orders'], 'orders'],
    ['ORDERS', ['orders'], 'orders'],
    ['order-service', ['orders-service', 'orders'], 'orders-service'],
    ['tto', ['to', 'match'], 'to'],
    ['paths', ['match', 'path'], 'path'],
    ['a', ['b', 'abc'], 'b'],
  ])('to %s of %j is %s', (name, candidates, nearest) => {
    expect(nearestName(name, candidates)).toBe(nearest);
  });

  it.each([
    ['ordrs', ['payments']],
    ['billing', ['orders']],
    ['xyz', ['abc']],
    ['healthCheck', ['tls', 'retry']],
    ['x', []],
  ])('to %s is none of %j', (name, candidates) => {
    expect(nearestName(name, candidates)).toBeUndefined();
  });

  it('counts a swap of neighbours as one edit', () => {
    // Two letters admit a single edit.
    expect(nearestName('ot', ['to'])).toBe('to');
  });
});
