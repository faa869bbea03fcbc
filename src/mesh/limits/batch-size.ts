/** How many points a node draws at once: what it spends in a moment, and a fair part of what is left. */

const HORIZON_MS = 1_000;
const HORIZON_SHARE = 0.25;

/** Fewer points a batch the more nodes draw, but not so few that each request asks. */
const MIN_PARTS = 2;
const MAX_PARTS = 8;

/** Below a quarter of a batch the next one is drawn. */
const LOW_WATER_SHARE = 0.25;

/** The moment: a second, in windows of less than four seconds a quarter of one. */
export function horizonMs(windowMs: number): number {
  return Math.min(HORIZON_MS, windowMs * HORIZON_SHARE);
}

/** What of a demand counts as recent, `elapsedMs` later. At a steady rate it sums to one moment's demand. */
export function fade(recent: number, elapsedMs: number, horizonMs: number): number {
  return recent * Math.exp(-Math.max(0, elapsedMs) / horizonMs);
}

export interface BatchFacts {
  /** Points asked for in the last moment. */
  readonly recent: number;
  /** Points that the window has left, as far as is known. */
  readonly left: number;
  readonly liveNodes: number;
}

/**
 * Never more than this node spends in a moment, so that is all it can withhold from others;
 * never more than a part of the rest, so the last points go one by one to whoever asks first.
 */
export function toBatch({ recent, left, liveNodes }: BatchFacts): number {
  const parts = Math.min(MAX_PARTS, Math.max(MIN_PARTS, liveNodes));
  return Math.max(0, Math.min(Math.floor(recent), Math.floor(left / parts)));
}

/** Fewer points than this in hand: time to draw. 0 for small batches, which are drawn when needed. */
export function toLowWater(batch: number): number {
  return Math.floor(batch * LOW_WATER_SHARE);
}
