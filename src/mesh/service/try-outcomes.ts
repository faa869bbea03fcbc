/** What becomes of each try, told to those who learn from it: outlier detection and the latency estimate. */
import { sampleFailure, sampleLatency } from '../balancing/peak-ewma.ts';
import type { Endpoint } from '../endpoint.ts';
import type { OutlierDetector } from '../health/outlier-detector.ts';
import { grpcStatusOf, toHttpStatus } from '../health/grpc-status.ts';
import { findRetryAfterMs } from '../resilience/retry-after.ts';
import type { UpstreamFailure } from '../transport/upstream-error.ts';

export interface TryOutcomesOptions {
  /** Undefined: off. */
  readonly outliers: OutlierDetector | undefined;
  /** Somebody goes by latency; else no clock is read for it. */
  readonly latency: boolean;
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

/** Called on every try: nothing here allocates. `startedAtMs` is what `start` returned for it. */
export class TryOutcomes {
  readonly #options: TryOutcomesOptions;

  constructor(options: TryOutcomesOptions) {
    this.#options = options;
  }

  /** A try is being sent. */
  start(): number {
    return this.#options.latency ? this.#options.monotonic() : 0;
  }

  /** The head of an answer came: the first byte, as far as the caller can tell. */
  answered(
    endpoint: Endpoint,
    startedAtMs: number,
    httpStatus: number,
    headers: readonly string[],
  ): void {
    const { outliers, latency, http2, monotonic, now } = this.#options;
    const code = http2 && httpStatus === 200 ? grpcStatusOf(headers) : undefined;
    const status = code === undefined ? httpStatus : toHttpStatus(code);
    outliers?.onAnswer(endpoint, status);
    if (!latency) return;
    const nowMs = monotonic();
    if (status === 429 || status >= 500) {
      sampleFailure(endpoint.seen, findRetryAfterMs(headers, now()) ?? 0, nowMs);
    } else {
      sampleLatency(endpoint.seen, nowMs - startedAtMs, nowMs);
    }
  }

  /** No answer came, or not all of it. */
  failed(endpoint: Endpoint, failure: UpstreamFailure): void {
    if (!BLAMED[failure]) return;
    const { outliers, latency, monotonic } = this.#options;
    outliers?.onFailure(endpoint);
    if (latency) sampleFailure(endpoint.seen, 0, monotonic());
  }

  /** The caller left before there was an answer: it would have taken at least as long. */
  abandoned(endpoint: Endpoint, startedAtMs: number): void {
    if (!this.#options.latency) return;
    const nowMs = this.#options.monotonic();
    const elapsedMs = nowMs - startedAtMs;
    if (elapsedMs > endpoint.seen.latencyMs) sampleLatency(endpoint.seen, elapsedMs, nowMs);
  }
}
