import { describe, expect, it } from 'vitest';
import { createEarliestDeadline } from '../../../src/mesh/balancing/earliest-deadline.ts';
import { endpoint, weighted } from './endpoints.ts';

function schedule(weights: Readonly<Record<string, number>>) {
  const endpoints = weighted(weights);
  const edf = createEarliestDeadline(({ weight }) => weight);
  edf.update(endpoints);
  const next = (count: number) =>
    Array.from({ length: count }, () => edf.pick([])?.id ?? '-').join(' ');
  return { edf, endpoints, next };
}

describe('earliest deadline first', () => {
  it('meets deadlines of now + 1/weight, first in first out on ties', () => {
    // a is due at ½, 1, 1½ …; b and c at 1, 2 …: of the three due at 1, b and c waited longer.
    expect(schedule({ a: 2, b: 1, c: 1 }).next(8)).toBe('a b c a a b c a');
  });

  it('gives shares exactly by weight', () => {
    const { next } = schedule({ a: 4, b: 2, c: 1 });
    const ids = next(70).split(' ');
    expect(ids.filter((id) => id === 'a')).toHaveLength(40);
    expect(ids.filter((id) => id === 'b')).toHaveLength(20);
  });

  it('keeps the place of those that stay when the list changes', () => {
    const { edf, endpoints, next } = schedule({ a: 1, b: 1, c: 1 });
    expect(next(2)).toBe('a b');
    const d = endpoint('d');
    edf.update([...endpoints, d]);
    expect(next(4)).toBe('c a b d');
  });

  it('does not let a larger weight wait out the deadline of a small one', () => {
    const { edf, endpoints, next } = schedule({ a: 1, b: 0.001 });
    endpoints[1]!.weight = 1;
    edf.update(endpoints);
    expect(next(4)).toBe('a b a b');
  });

  it('stays exact when time has run long', () => {
    const { next } = schedule({ a: 0.00001, b: 0.00002 });
    next(300);
    expect(
      next(300)
        .split(' ')
        .filter((id) => id === 'b'),
    ).toHaveLength(200);
  });

  it('passes over the excluded, and peeks without scheduling', () => {
    const { edf, endpoints } = schedule({ a: 1, b: 1 });
    const [a, b] = endpoints;
    expect(edf.peek([])).toBe(a);
    expect(edf.pick([a!])).toBe(b);
    expect(edf.pick([])).toBe(a);
    expect(edf.pick([a!, b!])).toBeUndefined();
  });
});
