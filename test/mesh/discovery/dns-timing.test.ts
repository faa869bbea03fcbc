import { describe, expect, it } from 'vitest';
import { failureDelayMs, refreshDelayMs, ttlToMs } from '../../../src/mesh/discovery/dns-timing.ts';

describe('after an answer', () => {
  it('holds a TTL within 1 s and 5 min', () => {
    expect([0, 1, 30, 300, 86_400, Infinity].map(ttlToMs)).toEqual([
      1_000, 1_000, 30_000, 300_000, 300_000, 300_000,
    ]);
  });

  it('comes up to a tenth early, never late', () => {
    expect(refreshDelayMs(30_000, () => 0)).toBe(30_000);
    expect(refreshDelayMs(30_000, () => 0.5)).toBe(28_500);
    expect(refreshDelayMs(30_000, () => 1)).toBe(27_000);
  });
});

describe('after a failure', () => {
  it('doubles from 1 s to 30 s', () => {
    const delays = [1, 2, 3, 4, 5, 6, 1_000].map((n) => failureDelayMs(n, () => 1));
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('leaves the upper half to chance', () => {
    expect(failureDelayMs(3, () => 0)).toBe(2_000);
    expect(failureDelayMs(3, () => 0.5)).toBe(3_000);
  });
});
