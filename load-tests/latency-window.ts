/** How late answers are in a while of constant load, with something else going on or not. */
import {
  runConstantRate,
  type ConstantRateOptions,
  type ConstantRateResult,
} from './constant-rate.ts';
import { median, percentile } from './statistics.ts';

/** Long enough for a few of what goes on. */
const LEAST_SECONDS = 10;
const CONNECTIONS = 64;

export interface LatencyWindow {
  readonly seconds: number;
  readonly failed: number;
  /** Connections that the proxy ended. */
  readonly closed: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

export type WindowLoad = Omit<ConstantRateOptions, 'connections'>;

/** `goOn`: what goes on meanwhile; it is told of the end of the load, and its own end is waited for. */
export async function measureWindow(
  load: WindowLoad,
  goOn?: (end: AbortSignal) => Promise<void>,
): Promise<LatencyWindow> {
  const seconds = Math.max(LEAST_SECONDS, load.seconds);
  const end = new AbortController();
  const under = runConstantRate({ ...load, seconds, connections: CONNECTIONS });
  const [result] = await Promise.all([under.finally(() => end.abort()), goOn?.(end.signal)]);
  return { seconds, ...toLatencies(result) };
}

function toLatencies({
  latenciesUs,
  failed,
  closed,
}: ConstantRateResult): Omit<LatencyWindow, 'seconds'> {
  return {
    failed,
    closed,
    p50Us: percentile(latenciesUs, 0.5),
    p99Us: percentile(latenciesUs, 0.99),
    maxUs: percentile(latenciesUs, 1),
  };
}

export const LATENCY_TITLES = ['p50 ms', 'p99 ms', 'max ms'] as const;

/** Cells below `LATENCY_TITLES`: medians over the windows. */
export function toLatencyCells(windows: readonly LatencyWindow[]): string[] {
  return (['p50Us', 'p99Us', 'maxUs'] as const).map((figure) =>
    (median(windows.map((window) => window[figure])) / 1000).toFixed(1),
  );
}

export function countFailed(windows: readonly LatencyWindow[]): number {
  return windows.reduce((sum, { failed }) => sum + failed, 0);
}

export function toFailures(windows: readonly LatencyWindow[]): string[] {
  const failed = countFailed(windows);
  return failed === 0 ? [] : [`${failed} requests failed`];
}

export function describeLatencies({ p50Us, p99Us, maxUs, failed }: LatencyWindow): string {
  const [p50, p99, max] = [p50Us, p99Us, maxUs].map((us) => (us / 1000).toFixed(1));
  return `p50 ${p50} ms  p99 ${p99} ms  max ${max} ms  ${failed} failed`;
}
