/** What all nodes together saw of each endpoint, so that no single one of them can tell lies that count. */
import type { EndpointTraffic, TrafficReport } from './traffic-report.ts';

export interface CombinedTraffic {
  readonly requests: number;
  readonly errorRatio: number;
  /** Undefined where nobody measured it. */
  readonly latencyMs: number | undefined;
}

/** Requests below which a group of nodes has no voice. */
const MIN_VOICE = 5;
/** A voice weighs at most so much of all others together, and thus never decides alone. */
const MAX_VOICE = 0.9;

/** What each node says of one endpoint, in the order of the nodes' names. */
export type Voices = readonly EndpointTraffic[];

/** By endpoint. A node with several reports has one voice. */
export function gatherVoices(reports: readonly TrafficReport[]): ReadonlyMap<string, Voices> {
  const byEndpoint = new Map<string, EndpointTraffic[]>();
  for (const endpoints of byNode(reports)) {
    for (const seen of endpoints) {
      const voices = byEndpoint.get(seen.id);
      if (voices === undefined) byEndpoint.set(seen.id, [seen]);
      else voices.push(seen);
    }
  }
  return byEndpoint;
}

function byNode(reports: readonly TrafficReport[]): readonly (readonly EndpointTraffic[])[] {
  const groups = [...Map.groupBy(reports, ({ node }) => node)];
  return groups
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, [first, ...more]]) => {
      if (more.length === 0) return first!.endpoints;
      const all = [first!, ...more].flatMap(({ endpoints }) => endpoints);
      return [...Map.groupBy(all, ({ id }) => id).values()].map(sum);
    });
}

/**
 * Averages weighted by traffic. From three nodes on, nodes are dealt into three groups, from
 * five on into five, and the weighted median of the groups' averages counts ("median of means"):
 * what one node says moves one group, and one group moves the median no further than to its
 * neighbour. Does not depend on the order of the reports.
 */
export function combineVoices(voices: Voices): CombinedTraffic {
  const all = voices.toSorted((one, other) => other.requests - one.requests);
  const { requests, failures, latencyMs } = sum(all);
  const groups = toGroups(all).filter((group) => group.requests >= MIN_VOICE);
  if (groups.length < 3) {
    return {
      requests,
      errorRatio: requests === 0 ? 0 : failures / requests,
      latencyMs: latencyMs === 0 ? undefined : latencyMs,
    };
  }
  const timed = groups.filter((group) => group.latencyMs > 0);
  return {
    requests,
    errorRatio: median(
      groups.map((group) => ({ value: group.failures / group.requests, weight: group.requests })),
    ),
    latencyMs:
      timed.length === 0
        ? undefined
        : median(timed.map((group) => ({ value: group.latencyMs, weight: group.requests }))),
  };
}

/** Dealt in turn, the busiest first, so that these are apart. */
function toGroups(voices: readonly EndpointTraffic[]): readonly EndpointTraffic[] {
  const count = voices.length < 3 ? 1 : voices.length < 5 ? 3 : 5;
  if (count === voices.length) return voices;
  const groups = Array.from({ length: count }, (): EndpointTraffic[] => []);
  for (const [index, seen] of voices.entries()) groups[index % count]!.push(seen);
  return groups.map(sum);
}

function sum(voices: readonly EndpointTraffic[]): EndpointTraffic {
  let [requests, failures, timed, time] = [0, 0, 0, 0];
  for (const seen of voices) {
    requests += seen.requests;
    failures += seen.failures;
    if (seen.latencyMs === 0) continue;
    timed += seen.requests;
    time += seen.requests * seen.latencyMs;
  }
  return { id: voices[0]?.id ?? '', requests, failures, latencyMs: timed === 0 ? 0 : time / timed };
}

/** For reports that are few, or small. */
export function combineTraffic(
  reports: readonly TrafficReport[],
): ReadonlyMap<string, CombinedTraffic> {
  const combined = new Map<string, CombinedTraffic>();
  for (const [id, voices] of gatherVoices(reports)) combined.set(id, combineVoices(voices));
  return combined;
}

interface Weighted {
  readonly value: number;
  readonly weight: number;
}

/** The value at which half of the weight is reached; no weight is more than the others' together. */
function median(items: readonly Weighted[]): number {
  let [total, heaviest] = [0, 0];
  for (const { weight } of items) {
    total += weight;
    if (weight > heaviest) heaviest = weight;
  }
  const others = total - heaviest;
  const most = items.length < 3 ? heaviest : Math.min(heaviest, others * MAX_VOICE);
  const half = (others + most) / 2;
  const sorted = items.toSorted((one, other) => one.value - other.value);
  let reached = 0;
  for (const { value, weight } of sorted) {
    reached += Math.min(weight, most);
    if (reached >= half) return value;
  }
  return sorted.at(-1)!.value;
}
