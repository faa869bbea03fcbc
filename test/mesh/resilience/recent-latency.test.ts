import { describe, expect, it } from 'vitest';
import { RecentLatency } from '../../../src/mesh/resilience/recent-latency.ts';

/** Within the width of a bucket above it. */
function expectNear(estimateMs: number | undefined, latencyMs: number): void {
  expect(estimateMs).toBeGreaterThanOrEqual(latencyMs * 0.999_999);
  expect(estimateMs).toBeLessThan(latencyMs * 1.1);
}

function createWith(latenciesMs: readonly number[], percentile = 0.95): RecentLatency {
  const recent = new RecentLatency(percentile);
  for (const latencyMs of latenciesMs) recent.record(latencyMs, 0);
  return recent;
}

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe('RecentLatency', () => {
  it('says nothing of fewer than 20 samples', () => {
    const recent = createWith(oneTo(19));
    expect(recent.percentileMs(0)).toBeUndefined();
    recent.record(20, 0);
    expectNear(recent.percentileMs(0), 19);
  });

  it.each([
    [0.5, 50],
    [0.9, 90],
    [0.95, 95],
    [0.99, 99],
  ])('estimates the percentile %d of 1 to 100 ms', (percentile, expectedMs) => {
    expectNear(createWith(oneTo(100), percentile).percentileMs(0), expectedMs);
  });

  it.each([0.2, 1, 7, 30, 1000, 59_000])('is at most 9%% above %d ms', (latencyMs) => {
    expectNear(createWith(Array.from({ length: 20 }, () => latencyMs)).percentileMs(0), latencyMs);
  });

  it('holds what is out of its range at its ends', () => {
    expect(createWith(Array.from({ length: 20 }, () => 0)).percentileMs(0)).toBe(0.125);
    expect(createWith(Array.from({ length: 20 }, () => 1e9)).percentileMs(0)).toBe(65_536);
  });

  it('looks at the samples anew every 250 ms', () => {
    const recent = createWith(oneTo(20));
    expectNear(recent.percentileMs(0), 19);
    for (let i = 0; i < 20; i++) recent.record(500, 1);
    expectNear(recent.percentileMs(249), 19);
    expectNear(recent.percentileMs(250), 500);
  });

  it('forgets samples after 10 to 20 s', () => {
    const recent = createWith(Array.from({ length: 20 }, () => 500));
    expectNear(recent.percentileMs(19_999), 500);
    expect(recent.percentileMs(20_000)).toBeUndefined();
    for (let i = 0; i < 20; i++) recent.record(5, 20_000);
    expectNear(recent.percentileMs(20_000), 5);
    expectNear(recent.percentileMs(39_999), 5);
    expect(recent.percentileMs(1e7)).toBeUndefined();
  });

  it('takes a lower bound for a sample where that is in the tail', () => {
    const recent = createWith(oneTo(100));
    for (let i = 0; i < 50; i++) recent.recordAtLeast(90, 0);
    expectNear(recent.percentileMs(250), 95);
    for (let i = 0; i < 50; i++) recent.recordAtLeast(300, 250);
    expectNear(recent.percentileMs(500), 300);
  });

  it('takes no lower bound while it knows no tail', () => {
    const recent = createWith(oneTo(19));
    recent.recordAtLeast(1000, 0);
    expect(recent.percentileMs(0)).toBeUndefined();
  });
});
