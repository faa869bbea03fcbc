import { describe, expect, it } from 'vitest';
import { priorityLoads } from '../../../src/mesh/balancing/priority-load.ts';

/** Percent healthy of 100 endpoints each → percent of the traffic, and who panics. */
function loads(...healthy: number[]): { percent: number[]; panic: boolean[] } {
  const result = priorityLoads(healthy.map((count) => ({ healthy: count, total: 100 })));
  return {
    percent: result.map(({ share }) => Math.round(share * 100)),
    panic: result.map(({ panic }) => panic),
  };
}

describe('priorityLoads', () => {
  it('leaves all traffic to the first priority until fewer than 71% of it are healthy', () => {
    expect(loads(100, 100)).toEqual({ percent: [100, 0], panic: [false, false] });
    expect(loads(72, 100).percent).toEqual([100, 0]);
    expect(loads(50, 100).percent).toEqual([70, 30]);
    expect(loads(25, 100).percent).toEqual([35, 65]);
    expect(loads(0, 100).percent).toEqual([0, 100]);
  });

  it('panics nowhere while another priority can take the load', () => {
    expect(loads(25, 100).panic).toEqual([false, false]);
    expect(loads(0, 72).panic).toEqual([false, false]);
  });

  it('splits 25%/25% evenly, both in panic', () => {
    expect(loads(25, 25)).toEqual({ percent: [50, 50], panic: [true, true] });
  });

  it('splits 5%/65% as 7/93, the first alone in panic', () => {
    expect(loads(5, 65)).toEqual({ percent: [7, 93], panic: [true, false] });
  });

  it('panics below half, not at half', () => {
    const one = (healthy: number, total: number) => priorityLoads([{ healthy, total }]);
    expect(one(1, 2)).toEqual([{ share: 1, panic: false }]);
    expect(one(1, 3)).toEqual([{ share: 1, panic: true }]);
    expect(one(0, 1)).toEqual([{ share: 1, panic: true }]);
  });

  it('follows the number of endpoints where all panic', () => {
    const result = priorityLoads([
      { healthy: 0, total: 3 },
      { healthy: 0, total: 1 },
    ]);
    expect(result).toEqual([
      { share: 0.75, panic: true },
      { share: 0.25, panic: true },
    ]);
  });

  it('has nothing to share among none', () => {
    expect(priorityLoads([])).toEqual([]);
  });
});
