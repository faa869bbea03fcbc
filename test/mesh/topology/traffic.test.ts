import { describe, expect, it } from 'vitest';
import { BUCKETS, bucketOf, middleOf } from '../../../src/mesh/topology/latency-buckets.ts';
import type { EdgeCounts } from '../../../src/mesh/topology/recorder.ts';
import { toTraffic, type NodeReport } from '../../../src/mesh/topology/topology.ts';

function edge(destination: string, calls: number, errors: number, ms: number): EdgeCounts {
  const buckets = new Float64Array(BUCKETS);
  buckets[bucketOf(ms)] = calls;
  return { destination, calls, errors, buckets };
}

const about = (ms: number): number => middleOf(bucketOf(ms));

const REPORTS: readonly NodeReport[] = [
  {
    node: 'edge-1',
    report: {
      source: 'gateway',
      windowMs: 5_000,
      edges: [edge('orders', 90, 10, 10), edge('users', 10, 0, 400), edge('hidden', 1_000, 0, 1)],
    },
  },
  // Its window was longer: each counts by its own.
  {
    node: 'users-1',
    report: { source: 'users', windowMs: 10_000, edges: [edge('orders', 20, 5, 800)] },
  },
  { node: 'users-2', report: { source: 'users', windowMs: 5_000, edges: [] } },
];

describe('the traffic of the mesh', () => {
  it('is added up by node and in all, of the services that count', () => {
    expect(toTraffic(REPORTS, (name) => name !== 'hidden')).toEqual({
      nodes: [
        {
          node: 'edge-1',
          source: 'gateway',
          traffic: {
            requestsPerSecond: 20,
            errorsPerSecond: 2,
            p50Ms: about(10),
            p99Ms: about(400),
          },
        },
        {
          node: 'users-1',
          source: 'users',
          traffic: {
            requestsPerSecond: 2,
            errorsPerSecond: 0.5,
            p50Ms: about(800),
            p99Ms: about(800),
          },
        },
        {
          node: 'users-2',
          source: 'users',
          traffic: {
            requestsPerSecond: 0,
            errorsPerSecond: 0,
            p50Ms: undefined,
            p99Ms: undefined,
          },
        },
      ],
      total: { requestsPerSecond: 22, errorsPerSecond: 2.5, p50Ms: about(10), p99Ms: about(800) },
    });
  });
});
