import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../src/mesh/resilience/backoff.ts';

const almostOne = () => 1 - 2 ** -53;

describe('backoffMs', () => {
  it('spreads over [0, (2^N − 1) · 25 ms), at most 250 ms', () => {
    expect([1, 2, 3, 4, 5, 60].map((retry) => backoffMs(retry, almostOne))).toEqual([
      24, 74, 174, 249, 249, 249,
    ]);
    expect([1, 2, 3, 4].map((retry) => backoffMs(retry, () => 0.5))).toEqual([12, 37, 87, 125]);
  });

  it('may be no wait at all', () => {
    expect([1, 4].map((retry) => backoffMs(retry, () => 0))).toEqual([0, 0]);
  });
});
