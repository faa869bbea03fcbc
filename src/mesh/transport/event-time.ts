/** The time, looked at once for all that one event brings about. */
import { performance } from 'node:perf_hooks';

let isWithin = false;
/** 0: nobody has asked since the event began. */
let knownMs = 0;

/** What is done until `endEvent` is done at one time, unless `timePasses` says otherwise. */
export function beginEvent(): void {
  isWithin = true;
  knownMs = 0;
}

export function endEvent(): void {
  isWithin = false;
  knownMs = 0;
}

/** Others have had their time within this event, such as hooks: the clock is looked at anew. */
export function timePasses(): void {
  knownMs = 0;
}

/**
 * Milliseconds of `performance.now()`. A request asks some five times, within microseconds; and a look takes
 * longer than most of what is done between two.
 */
export function eventNowMs(): number {
  if (knownMs > 0) return knownMs;
  const nowMs = performance.now();
  if (isWithin) knownMs = nowMs;
  return nowMs;
}
