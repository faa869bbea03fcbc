import { expect, it } from 'vitest';
import { restartDelayMs } from '../../../src/gateway/worker/restart-delay.ts';

it('replaces the first at once, and those that end one after the other later and later', () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8].map((deaths) => restartDelayMs(deaths, () => 0));
  expect(delays).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(restartDelayMs(3, () => 1)).toBe(1_500);
});
