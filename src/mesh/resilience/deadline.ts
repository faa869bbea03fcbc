/** Deadlines: what is left of a route's timeout, and how much of it one try may use. All in monotonic milliseconds. */

/** The moment the whole exchange must have ended; a timeout of 0 is none: Infinity. */
export function toDeadlineMs(startedMs: number, timeoutMs: number): number {
  return timeoutMs === 0 ? Infinity : startedMs + timeoutMs;
}

/** Never below 0; Infinity where there is no deadline. */
export function remainingMs(deadlineMs: number, nowMs: number): number {
  return Math.max(0, deadlineMs - nowMs);
}

/** What ends a try that takes too long: its own limit may be retried, the route's may not. */
export type TimeoutBound = 'try' | 'route' | 'none';

/** With both at once it is the route's: nothing is left for a retry. */
export function timeoutBound(perTryTimeoutMs: number, leftMs: number): TimeoutBound {
  if (perTryTimeoutMs !== 0 && perTryTimeoutMs < leftMs) return 'try';
  return leftMs === Infinity ? 'none' : 'route';
}

/**
 * Milliseconds for a whole try: the per-try timeout (0 is none) or what is left of the
 * route's, whichever is shorter; 0 where neither bounds it. At least 1 where one does, since 0 would
 * be no limit: whether anything is left must be asked before.
 */
export function tryTimeoutMs(perTryTimeoutMs: number, leftMs: number): number {
  const limitMs = perTryTimeoutMs === 0 ? leftMs : Math.min(perTryTimeoutMs, leftMs);
  return limitMs === Infinity ? 0 : Math.max(1, Math.ceil(limitMs));
}

/** Whether something is left after waiting. */
export function fitsDeadline(waitMs: number, leftMs: number): boolean {
  return waitMs < leftMs;
}
