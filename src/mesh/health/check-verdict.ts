/** Active checks: what a row of results says of an endpoint. */

/** `warn`: alive but busy (429), or nothing could be found out; counts neither for nor against it. */
export type CheckResult = 'pass' | 'warn' | 'fail';

export interface CheckThresholds {
  /** Passes in a row that make it healthy again; default 2. */
  readonly healthyThreshold: number;
  /** Failures in a row that make it unhealthy; default 3. */
  readonly unhealthyThreshold: number;
}

/** Results of one endpoint so far. */
export interface CheckHistory {
  /** Undefined before the first result. */
  last: CheckResult | undefined;
  /** Passes, or failures, in a row. */
  run: number;
}

export function createCheckHistory(): CheckHistory {
  return { last: undefined, run: 0 };
}

/**
 * Whether the endpoint is healthy from now on. The first result decides alone, as in Envoy:
 * there is nothing else to go by.
 */
export function judgeCheck(
  history: CheckHistory,
  result: CheckResult,
  healthy: boolean,
  { healthyThreshold, unhealthyThreshold }: CheckThresholds,
): boolean {
  const isFirst = history.last === undefined;
  history.run = result === history.last ? history.run + 1 : 1;
  history.last = result;
  if (result === 'warn') return healthy;
  const threshold = isFirst ? 1 : result === 'pass' ? healthyThreshold : unhealthyThreshold;
  return history.run >= threshold ? result === 'pass' : healthy;
}
