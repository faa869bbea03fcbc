import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/mesh/backplane/backplane.ts';
import { BUCKETS, bucketOf } from '../../../src/mesh/topology/latency-buckets.ts';
import { createTopologyRecorder } from '../../../src/mesh/topology/recorder.ts';
import { parseReport, toReportValue } from '../../../src/mesh/topology/report.ts';

const EDGE = { destination: 'orders', calls: 1, errors: 0, from: 3, counts: [1] };

describe('the report of a node', () => {
  it('reads as it was written', () => {
    const recorder = createTopologyRecorder();
    const edge = recorder.edgeTo('orders');
    for (const ms of [0, 12, 12, 900, Infinity]) edge.record(ms, ms > 100);
    const [counts] = recorder.take();
    const value = toReportValue({ source: 'users', windowMs: 5_000, edges: [counts!] });
    const read = parseReport(JSON.parse(JSON.stringify(value)) as Json)!;
    expect([read.source, read.windowMs]).toEqual(['users', 5_000]);
    const [told] = read.edges;
    expect([told!.destination, told!.calls, told!.errors]).toEqual(['orders', 5, 2]);
    expect(Array.from(told!.buckets)).toEqual(Array.from(counts!.buckets));
  });

  it('has no more of the buckets than were filled', () => {
    const buckets = Array.from({ length: BUCKETS }, () => 0);
    buckets[bucketOf(10)] = 2;
    buckets[bucketOf(10) + 2] = 1;
    const edges = [{ destination: 'orders', calls: 3, errors: 0, buckets }];
    expect(toReportValue({ source: 'gateway', windowMs: 1, edges })).toEqual({
      source: 'gateway',
      windowMs: 1,
      edges: [
        { destination: 'orders', calls: 3, errors: 0, from: bucketOf(10), counts: [2, 0, 1] },
      ],
    });
  });

  it('names the 512 busiest of 600 edges, and is then under 256 KiB with latencies of all sizes', () => {
    const recorder = createTopologyRecorder();
    for (let i = 0; i < 600; i++) {
      const edge = recorder.edgeTo(`service-${i}`);
      // From 0.5 ms to half a second, each bucket of it.
      for (let call = 0; call <= i; call++) edge.record(0.5 * 1.09 ** (call % 80), false);
    }
    const value = toReportValue({ source: 'gateway', windowMs: 5_000, edges: recorder.take() });
    const { edges } = value as { edges: { destination: string; calls: number }[] };
    expect(edges.length).toBe(512);
    expect([edges[0]!.calls, edges.at(-1)!.calls]).toEqual([600, 89]);
    expect(JSON.stringify(value).length).toBeLessThan(256 * 1024);
  });

  it.each<[string, Json]>([
    ['a goodbye', null],
    ['a text', 'orders'],
    ['no source', { windowMs: 1, edges: [] }],
    ['no window', { source: 'a', edges: [] }],
    ['a window of nothing', { source: 'a', windowMs: 0, edges: [] }],
    ['no edges', { source: 'a', windowMs: 1 }],
  ])('is none: %s', (_, value) => {
    expect(parseReport(value)).toBeUndefined();
  });

  it.each<[string, Json]>([
    ['no object', 7],
    ['no destination', { ...EDGE, destination: 3 }],
    ['calls below zero', { ...EDGE, calls: -1 }],
    ['errors in words', { ...EDGE, errors: 'one' }],
    ['half a count', { ...EDGE, counts: [0.5] }],
    ['counts past the last bucket', { ...EDGE, from: BUCKETS, counts: [1] }],
    ['no counts', { ...EDGE, counts: null }],
  ])('leaves out an edge that is none: %s', (_, edge) => {
    const report = parseReport({ source: 'a', windowMs: 1, edges: [edge, EDGE] });
    expect(report!.edges.map(({ destination }) => destination)).toEqual(['orders']);
  });
});
