/** What becomes of each try, told to those who learn from it: outlier detection, the latency estimate, and totals. */
import { sampleFailure, sampleLatency } from '../balancing/peak-ewma.ts';
import type { Endpoint, EndpointObservations } from '../endpoint.ts';
import type { OutlierDetector } from '../health/outlier-detector.ts';
import { grpcStatusOf, toHttpStatus } from '../health/grpc-status.ts';
import { findRetryAfterMs } from '../resilience/retry-after.ts';
import type { UpstreamFailure } from '../transport/upstream-error.ts';

export interface TryOutcomesOptions {
  /** Undefined: off. */
  readonly outliers: OutlierDetector | undefined;
  /** Somebody goes by latency; else no clock is read for it. */
  readonly latency: boolean;
  /** Somebody goes by how long answers take on average. */
  readonly timed: boolean;
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

/** Called on every try: nothing here allocates. `startedAtMs` is what `start` returned for it. */
export class TryOutcomes {
  readonly #options: TryOutcomesOptions;

  constructor(options: TryOutcomesOptions) {
    this.#options = options;
  }

  /** A try is being sent. */
  start(): number {
    const { latency, timed, monotonic } = this.#options;
    return latency || timed ? monotonic() : 0;
  }

  /**
   * The head of an answer came: the first byte, as far as the caller can tell. Returns the status
   * that it stands for, which may be in a gRPC field.
   */
  answered(
    endpoint: Endpoint,
    startedAtMs: number,
    httpStatus: number,
    headers: readonly string[],
  ): number {
    const { outliers, latency, timed, http2, monotonic, now } = this.#options;
    const code = http2 && httpStatus === 200 ? grpcStatusOf(headers) : undefined;
    const status = code === undefined ? httpStatus : toHttpStatus(code);
    const { seen } = endpoint;
    seen.tries++;
    if (status >= 500) seen.failedTries++;
    outliers?.onAnswer(endpoint, status);
    if (!latency && !timed) return status;
    const nowMs = monotonic();
    const isFailure = status === 429 || status >= 500;
    // One that fails is often fast at it.
    if (timed && !isFailure) addAnswer(seen, nowMs - startedAtMs);
    if (!latency) return status;
    if (isFailure) {
      sampleFailure(seen, findRetryAfterMs(headers, now()) ?? 0, nowMs);
    } else {
      sampleLatency(seen, nowMs - startedAtMs, nowMs);
    }
    return status;
  }

  /** No answer came, or not all of it. */
  failed(endpoint: Endpoint, failure: UpstreamFailure): void {
    if (!BLAMED[failure]) return;
    const { outliers, latency, monotonic } = this.#options;
    endpoint.seen.tries++;
    endpoint.seen.failedTries++;
    outliers?.onFailure(endpoint);
    if (latency) sampleFailure(endpoint.seen, 0, monotonic());
  }

  /** The caller left before there was an answer: it would have taken at least as long. */
  abandoned(endpoint: Endpoint, startedAtMs: number): void {
    const { latency, timed, monotonic } = this.#options;
    if (!latency && !timed) return;
    const { seen } = endpoint;
    const nowMs = monotonic();
    const elapsedMs = nowMs - startedAtMs;
    if (timed && seen.usualAnswerMs > 0 && elapsedMs > seen.usualAnswerMs) {
      addAnswer(seen, elapsedMs);
    }
    if (latency && elapsedMs > seen.latencyMs) sampleLatency(seen, elapsedMs, nowMs);
  }
}

function addAnswer(seen: EndpointObservations, tookMs: number): void {
  seen.timedAnswers++;
  seen.answerMs += tookMs;
}
