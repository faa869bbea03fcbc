/** When things happen on the backplane: leases, heartbeats, polls and reconnects, all jittered. */

/** A record that is not renewed for so long may be taken by the reaper. */
export const LEASE_MS = 15_000;
/** Of a report's goodbye: long enough to be told, short enough to be gone at once. */
export const GOODBYE_MS = 1;
const HEARTBEAT_MS = 5_000;
const HEARTBEAT_JITTER = 0.2;

const POLL_MIN_MS = 10_000;
const POLL_MAX_MS = 30_000;

/** After a view; changes within it reach a listener as one. */
export const DEBOUNCE_MS = 100;

const RECONNECT_BASE_MS = 50;
/** Well under the 5 s in which all is to be as before once the store is back. */
const RECONNECT_MAX_MS = 2_000;

const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 3_000;

/** 5 s, give or take a fifth: three chances within a lease. */
export function heartbeatDelayMs(random: () => number): number {
  return HEARTBEAT_MS * (1 + HEARTBEAT_JITTER * (2 * random() - 1));
}

/** 10 to 30 s. */
export function pollDelayMs(random: () => number): number {
  return POLL_MIN_MS + (POLL_MAX_MS - POLL_MIN_MS) * random();
}

/** Full jitter: anything up to 50 ms · 2^(attempt − 1), which is capped at 2 s; `attempt` from 1. */
export function reconnectDelayMs(attempt: number, random: () => number): number {
  return fullJitter(RECONNECT_BASE_MS, RECONNECT_MAX_MS, attempt, random);
}

/** Full jitter up to 100 ms · 2^(attempt − 1), capped at 3 s: for what is asked of a store that answers no. */
export function retryDelayMs(attempt: number, random: () => number): number {
  return fullJitter(RETRY_BASE_MS, RETRY_MAX_MS, attempt, random);
}

function fullJitter(baseMs: number, maxMs: number, attempt: number, random: () => number): number {
  // 2^30 is past every cap, and keeps the power finite however long an outage lasts.
  return random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
}
