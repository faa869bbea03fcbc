/** Sheds load before it hurts: 503 while the event loop lags or memory runs out. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MeshgateError } from '../../errors.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { PathStage, StageResult } from '../exchange/stage.ts';

export interface OverloadLimits {
  /** Mean event-loop delay above which, once it lasts, requests are shed, in milliseconds. */
  readonly maxLoopDelayMs: number;
  /** Resident set size above which requests are shed, in bytes. */
  readonly maxRssBytes: number;
}

export interface OverloadGuard {
  /** Empty while there is no overload; else why, in a few words for the log. */
  readonly reason: string;
  start(): void;
  stop(): void;
}

type IntervalHistogram = ReturnType<typeof monitorEventLoopDelay>;

const SAMPLE_INTERVAL_MS = 250;
/** One late sample is a pause (a collection, a reload, a noisy neighbour) that is over when it is seen; two in a row are load. */
const LATE_SAMPLES = 2;
const HISTOGRAM_RESOLUTION_MS = 10;

/** Watches this process. The check on the request path is one field read. */
export function createOverloadGuard(
  limits: OverloadLimits,
  rssBytes: () => number = () => process.memoryUsage.rss(),
  monitor: typeof monitorEventLoopDelay = monitorEventLoopDelay,
): OverloadGuard {
  return new LoopGuard(limits, rssBytes, monitor);
}

class LoopGuard implements OverloadGuard {
  reason = '';
  readonly #limits: OverloadLimits;
  readonly #rssBytes: () => number;
  readonly #histogram: IntervalHistogram;
  #timer: NodeJS.Timeout | undefined = undefined;
  #lateSamples = 0;
  #sampledAtMs = 0;
  #rss = 0;

  constructor(
    limits: OverloadLimits,
    rssBytes: () => number,
    monitor: typeof monitorEventLoopDelay,
  ) {
    this.#limits = limits;
    this.#rssBytes = rssBytes;
    this.#histogram = monitor({ resolution: HISTOGRAM_RESOLUTION_MS });
  }

  start(): void {
    this.#histogram.enable();
    this.#sampledAtMs = performance.now();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  #sample(): void {
    const { maxLoopDelayMs, maxRssBytes } = this.#limits;
    const nowMs = performance.now();
    const delayMs = meanDelayMs(this.#histogram, nowMs - this.#sampledAtMs);
    this.#sampledAtMs = nowMs;
    this.#histogram.reset();
    try {
      this.#rss = this.#rssBytes();
    } catch {
      // It is read from a file: without a free descriptor, what was last known stands.
    }
    this.#lateSamples = delayMs > maxLoopDelayMs ? this.#lateSamples + 1 : 0;
    if (this.#lateSamples >= LATE_SAMPLES) {
      this.reason = `event loop late by ${Math.round(delayMs)} ms`;
    } else if (this.#rss > maxRssBytes) {
      this.reason = `memory at ${Math.round(this.#rss / 2 ** 20)} MiB`;
    } else {
      this.reason = '';
    }
  }
}

/**
 * The histogram counts from one tick of its timer to the next, so an idle loop shows the resolution. It
 * forgets the last tick when it is reset: where a turn takes longer than a sample, it counts nothing.
 */
function meanDelayMs(histogram: IntervalHistogram, sinceResetMs: number): number {
  const betweenTicksMs = histogram.count === 0 ? sinceResetMs : histogram.mean / 1e6;
  return Math.max(0, betweenTicksMs - HISTOGRAM_RESOLUTION_MS);
}

export function refuseOverload(guard: OverloadGuard): PathStage {
  return (exchange: GatewayExchange): StageResult => {
    if (guard.reason === '') return;
    exchange.outcome.reason = guard.reason;
    throw new MeshgateError('overloaded', {
      status: 503,
      detail: 'The gateway is overloaded.',
      headers: ['Retry-After', '1'],
    });
  };
}
