/** What all nodes see of the mesh's calls: who calls whom, how often, how well and how fast. */
import type { Backplane } from '../backplane/backplane.ts';
import { BUCKETS, percentile } from './latency-buckets.ts';
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

/** Calls that one node made to all services together, in its last report. */
export interface NodeTraffic {
  readonly node: string;
  /** Who calls: a service, or `gateway`. */
  readonly source: string;
  readonly traffic: Traffic;
}

export interface Traffic {
  /** Over the last seconds. */
  readonly requestsPerSecond: number;
  /** Of these, in a second, those that ended in a 5xx or without a whole answer. */
  readonly errorsPerSecond: number;
  /** Milliseconds, within 6.25%; undefined without calls. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** What a node told last. */
export interface NodeReport {
  readonly node: string;
  readonly report: TopologyReport;
}

interface Sum {
  readonly source: string;
  readonly counts: EdgeCounts;
  readonly requestsPerSecond: number;
  readonly nodes: readonly string[];
}

/** In the order of names. Asks the store; rejects with a `BackplaneError`. */
export async function readReports(backplane: Backplane): Promise<readonly NodeReport[]> {
  const reports: NodeReport[] = [];
  for (const { id: node, value } of await backplane.reports(TOPOLOGY_SPACE)) {
    const report = parseReport(value);
    if (report !== undefined) reports.push({ node, report });
  }
  return reports.toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

/** In the order of source and destination. */
export function toEdges(reports: readonly NodeReport[]): readonly Edge[] {
  const sums = new Map<string, Sum>();
  for (const { node, report } of reports) addReport(sums, node, report);
  return [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => toEdge(sum));
}

/** By node, and of all of them; of calls to the services that `counts` is true of. */
export function toTraffic(
  reports: readonly NodeReport[],
  counts: (destination: string) => boolean,
): { readonly nodes: readonly NodeTraffic[]; readonly total: Traffic } {
  const counted = reports.map(({ node, report: { source, windowMs, edges } }) => ({
    node,
    source,
    windowMs,
    edges: edges.filter(({ destination }) => counts(destination)),
  }));
  return {
    nodes: counted.map((one) => ({ node: one.node, source: one.source, traffic: sumOf([one]) })),
    total: sumOf(counted),
  };
}

function sumOf(windows: readonly Pick<TopologyReport, 'windowMs' | 'edges'>[]): Traffic {
  let requestsPerSecond = 0;
  let errorsPerSecond = 0;
  const buckets = new Float64Array(BUCKETS);
  for (const { windowMs, edges } of windows) {
    for (const edge of edges) {
      requestsPerSecond += toRate(edge.calls, windowMs);
      errorsPerSecond += toRate(edge.errors, windowMs);
      for (let i = 0; i < edge.buckets.length; i++) buckets[i]! += edge.buckets[i]!;
    }
  }
  return {
    requestsPerSecond,
    errorsPerSecond,
    p50Ms: percentile(buckets, 0.5),
    p99Ms: percentile(buckets, 0.99),
  };
}

/** In a second. */
function toRate(count: number, windowMs: number): number {
  return (count * 1000) / windowMs;
}

function addReport(sums: Map<string, Sum>, node: string, report: TopologyReport): void {
  const { source, windowMs, edges } = report;
  for (const counts of edges) {
    const key = `${source}\0${counts.destination}`;
    const known = sums.get(key);
    const rate = toRate(counts.calls, windowMs);
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
