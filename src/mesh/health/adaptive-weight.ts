/** Adaptive weights: how much of its weight an endpoint gets, by how it does beside its peers. */
import type { CombinedTraffic } from './combined-traffic.ts';

export const MIN_FACTOR = 0.1;
/** Of the factor, in one step downwards. */
const MAX_STEP = 0.2;
/** Upwards: from a tenth to the whole in 47 steps, about four minutes. */
const RECOVERY_STEP = 0.05;

/** Fewer requests are no opinion. */
const MIN_REQUESTS = 20;
/** Fewer failures are chance. */
const MIN_FAILURES = 3;
/** An error ratio so far above that of the peers is borne. */
const ERROR_TOLERANCE = 0.02;
/** Latency is borne up to so many times that of the peers, and up to so much more. */
const LATENCY_TOLERANCE = 2;
const LATENCY_TOLERANCE_MS = 20;

export interface WeightFactor {
  /** 0.1 to 1, in thousandths. */
  readonly factor: number;
  /** For people: why it is not 1. */
  readonly reason: string;
}

/** Of an endpoint that gets all of its weight. */
export const WHOLE_WEIGHT: WeightFactor = { factor: 1, reason: '' };

/**
 * One step: the factors from now on, of the endpoints whose factor is below 1. Pure: the same
 * reports and factors lead to the same result on every node.
 *
 * An endpoint is measured by the median of its peers, so where all, or most, do equally badly
 * nobody loses weight. Its factor goes where it would fail no more calls than a peer does with
 * the tolerance on top, or have no more of them waiting: weight in proportion to what is borne ÷
 * what is seen. Without an opinion it recovers, for it would never get the requests to form one.
 */
export function stepFactors(
  traffic: ReadonlyMap<string, CombinedTraffic>,
  previous: ReadonlyMap<string, WeightFactor>,
): ReadonlyMap<string, WeightFactor> {
  const heard = [...traffic].filter(([, { requests }]) => requests >= MIN_REQUESTS);
  const errors = createPeerMedian(heard.map(([, { errorRatio }]) => errorRatio));
  const latencies = createPeerMedian(
    heard.flatMap(([, { latencyMs }]) => (latencyMs === undefined ? [] : [latencyMs])),
  );
  const next = new Map<string, WeightFactor>();
  for (const [id, seen] of heard) {
    const target = lesser(errorTarget(seen, errors), latencyTarget(seen, latencies));
    const moved = moveTowards(previous.get(id) ?? WHOLE_WEIGHT, target);
    if (moved.factor < 1) next.set(id, moved);
  }
  const isHeard = new Set(heard.map(([id]) => id));
  for (const [id, before] of previous) {
    if (isHeard.has(id)) continue;
    const moved = moveTowards(before, { factor: 1, reason: 'recovers, too few requests to tell' });
    if (moved.factor < 1) next.set(id, moved);
  }
  return next;
}

/** A fifth down at most, a twentieth up. */
function moveTowards(before: WeightFactor, target: WeightFactor): WeightFactor {
  if (target.factor === before.factor) return { factor: before.factor, reason: target.reason };
  // Rounded towards where it comes from, so that no step is longer than allowed.
  const factor =
    target.factor < before.factor
      ? Math.ceil(Math.max(target.factor, before.factor * (1 - MAX_STEP)) * 1000 - 1e-9) / 1000
      : Math.floor(Math.min(target.factor, before.factor * (1 + RECOVERY_STEP)) * 1000 + 1e-9) /
        1000;
  return { factor, reason: target.reason };
}

function lesser(one: WeightFactor, other: WeightFactor): WeightFactor {
  return other.factor < one.factor ? other : one;
}

const WELL_AGAIN: WeightFactor = { factor: 1, reason: 'recovers, it does as well as its peers' };

function errorTarget(
  { requests, errorRatio }: CombinedTraffic,
  medianOfPeers: PeerMedian,
): WeightFactor {
  const peers = medianOfPeers(errorRatio);
  if (peers === undefined || errorRatio * requests < MIN_FAILURES) return WELL_AGAIN;
  const borne = peers + ERROR_TOLERANCE;
  if (errorRatio <= borne) return WELL_AGAIN;
  return {
    factor: toFactor(borne / errorRatio),
    reason: `error ratio ${errorRatio.toFixed(2)} against ${peers.toFixed(2)} of its peers`,
  };
}

function latencyTarget({ latencyMs }: CombinedTraffic, medianOfPeers: PeerMedian): WeightFactor {
  if (latencyMs === undefined) return WELL_AGAIN;
  const peers = medianOfPeers(latencyMs);
  if (peers === undefined) return WELL_AGAIN;
  const borne = Math.max(peers * LATENCY_TOLERANCE, peers + LATENCY_TOLERANCE_MS);
  if (latencyMs <= borne) return WELL_AGAIN;
  return {
    factor: toFactor(borne / latencyMs),
    reason: `latency ${toMs(latencyMs)} against ${toMs(peers)} of its peers`,
  };
}

function toFactor(share: number): number {
  return Math.max(MIN_FACTOR, Math.round(share * 1000) / 1000);
}

function toMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** Of all values but one that is `own`; undefined where that was the only one. */
type PeerMedian = (own: number) => number | undefined;

function createPeerMedian(values: readonly number[]): PeerMedian {
  const sorted = values.toSorted((a, b) => a - b);
  const count = sorted.length - 1;
  return (own) => {
    if (count < 1) return undefined;
    const at = indexOf(sorted, own);
    const nth = (rank: number): number => sorted[rank < at ? rank : rank + 1]!;
    const middle = (count - 1) / 2;
    return (nth(Math.floor(middle)) + nth(Math.ceil(middle))) / 2;
  };
}

/** Where the first that is no less than it stands; by bisection, for there may be 10,000. */
function indexOf(sorted: readonly number[], value: number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
