import { describe, expect, it } from 'vitest';
import {
  bucketOf,
  BUCKETS,
  middleOf,
  percentile,
} from '../../../src/mesh/topology/latency-buckets.ts';

function countsOf(latencies: readonly number[]): number[] {
  const counts = Array.from({ length: BUCKETS }, () => 0);
  for (const ms of latencies) counts[bucketOf(ms)]!++;
  return counts;
}

describe('latency buckets', () => {
  it.each([
    [0, 0],
    [-1, 0],
    [NaN, 0],
    [0.001, 1],
    [0.007, 7],
    [0.008, 8],
    [0.0159, 15],
    [0.016, 16],
    [0.018, 17],
    [1.024, 64],
    [1.151, 64],
    [1.152, 65],
    [1_073_741.823, BUCKETS - 1],
    [1_073_741.824, BUCKETS - 1],
    [Infinity, BUCKETS - 1],
  ])('put %f ms into bucket %i', (ms, bucket) => {
    expect(bucketOf(ms)).toBe(bucket);
  });

  it('are in order, without a gap, and each holds its own middle', () => {
    const all = Array.from({ length: BUCKETS }, (_, bucket) => bucket);
    const middles = all.map(middleOf);
    expect(middles.map(bucketOf)).toEqual(all);
    expect(middles.toSorted((a, b) => a - b)).toEqual(middles);
  });

  it('tell a latency of 8 µs and more within 6.25%', () => {
    for (let ms = 0.008; ms < 1_000_000; ms *= 1.013) {
      const told = middleOf(bucketOf(ms));
      // And a rounding error.
      expect(Math.abs(told - ms) / ms).toBeLessThan(0.062_500_1);
    }
  });
});

describe('a percentile', () => {
  it('is the bucket of the one that so many are no slower than', () => {
    const counts = countsOf([...Array.from({ length: 98 }, () => 10), 500, 900]);
    expect(percentile(counts, 0.5)).toBe(middleOf(bucketOf(10)));
    expect(percentile(counts, 0.98)).toBe(middleOf(bucketOf(10)));
    expect(percentile(counts, 0.99)).toBe(middleOf(bucketOf(500)));
    expect(percentile(counts, 1)).toBe(middleOf(bucketOf(900)));
  });

  it('of one is that one, of none is none', () => {
    expect(percentile(countsOf([42]), 0)).toBe(middleOf(bucketOf(42)));
    expect(percentile(countsOf([42]), 0.99)).toBe(middleOf(bucketOf(42)));
    expect(percentile(countsOf([]), 0.5)).toBeUndefined();
    expect(percentile([], 0.5)).toBeUndefined();
  });
});
