/** The mesh's edges as all of its nodes see them: what calls what, how often, how well and how fast. */
import type { Backplane } from '../backplane/backplane.ts';
import { percentile } from './latency-buckets.ts';
import { addBuckets, type EdgeCounts } from './recorder.ts';
import { parseReport, TOPOLOGY_SPACE, type TopologyReport } from './report.ts';

export interface Edge {
  /** The calling service, or `gateway`. */
  readonly source: string;
  readonly destination: string;
  /** Over the last seconds; 0 for an edge that was used a moment ago. */
  readonly requestsPerSecond: number;
  /** Share of the calls that ended in a 5xx or without a whole answer, 0 to 1. */
  readonly errorRatio: number;
  /** Milliseconds from the call to the end of its answer, within 6.25%; undefined without calls. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** Names of those that told of it, in order. */
  readonly nodes: readonly string[];
}

interface Sum {
  readonly source: string;
  readonly counts: EdgeCounts;
  readonly requestsPerSecond: number;
  readonly nodes: readonly string[];
}

/** In the order of source and destination. Asks the store; rejects with a `BackplaneError`. */
export async function readTopology(backplane: Backplane): Promise<readonly Edge[]> {
  const sums = new Map<string, Sum>();
  for (const { id, value } of await backplane.reports(TOPOLOGY_SPACE)) {
    const report = parseReport(value);
    if (report !== undefined) addReport(sums, id, report);
  }
  return [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => toEdge(sum));
}

function addReport(sums: Map<string, Sum>, node: string, report: TopologyReport): void {
  const { source, windowMs, edges } = report;
  for (const counts of edges) {
    const key = `${source}\0${counts.destination}`;
    const known = sums.get(key);
    const rate = (counts.calls * 1000) / windowMs;
    if (known === undefined) {
      sums.set(key, { source, counts, requestsPerSecond: rate, nodes: [node] });
      continue;
    }
    sums.set(key, {
      source,
      counts: {
        destination: counts.destination,
        calls: known.counts.calls + counts.calls,
        errors: known.counts.errors + counts.errors,
        buckets: addBuckets(known.counts.buckets, counts.buckets),
      },
      requestsPerSecond: known.requestsPerSecond + rate,
      nodes: [...known.nodes, node],
    });
  }
}

function toEdge({ source, counts, requestsPerSecond, nodes }: Sum): Edge {
  const { destination, calls, errors, buckets } = counts;
  return {
    source,
    destination,
    requestsPerSecond,
    errorRatio: calls === 0 ? 0 : errors / calls,
    p50Ms: percentile(buckets, 0.5),
    p99Ms: percentile(buckets, 0.99),
    nodes: nodes.toSorted(),
  };
}
