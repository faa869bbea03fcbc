/** Slow start: an endpoint that is new, or well again, gets its share little by little. */
import type { Endpoint } from '../endpoint.ts';

export interface SlowStart {
  /** How long it takes to the whole share, in milliseconds. */
  readonly windowMs: number;
  /** Above 1 the share grows fast at first and slowly later; default 1, in a straight line. */
  readonly aggression: number;
}

/** Too little to be noticed by a cold cache, enough to see that requests come. */
const LEAST_FACTOR = 0.1;
const LEAST_MS = 1000;

/**
 * max(0.10, (max(t, 1 s) / window)^(1/aggression)), and 1 from the window's end on.
 * Source: Envoy, "Slow start mode".
 */
export function slowStartFactor(sinceMs: number, { windowMs, aggression }: SlowStart): number {
  if (sinceMs >= windowMs) return 1;
  const progress = Math.min(1, Math.max(sinceMs, LEAST_MS) / windowMs);
  return Math.max(LEAST_FACTOR, progress ** (1 / aggression));
}

/** Sets every `effectiveWeight`; returns whether one of them is still growing. */
export function applyWeights(
  endpoints: readonly Endpoint[],
  slowStart: SlowStart | undefined,
  nowMs: number,
): boolean {
  let growing = false;
  for (const endpoint of endpoints) {
    const factor =
      slowStart === undefined ? 1 : slowStartFactor(nowMs - endpoint.wellSinceMs, slowStart);
    endpoint.effectiveWeight = endpoint.weight * factor;
    if (factor < 1) growing = true;
  }
  return growing;
}
