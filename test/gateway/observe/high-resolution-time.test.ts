/** Times as spans have them. */
import { describe, expect, it } from 'vitest';
import { toHighResolutionTime } from '../../../src/gateway/observe/high-resolution-time.ts';

describe('a time of a span', () => {
  it.each([
    [0, [0, 0]],
    [1.5, [0, 1_500_000]],
    [2_000.25, [2, 250_000]],
    // Nearer to the next second than a nanosecond.
    [999.9999999, [1, 0]],
    [1_763_722_067_999.5, [1_763_722_067, 999_500_000]],
  ])('of %d ms', (ms, time) => {
    expect(toHighResolutionTime(ms)).toEqual(time);
  });
});
