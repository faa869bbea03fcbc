import { describe, expect, it } from 'vitest';
import { combineTraffic } from '../../../src/mesh/health/combined-traffic.ts';
import type { TrafficReport } from '../../../src/mesh/health/traffic-report.ts';

/** What a node saw of the endpoint `e`. */
function saw(node: string, requests: number, failures: number, latencyMs = 10): TrafficReport {
  return { node, endpoints: [{ id: 'e', requests, failures, latencyMs }] };
}

function errorRatio(...reports: TrafficReport[]): number {
  return combineTraffic(reports).get('e')!.errorRatio;
}

describe('the reports of one or two nodes', () => {
  it('are averaged by traffic', () => {
    expect(combineTraffic([saw('a', 300, 30, 20), saw('b', 100, 50, 60)]).get('e')).toEqual({
      requests: 400,
      errorRatio: 0.2,
      latencyMs: 30,
    });
  });

  it('say nothing of latency where none was measured', () => {
    expect(combineTraffic([saw('a', 10, 0, 0)]).get('e')).toEqual({
      requests: 10,
      errorRatio: 0,
      latencyMs: undefined,
    });
  });

  it('are one where the node has two services for it', () => {
    expect(errorRatio(saw('a', 100, 10), saw('a', 100, 30))).toBeCloseTo(0.2);
  });
});

describe('the reports of three nodes and more', () => {
  it('count by their weighted median', () => {
    expect(errorRatio(saw('a', 100, 10), saw('b', 100, 12), saw('c', 100, 30))).toBe(0.12);
  });

  it.each([1, 100, 1_000_000])('leave a liar with %d requests no say', (requests) => {
    const honest = [saw('b', 100, 1), saw('c', 100, 2)];
    const accused = errorRatio(saw('liar', requests, requests), ...honest);
    expect(accused).toBeLessThanOrEqual(0.02);
    const sick = [saw('b', 100, 50), saw('c', 100, 60)];
    const praised = errorRatio(saw('liar', requests, 0), ...sick);
    expect(praised).toBeGreaterThanOrEqual(0.5);
  });

  it('hear those too that have too little traffic to have a voice alone', () => {
    const few = Array.from({ length: 100 }, (_, i) => saw(`n${i}`, 1, i % 5 === 0 ? 1 : 0));
    expect(combineTraffic(few).get('e')!.requests).toBe(100);
    expect(errorRatio(...few)).toBeGreaterThan(0.05);
  });

  it('do not depend on their order', () => {
    const reports = Array.from({ length: 9 }, (_, i) => saw(`n${i}`, 10 + (i % 3), i, 5 + i));
    const expected = combineTraffic(reports);
    expect(combineTraffic(reports.toReversed())).toEqual(expected);
    expect(combineTraffic([...reports.slice(4), ...reports.slice(0, 4)])).toEqual(expected);
  });
});
