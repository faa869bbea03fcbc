/** When an endpoint is an outlier and for how long it is put aside: the rules and their arithmetic. */

/** Envoy's settings, in milliseconds and percent; undefined turns a detector off. */
export interface OutlierRules {
  /** Answers 5xx and failures in a row; default 5. */
  readonly consecutive5xx: number | undefined;
  /** Answers 502, 503, 504 and failures in a row; off by default. */
  readonly consecutiveGatewayFailure: number | undefined;
  /** Tries in a row that got no answer; default 5. */
  readonly consecutiveLocalOriginFailure: number | undefined;
  /** Between two sweeps; default 10 s. */
  readonly intervalMs: number;
  /** Default 30 s. */
  readonly baseEjectionTimeMs: number;
  /** Default 300 s. */
  readonly maxEjectionTimeMs: number;
  /** Of a service's endpoints; one may always be ejected. Default 10. */
  readonly maxEjectionPercent: number;
  readonly successRate: SuccessRateRules | undefined;
  /** Off by default. */
  readonly failurePercentage: FailurePercentageRules | undefined;
}

export interface SuccessRateRules {
  /** Endpoints with enough requests that it takes; default 5. */
  readonly minimumHosts: number;
  /** Requests in an interval that are enough; default 100. */
  readonly requestVolume: number;
  /** Standard deviations below the mean; default 1.9. */
  readonly stdevFactor: number;
}

export interface FailurePercentageRules {
  /** Default 85. */
  readonly threshold: number;
  /** Default 5. */
  readonly minimumHosts: number;
  /** Default 50. */
  readonly requestVolume: number;
}

/** Label of `meshgate_ejections_total`. */
export type EjectionReason =
  | 'consecutive-5xx'
  | 'consecutive-gateway-failure'
  | 'consecutive-local-origin-failure'
  | 'success-rate'
  | 'failure-percentage'
  | 'quorum';

/** `ejections` counts the one in question. */
export function ejectionTimeMs(
  ejections: number,
  {
    baseEjectionTimeMs,
    maxEjectionTimeMs,
  }: Pick<OutlierRules, 'baseEjectionTimeMs' | 'maxEjectionTimeMs'>,
): number {
  return Math.min(baseEjectionTimeMs * ejections, maxEjectionTimeMs);
}

/** Whether another one may go; the first always may. */
export function mayEject(ejected: number, total: number, maxEjectionPercent: number): boolean {
  return ejected === 0 || (100 * (ejected + 1)) / total <= maxEjectionPercent;
}

/** The success rate, in percent, below which an endpoint is an outlier: mean − factor · σ, σ over n. */
export function successRateThreshold(rates: readonly number[], stdevFactor: number): number {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  return mean - stdevFactor * Math.sqrt(variance);
}

/** What one interval saw of an endpoint. */
export interface IntervalCount {
  readonly requests: number;
  readonly failures: number;
}

function percentOf(part: number, whole: number): number {
  return (100 * part) / whole;
}

/** Those that succeed too rarely beside the others. */
export function successRateOutliers<Item extends IntervalCount>(
  counts: readonly Item[],
  { minimumHosts, requestVolume, stdevFactor }: SuccessRateRules,
): readonly Item[] {
  const busy = counts.filter(({ requests }) => requests >= requestVolume);
  if (busy.length < minimumHosts) return [];
  const rateOf = ({ requests, failures }: Item): number => percentOf(requests - failures, requests);
  const threshold = successRateThreshold(busy.map(rateOf), stdevFactor);
  return busy.filter((item) => rateOf(item) < threshold);
}

/** Those that fail too often by any standard. */
export function failurePercentageOutliers<Item extends IntervalCount>(
  counts: readonly Item[],
  { threshold, minimumHosts, requestVolume }: FailurePercentageRules,
): readonly Item[] {
  const busy = counts.filter(({ requests }) => requests >= requestVolume);
  if (busy.length < minimumHosts) return [];
  return busy.filter(({ requests, failures }) => percentOf(failures, requests) >= threshold);
}
