/** The arithmetic of the results: medians, ratios, percentiles, slopes. */

/** NaN where there is nothing to take it of. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The median of each round's ratio. Both were measured within seconds of each other in a round, so
 * that a machine that is slower for a while changes the two alike, and the ratio stays.
 */
export function medianRatio(values: readonly number[], baseline: readonly number[]): number {
  const rounds = Math.min(values.length, baseline.length);
  return median(Array.from({ length: rounds }, (_, round) => values[round]! / baseline[round]!));
}

/** By nearest rank; `share` is in (0, 1]. NaN where there is nothing to take it of. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}

/** How much `y` grows per unit of `x`, by least squares. */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const count = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count;
  const covariance = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return covariance / variance;
}
