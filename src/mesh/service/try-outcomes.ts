/** What becomes of each try, told to those who learn from it: outlier detection and the latency estimate. */
import { sampleFailure, sampleLatency } from '../balancing/peak-ewma.ts';
import type { Endpoint } from '../endpoint.ts';
import type { OutlierDetector } from '../health/outlier-detector.ts';
import { grpcStatusOf, toHttpStatus } from '../health/grpc-status.ts';
import type { HedgeRules } from '../resilience/hedge-policy.ts';
import { RecentLatency } from '../resilience/recent-latency.ts';
import { findRetryAfterMs } from '../resilience/retry-after.ts';
import type { UpstreamFailure } from '../transport/upstream-error.ts';

export interface TryOutcomesOptions {
  /** Undefined: off. */
  readonly outliers: OutlierDetector | undefined;
  /** Somebody goes by latency; else no clock is read for it. */
  readonly latency: boolean;
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
  'request-body': false,
};

/** Called on every try: nothing here allocates, but once an endpoint. `startedAtMs` is what `start` returned for it. */
export class TryOutcomes {
  readonly #options: TryOutcomesOptions;

  constructor(options: TryOutcomesOptions) {
    this.#options = options;
  }

  /** A try is being sent. */
  start(): number {
    const { latency, hedge, monotonic } = this.#options;
    return latency || hedge !== undefined ? monotonic() : 0;
  }

  /** The head of an answer came: the first byte, as far as the caller can tell. */
  answered(
    endpoint: Endpoint,
    startedAtMs: number,
    httpStatus: number,
    headers: readonly string[],
  ): void {
    const { outliers, latency, hedge, http2, monotonic, now } = this.#options;
    const code = http2 && httpStatus === 200 ? grpcStatusOf(headers) : undefined;
    const status = code === undefined ? httpStatus : toHttpStatus(code);
    outliers?.onAnswer(endpoint, status);
    if (!latency && hedge === undefined) return;
    const nowMs = monotonic();
    if (status === 429 || status >= 500) {
      if (latency) sampleFailure(endpoint.seen, findRetryAfterMs(headers, now()) ?? 0, nowMs);
      return;
    }
    if (latency) sampleLatency(endpoint.seen, nowMs - startedAtMs, nowMs);
    if (hedge !== undefined) recentOf(endpoint, hedge).record(nowMs - startedAtMs, nowMs);
  }

  /** No answer came, or not all of it. */
  failed(endpoint: Endpoint, failure: UpstreamFailure, startedAtMs: number): void {
    if (!BLAMED[failure]) return;
    const { outliers, latency, hedge, monotonic } = this.#options;
    outliers?.onFailure(endpoint);
    if (latency) sampleFailure(endpoint.seen, 0, monotonic());
    if (hedge !== undefined && failure === 'timeout') {
      const nowMs = monotonic();
      endpoint.seen.recentLatency?.recordAtLeast(nowMs - startedAtMs, nowMs);
    }
  }

  /** Nobody waits for its answer any more: it would have taken at least as long. */
  abandoned(endpoint: Endpoint, startedAtMs: number): void {
    const { latency, hedge, monotonic } = this.#options;
    if (!latency && hedge === undefined) return;
    const nowMs = monotonic();
    const elapsedMs = nowMs - startedAtMs;
    const { seen } = endpoint;
    if (latency && elapsedMs > seen.latencyMs) sampleLatency(seen, elapsedMs, nowMs);
    seen.recentLatency?.recordAtLeast(elapsedMs, nowMs);
  }
}

function recentOf({ seen }: Endpoint, { percentile }: HedgeRules): RecentLatency {
  return (seen.recentLatency ??= new RecentLatency(percentile));
}
