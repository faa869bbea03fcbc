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

/**
 * Averages weighted by traffic. From three nodes on, nodes are dealt into three groups, from
 * five on into five, and the weighted median of the groups' averages counts ("median of means"):
 * what one node says moves one group, and one group moves the median no further than to its
 * neighbour. Does not depend on the order of the reports.
 */
export function combineTraffic(
  reports: readonly TrafficReport[],
): ReadonlyMap<string, CombinedTraffic> {
  const byEndpoint = new Map<string, Map<string, EndpointTraffic>>();
  for (const { node, endpoints } of reports) {
    for (const seen of endpoints) {
      let voices = byEndpoint.get(seen.id);
      if (voices === undefined) byEndpoint.set(seen.id, (voices = new Map()));
      const known = voices.get(node);
      voices.set(node, known === undefined ? seen : sum([known, seen]));
    }
  }
  const combined = new Map<string, CombinedTraffic>();
  for (const [id, voices] of byEndpoint) combined.set(id, combine(voices));
  return combined;
}

function combine(voices: ReadonlyMap<string, EndpointTraffic>): CombinedTraffic {
  const all = [...voices]
    .toSorted(([a, one], [b, other]) => other.requests - one.requests || (a < b ? -1 : 1))
    .map(([, seen]) => seen);
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
    errorRatio: median(groups.map((group) => [group.failures / group.requests, group.requests])),
    latencyMs:
      timed.length === 0
        ? undefined
        : median(timed.map((group) => [group.latencyMs, group.requests])),
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

/** The value at which half of the weight is reached; no weight is more than the others' together. */
function median(weighted: readonly (readonly [value: number, weight: number])[]): number {
  const heaviest = Math.max(...weighted.map(([, weight]) => weight));
  const others = weighted.reduce((total, [, weight]) => total + weight, 0) - heaviest;
  const most = weighted.length < 3 ? heaviest : Math.min(heaviest, others * MAX_VOICE);
  const capped = weighted
    .map(([value, weight]) => [value, Math.min(weight, most)] as const)
    .toSorted(([a], [b]) => a - b);
  const half = capped.reduce((total, [, weight]) => total + weight, 0) / 2;
  let reached = 0;
  for (const [value, weight] of capped) {
    reached += weight;
    if (reached >= half) return value;
  }
  return capped.at(-1)![0];
}
