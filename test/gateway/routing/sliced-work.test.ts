/** Work in steps: the same result whole and sliced, and a sort that pauses. */
import { describe, expect, it } from 'vitest';
import {
  runAtOnce,
  runInSlices,
  sortInSteps,
  type Steps,
} from '../../../src/gateway/routing/sliced-work.ts';

function* count(to: number): Steps<number> {
  for (let i = 0; i < to; i++) yield;
  return to;
}

describe('runInSlices', () => {
  it('pauses once per slice of the clock', async () => {
    let nowMs = 0;
    let pauses = 0;
    const pause = (): Promise<void> => {
      pauses++;
      return Promise.resolve();
    };
    // One millisecond a step, ten milliseconds a slice.
    const result = await runInSlices(count(100), pause, 10, () => nowMs++);
    expect(result).toBe(100);
    expect(pauses).toBe(10);
  });
});

describe('sortInSteps', () => {
  it.each([0, 1, 255, 256, 257, 1000, 5000])('sorts %i items like the built-in sort', (length) => {
    const items = Array.from({ length }, (_, i) => ({ key: (i * 7919) % 101, i }));
    const byKey = (a: { key: number }, b: { key: number }): number => a.key - b.key;
    expect(runAtOnce(sortInSteps(items, byKey))).toEqual(items.toSorted(byKey));
  });

  it('comes up for air often', () => {
    const items = Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 20_011);
    let comparisons = 0;
    let most = 0;
    const steps = sortInSteps(items, (a, b) => {
      comparisons++;
      return a - b;
    });
    while (steps.next().done !== true) {
      most = Math.max(most, comparisons);
      comparisons = 0;
    }
    expect(most).toBeLessThan(4096);
  });
});
