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
  let histogram: IntervalHistogram | undefined;
  let timer: NodeJS.Timeout | undefined;
  let reason = '';
  let lateSamples = 0;
  let sampledAtMs = 0;
  let rss = 0;

  function sample(): void {
    const nowMs = performance.now();
    const delayMs = meanDelayMs(histogram!, nowMs - sampledAtMs);
    sampledAtMs = nowMs;
    histogram!.reset();
    try {
      rss = rssBytes();
    } catch {
      // It is read from a file: without a free descriptor, what was last known stands.
    }
    lateSamples = delayMs > limits.maxLoopDelayMs ? lateSamples + 1 : 0;
    if (lateSamples >= LATE_SAMPLES) reason = `event loop late by ${Math.round(delayMs)} ms`;
    else if (rss > limits.maxRssBytes) reason = `memory at ${Math.round(rss / 2 ** 20)} MiB`;
    else reason = '';
  }

  return {
    get reason() {
      return reason;
    },
    start() {
      histogram = monitor({ resolution: HISTOGRAM_RESOLUTION_MS });
      histogram.enable();
      sampledAtMs = performance.now();
      timer = setInterval(sample, SAMPLE_INTERVAL_MS).unref();
    },
    stop() {
      clearInterval(timer);
      histogram?.disable();
    },
  };
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
