/** How long to wait before a retry: full jitter, so that callers who failed together do not return together. */

const STEP_MS = 25;
const CAP_MS = 250;

/**
 * Milliseconds before the `retry`-th retry (1 is the first): uniform in
 * [0, (2^retry − 1) · 25 ms), the bound at most 250 ms. Source: Envoy, "x-envoy-max-retries";
 * AWS, "Exponential Backoff And Jitter".
 */
export function backoffMs(retry: number, random: () => number): number {
  return Math.floor(random() * Math.min(CAP_MS, (2 ** retry - 1) * STEP_MS));
}
