/** When to ask DNS again: by the records' TTL after an answer, by backoff after a failure. */

const TTL_MIN_S = 1;
const TTL_MAX_S = 300;
/** The share of an interval by which a lookup may come early, so that nodes do not ask in step. */
const TTL_JITTER = 0.1;
const BACKOFF_BASE_MS = 1_000;
const BACKOFF_MAX_MS = 30_000;

/** Milliseconds to keep an answer by its TTL, held within 1 s … 5 min. */
export function ttlToMs(ttlSeconds: number): number {
  return Math.min(TTL_MAX_S, Math.max(TTL_MIN_S, ttlSeconds)) * 1_000;
}

/** `intervalMs`, less up to a tenth. */
export function refreshDelayMs(intervalMs: number, random: () => number): number {
  return intervalMs * (1 - TTL_JITTER * random());
}

/**
 * Milliseconds to wait after the `failures`-th failure in a row: 1 s, 2 s, 4 s … 30 s, of
 * which the lower half is certain and the upper half left to chance.
 */
export function failureDelayMs(failures: number, random: () => number): number {
  const fullMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (failures - 1));
  return fullMs * (0.5 + 0.5 * random());
}
