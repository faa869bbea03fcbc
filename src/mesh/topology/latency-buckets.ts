/** Latencies in fixed buckets, so that the counts of many nodes add up to those of the mesh. */

/**
 * Eight buckets to a power of two, from 1 µs to 18 minutes: a percentile read from them is within
 * 6.25% of the true one, whatever the scale. Nodes tell each other such counts; what only one node
 * reads, and differently, is `resilience/recent-latency.ts`.
 */
const STEPS = 8;
const STEP_BITS = 3;
/** 2^30 µs; what takes longer counts as that. */
const MAX_EXPONENT = 29;
const MAX_MS = 2 ** 30 / 1000;

/** How many there are. */
export const BUCKETS = (MAX_EXPONENT - STEP_BITS + 2) * STEPS;

/** Which one a latency in milliseconds falls into. */
export function bucketOf(ms: number): number {
  // A clock that went back, or no number, is no time at all.
  if (!(ms > 0)) return 0;
  if (ms >= MAX_MS) return BUCKETS - 1;
  const us = (ms * 1000) | 0;
  if (us < STEPS) return us;
  const exponent = 31 - Math.clz32(us);
  return (exponent - STEP_BITS + 1) * STEPS + ((us >>> (exponent - STEP_BITS)) & (STEPS - 1));
}

/** The middle of a bucket, in milliseconds. */
export function middleOf(bucket: number): number {
  if (bucket < STEPS) return (bucket + 0.5) / 1000;
  const width = 2 ** (Math.floor(bucket / STEPS) - 1);
  return ((STEPS + (bucket % STEPS) + 0.5) * width) / 1000;
}

/** What a share `quantile` (0 to 1) of the counted took at most, in milliseconds; undefined for none. */
export function percentile(counts: ArrayLike<number>, quantile: number): number | undefined {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  if (total === 0) return undefined;
  let left = Math.max(1, Math.ceil(total * quantile));
  let bucket = 0;
  while ((left -= counts[bucket]!) > 0) bucket++;
  return middleOf(bucket);
}
