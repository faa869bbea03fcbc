/** peak-ewma: the endpoint expected to answer first, by latency and requests in flight, of two drawn. */
import type { Endpoint, EndpointObservations } from '../endpoint.ts';
import type { BalancingPolicy, PolicyOptions } from './policy.ts';
import { pickOfTwo } from './two-choices.ts';

/** How fast the past is forgotten; Finagle's and Linkerd's default. */
const DECAY_MS = 10_000;

/** What a failure counts as: without it an endpoint that fails fast would draw all traffic (linkerd2#11669). */
const FAILURE_LATENCY_MS = 5_000;
const MAX_RETRY_AFTER_MS = 300_000;

export interface PeakEwmaOptions extends PolicyOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
}

/**
 * A sample above the average takes its place at once; one below draws it down by
 * w = e^(−Δt/τ), τ = 10 s. Source: Finagle, PeakEwma.
 */
export function sampleLatency(seen: EndpointObservations, latencyMs: number, nowMs: number): void {
  if (latencyMs > seen.latencyMs) {
    seen.latencyMs = latencyMs;
  } else {
    const kept = Math.exp((seen.sampledAtMs - nowMs) / DECAY_MS);
    seen.latencyMs = seen.latencyMs * kept + latencyMs * (1 - kept);
  }
  seen.sampledAtMs = nowMs;
}

/** A failure, or an answer 429 or 5xx; `retryAfterMs` is honoured up to 300 s. */
export function sampleFailure(
  seen: EndpointObservations,
  retryAfterMs: number,
  nowMs: number,
): void {
  const askedMs = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  sampleLatency(seen, Math.max(FAILURE_LATENCY_MS, askedMs), nowMs);
}

/** Decays as it is read, so that an endpoint passed over is tried again some day. */
export function expectedLatencyMs(seen: EndpointObservations, nowMs: number): number {
  return seen.latencyMs * Math.exp((seen.sampledAtMs - nowMs) / DECAY_MS);
}

/** Load is latency · (in flight + 1), by weight; its samples are taken where tries end. */
export function createPeakEwma({ random, monotonic }: PeakEwmaOptions): BalancingPolicy {
  let endpoints: readonly Endpoint[] = [];
  let nowMs = 0;
  const loadOf = ({ seen, active, effectiveWeight }: Endpoint): number =>
    (expectedLatencyMs(seen, nowMs) * (active + 1)) / effectiveWeight;
  const toText = (endpoint: Endpoint): string => loadOf(endpoint).toPrecision(3);

  return {
    update(next) {
      endpoints = next;
    },
    pick({ exclude }) {
      nowMs = monotonic();
      return pickOfTwo(endpoints, exclude, random, loadOf);
    },
    explain({ exclude }) {
      nowMs = monotonic();
      let reason = '';
      const endpoint = pickOfTwo(endpoints, exclude, random, loadOf, (winner, second) => {
        reason =
          second === undefined
            ? 'peak-ewma: the only one'
            : `peak-ewma: of two drawn, load ${toText(winner)} against ${toText(second)} at ${second.id}`;
      });
      return endpoint && { endpoint, reason };
    },
  };
}
