/** What a node publishes of its edges: the form on the backplane, bounded in size, and its reading. */
import type { Json } from '../backplane/backplane.ts';
import { isObject } from '../backplane/json-object.ts';
import { BUCKETS } from './latency-buckets.ts';
import type { EdgeCounts } from './recorder.ts';

/** The reports of all nodes; one a node, under its id. */
export const TOPOLOGY_SPACE = 'topology';

/** Some 300 bytes each: a report of all of them is 150 KB. */
const MAX_EDGES = 512;

export interface TopologyReport {
  /** Who calls: a service, or `gateway`. */
  readonly source: string;
  /** In which the counts were made. */
  readonly windowMs: number;
  readonly edges: readonly EdgeCounts[];
}

/** With the busiest edges where there are too many. */
export function toReportValue({ source, windowMs, edges }: TopologyReport): Json {
  const busiest = edges.toSorted(
    (a, b) => b.calls - a.calls || (a.destination < b.destination ? -1 : 1),
  );
  return { source, windowMs, edges: busiest.slice(0, MAX_EDGES).map(toEdgeValue) };
}

function toEdgeValue({ destination, calls, errors, buckets }: EdgeCounts): Json {
  const all = Array.from(buckets);
  const from = all.findIndex((count) => count > 0);
  // Latencies lie close together: what is between the first and the last is short.
  const counts = from === -1 ? [] : all.slice(from, all.findLastIndex((count) => count > 0) + 1);
  return { destination, calls, errors, from: Math.max(0, from), counts };
}

/** Undefined for what is no report, such as the goodbye of a node. */
export function parseReport(value: Json): TopologyReport | undefined {
  if (!isObject(value)) return undefined;
  const { source, windowMs, edges } = value;
  if (typeof source !== 'string' || typeof windowMs !== 'number' || !(windowMs > 0)) {
    return undefined;
  }
  if (!Array.isArray(edges)) return undefined;
  const parsed = edges.slice(0, MAX_EDGES).map(parseEdge);
  return { source, windowMs, edges: parsed.filter((edge) => edge !== undefined) };
}

function parseEdge(value: unknown): EdgeCounts | undefined {
  if (!isObject(value)) return undefined;
  const { destination, calls, errors, from, counts } = value;
  if (typeof destination !== 'string' || !isCount(calls) || !isCount(errors)) return undefined;
  if (!isCount(from) || !Array.isArray(counts) || !counts.every(isCount)) return undefined;
  if (from + counts.length > BUCKETS) return undefined;
  const buckets = new Float64Array(BUCKETS);
  buckets.set(counts, from);
  return { destination, calls, errors, buckets };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
