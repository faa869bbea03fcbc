/** What becomes of each try, told to those who learn from it: outlier detection, the latency estimate, and totals. */
import { sampleFailure, sampleLatency } from '../balancing/peak-ewma.ts';
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import type { Endpoint, EndpointObservations } from '../endpoint.ts';
import { grpcStatusOf, toHttpStatus } from '../health/grpc-status.ts';
import type { HedgeRules } from '../resilience/hedge-policy.ts';
import { RecentLatency } from '../resilience/recent-latency.ts';
import { findRetryAfterMs } from '../resilience/retry-after.ts';
import type { UpstreamFailure } from '../transport/upstream-error.ts';
import type { TryListener } from './following.ts';

export interface TryOutcomesOptions {
  /** Undefined: off. */
  readonly outliers: TryListener | undefined;
  /** Somebody goes by latency. */
  readonly latency: boolean;
  /** Somebody goes by how long answers take on average. */
  readonly timed: boolean;
  /** Undefined: calls are not hedged. */
  readonly hedge: HedgeRules | undefined;
  /** Answers may be gRPC's, whose failures have the status 200. */
  readonly http2: boolean;
  readonly monotonic: () => number;
  readonly now: () => number;
}

/** Failures that say something about the endpoint; a refused stream is how one leaves in good order. */
const BLAMED: Readonly<Record<UpstreamFailure, boolean>> = {
  connect: true,
  'connect-timeout': true,
  tls: true,
  reset: true,
  protocol: true,
  timeout: true,
  'refused-stream': false,
  overflow: false,
  exhausted: false,
  'request-body': false,
};

/** Called on every try: nothing here allocates, but once an endpoint. `startedAtMs` is what `start` returned for it. */
export class TryOutcomes {
  readonly #options: TryOutcomesOptions;
  /** Somebody goes by time, in one way or another; else no clock is read. */
  readonly #readsClock: boolean;

  constructor(options: TryOutcomesOptions) {
    this.#options = options;
    const { latency, timed, hedge } = options;
    this.#readsClock = latency || timed || hedge !== undefined;
  }

  /** A try is being sent. */
  start(): number {
    return this.#readsClock ? this.#options.monotonic() : 0;
  }

  /**
   * The head of an answer came: the first byte, as far as the caller can tell. Returns whether it
   * is a failure: a 5xx, or a gRPC status that is as bad.
   */
  answered(
    endpoint: Endpoint,
    startedAtMs: number,
    httpStatus: number,
    headers: HeaderFields,
  ): boolean {
    const { outliers, latency, timed, hedge, http2, monotonic, now } = this.#options;
    const code = http2 && httpStatus === 200 ? grpcStatusOf(headers.raw) : undefined;
    const status = code === undefined ? httpStatus : toHttpStatus(code);
    const { seen } = endpoint;
    seen.tries++;
    const hasFailed = status >= 500;
    if (hasFailed) seen.failedTries++;
    outliers?.onAnswer(endpoint, status);
    if (!this.#readsClock) return hasFailed;
    const nowMs = monotonic();
    if (status === 429 || hasFailed) {
      // One that fails is often fast at it: no other measure of time may hear of it.
      if (latency) sampleFailure(seen, findRetryAfterMs(headers.raw, now()) ?? 0, nowMs);
      return hasFailed;
    }
    const tookMs = nowMs - startedAtMs;
    if (timed) addAnswer(seen, tookMs);
    if (latency) sampleLatency(seen, tookMs, nowMs);
    if (hedge !== undefined) recentOf(seen, hedge).record(tookMs, nowMs);
    return hasFailed;
  }

  /** No answer came, or not all of it. */
  failed(endpoint: Endpoint, failure: UpstreamFailure, startedAtMs: number): void {
    if (!BLAMED[failure]) return;
    const { outliers, latency, hedge, monotonic } = this.#options;
    endpoint.seen.tries++;
    endpoint.seen.failedTries++;
    outliers?.onFailure(endpoint);
    if (latency) sampleFailure(endpoint.seen, 0, monotonic());
    if (hedge !== undefined && failure === 'timeout') {
      const nowMs = monotonic();
      endpoint.seen.recentLatency?.recordAtLeast(nowMs - startedAtMs, nowMs);
    }
  }

  /** Nobody waits for its answer any more: it would have taken at least as long. */
  abandoned(endpoint: Endpoint, startedAtMs: number): void {
    if (!this.#readsClock) return;
    const { latency, timed, monotonic } = this.#options;
    const { seen } = endpoint;
    const nowMs = monotonic();
    const elapsedMs = nowMs - startedAtMs;
    if (timed && seen.usualAnswerMs > 0 && elapsedMs > seen.usualAnswerMs) {
      addAnswer(seen, elapsedMs);
    }
    if (latency && elapsedMs > seen.latencyMs) sampleLatency(seen, elapsedMs, nowMs);
    seen.recentLatency?.recordAtLeast(elapsedMs, nowMs);
  }
}

function addAnswer(seen: EndpointObservations, tookMs: number): void {
  seen.timedAnswers++;
  seen.answerMs += tookMs;
}

function recentOf(seen: EndpointObservations, { percentile }: HedgeRules): RecentLatency {
  return (seen.recentLatency ??= new RecentLatency(percentile));
}
