/** How many points a node draws at once: what it spends in a moment, and a fair part of what is left. */

const HORIZON_MS = 1_000;
const HORIZON_SHARE = 0.25;

/** Fewer points a batch the more nodes draw, but not so few that each request asks. */
const MIN_PARTS = 2;
const MAX_PARTS = 8;

/** Of points that are plenty as many are drawn as so many moments take … */
const PLENTY_MOMENTS = 8;
/** … if they are no more than this of what is drawn at most otherwise. */
const PLENTY_SHARE = 1 / 32;

/** Below a quarter of a batch the next one is drawn. */
const LOW_WATER_SHARE = 0.25;

/** The moment: a second, in windows of less than four seconds a quarter of one. */
export function horizonMs(windowMs: number): number {
  return Math.min(HORIZON_MS, windowMs * HORIZON_SHARE);
}

/**
 * What counts as recent `elapsedMs` after as much as `recent` did, with the `demand` of that time, which came
 * evenly spread, as far as is known. At a steady rate it is one moment's demand, however often it is taken.
 */
export function toRecent(
  recent: number,
  demand: number,
  elapsedMs: number,
  horizonMs: number,
): number {
  const moments = Math.max(0, elapsedMs) / horizonMs;
  if (moments === 0) return recent + demand;
  const kept = Math.exp(-moments);
  // In longer times most may have come at the end.
  return recent * kept + (demand * (1 - kept)) / Math.min(moments, PLENTY_MOMENTS);
}

export interface BatchFacts {
  /** Points asked for in the last moment. */
  readonly recent: number;
  /** Moments to the window's end, as far as is known. */
  readonly moments: number;
  /** Points that the window has left, as far as is known. */
  readonly left: number;
  readonly liveNodes: number;
}

/**
 * Never more than this node spends in a moment, so that is all it can withhold from others; never more than a
 * part of the rest, so the last points go one by one to whoever asks first. Where there are plenty, as for most
 * callers most of the time, what it spends in several moments: it asks an eighth as often.
 */
export function toBatch({ recent, moments, left, liveNodes }: BatchFacts): number {
  const parts = Math.min(MAX_PARTS, Math.max(MIN_PARTS, liveNodes));
  const part = left / parts;
  const oneMoment = Math.min(recent, part);
  const several = Math.min(recent * Math.min(moments, PLENTY_MOMENTS), part * PLENTY_SHARE);
  return Math.max(0, Math.floor(Math.max(oneMoment, several)));
}

/** Fewer points than this in hand: time to draw. 0 for small batches, which are drawn when needed. */
export function toLowWater(batch: number): number {
  return Math.floor(batch * LOW_WATER_SHARE);
}
