/** Outlier detection: counts what tries came to, and puts endpoints aside that do much worse than they should. */
import { setHealth, type Endpoint } from '../endpoint.ts';
import {
  ejectionTimeMs,
  failurePercentageOutliers,
  mayEject,
  successRateOutliers,
  type EjectionReason,
  type IntervalCount,
  type OutlierRules,
} from './outlier-rules.ts';

export interface OutlierEnvironment {
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
  readonly endpoints: () => readonly Endpoint[];
  /** After a change of `ejected`. */
  readonly onChanged: () => void;
  /** `detail`: for people, how long, or who says so. */
  readonly onEjected: (endpoint: Endpoint, reason: EjectionReason, detail: string) => void;
  readonly onReturned: (endpoint: Endpoint) => void;
}

interface Counted extends IntervalCount {
  readonly endpoint: Endpoint;
}

/**
 * Source: Envoy, "Outlier detection". An ejection is this node's own and it ends by itself; one
 * that is taken over from others lasts while they agree.
 * A try without an answer counts as a 5xx too, as Envoy has it unless told otherwise.
 */
export class OutlierDetector {
  readonly #rules: OutlierRules;
  readonly #environment: OutlierEnvironment;
  #timer: NodeJS.Timeout | undefined;

  constructor(rules: OutlierRules, environment: OutlierEnvironment) {
    this.#rules = rules;
    this.#environment = environment;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.sweep(), this.#rules.intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** An answer's head came. Allocates nothing. */
  onAnswer(endpoint: Endpoint, status: number): void {
    const { seen } = endpoint;
    seen.requests++;
    seen.consecutiveLocalOriginFailure = 0;
    if (status < 500) {
      seen.consecutive5xx = 0;
      seen.consecutiveGatewayFailure = 0;
      return;
    }
    seen.failures++;
    seen.consecutive5xx++;
    if (status === 502 || status === 503 || status === 504) seen.consecutiveGatewayFailure++;
    else seen.consecutiveGatewayFailure = 0;
    this.#judge(endpoint);
  }

  /** A try got no answer, or not all of it, and the endpoint is to blame. */
  onFailure(endpoint: Endpoint): void {
    const { seen } = endpoint;
    seen.requests++;
    seen.failures++;
    seen.consecutive5xx++;
    seen.consecutiveGatewayFailure++;
    seen.consecutiveLocalOriginFailure++;
    this.#judge(endpoint);
  }

  /** As so many answers that are no failures: what another process saw is told in bulk. */
  onGoodAnswers(endpoint: Endpoint, count: number): void {
    const { seen } = endpoint;
    seen.requests += count;
    seen.consecutive5xx = 0;
    seen.consecutiveGatewayFailure = 0;
    seen.consecutiveLocalOriginFailure = 0;
  }

  /** As `onGoodAnswers`, of answers that came before the failures in a row that are counted now. */
  onEarlierAnswers(endpoint: Endpoint, count: number): void {
    endpoint.seen.requests += count;
  }

  /** Whether so many more failures might put it aside at once. */
  isNearEjection(endpoint: Endpoint, failures: number): boolean {
    const { consecutive5xx, consecutiveGatewayFailure, consecutiveLocalOriginFailure } =
      this.#rules;
    // Whatever counts for one of the others counts for this one too.
    const count = endpoint.seen.consecutive5xx + failures;
    const isNear =
      isReached(count, consecutive5xx) ||
      isReached(count, consecutiveGatewayFailure) ||
      isReached(count, consecutiveLocalOriginFailure);
    return isNear && !endpoint.ejected && this.#mayEject(endpoint);
  }

  /** An active check passed, which is better evidence than the memory of failures. */
  onCheckPassed(endpoint: Endpoint): void {
    if (endpoint.ejected) this.#return(endpoint);
  }

  /**
   * Takes over an ejection that enough others agree on; within the same bound. False where
   * there is no room, or it is put aside already. It lasts until `release` or a check that passes.
   */
  adopt(endpoint: Endpoint, detail: string): boolean {
    if (endpoint.ejected || !this.#mayEject(endpoint)) return false;
    endpoint.ejectedByQuorum = true;
    this.#putAside(endpoint);
    this.#environment.onEjected(endpoint, 'quorum', detail);
    this.#environment.onChanged();
    return true;
  }

  /** The others no longer agree. */
  release(endpoint: Endpoint): void {
    if (endpoint.ejectedByQuorum) this.#return(endpoint);
  }

  /** Ends what has lasted long enough, looks at the interval as a whole, and begins another. */
  sweep(): void {
    const endpoints = this.#environment.endpoints();
    const nowMs = this.#environment.monotonic();
    for (const endpoint of endpoints) this.#sweepOne(endpoint, nowMs);
    const counts = endpoints
      .filter(({ ejected }) => !ejected)
      .map((endpoint): Counted => ({ endpoint, ...endpoint.seen }));
    for (const { seen } of endpoints) {
      seen.requests = 0;
      seen.failures = 0;
    }
    const { successRate, failurePercentage } = this.#rules;
    if (successRate !== undefined) {
      this.#ejectAll(successRateOutliers(counts, successRate), 'success-rate');
    }
    if (failurePercentage !== undefined) {
      this.#ejectAll(failurePercentageOutliers(counts, failurePercentage), 'failure-percentage');
    }
  }

  #sweepOne(endpoint: Endpoint, nowMs: number): void {
    const { seen, ejected } = endpoint;
    if (endpoint.ejectedByQuorum) return;
    const sinceMs = nowMs - seen.ejectionChangedAtMs;
    if (ejected) {
      if (sinceMs >= ejectionTimeMs(seen.ejections, this.#rules)) this.#return(endpoint);
    } else if (seen.ejections > 0 && sinceMs >= this.#rules.intervalMs) {
      seen.ejections--;
    }
  }

  #judge(endpoint: Endpoint): void {
    if (endpoint.ejected) return;
    const { seen } = endpoint;
    const rules = this.#rules;
    if (isReached(seen.consecutiveLocalOriginFailure, rules.consecutiveLocalOriginFailure)) {
      this.#eject(endpoint, 'consecutive-local-origin-failure');
    } else if (isReached(seen.consecutiveGatewayFailure, rules.consecutiveGatewayFailure)) {
      this.#eject(endpoint, 'consecutive-gateway-failure');
    } else if (isReached(seen.consecutive5xx, rules.consecutive5xx)) {
      this.#eject(endpoint, 'consecutive-5xx');
    }
  }

  #ejectAll(outliers: readonly Counted[], reason: EjectionReason): void {
    for (const { endpoint } of outliers) {
      if (!endpoint.ejected) this.#eject(endpoint, reason);
    }
  }

  #eject(endpoint: Endpoint, reason: EjectionReason): void {
    if (!this.#mayEject(endpoint)) return;
    const { seen } = endpoint;
    const { baseEjectionTimeMs, maxEjectionTimeMs } = this.#rules;
    // Beyond what the maximum takes, a count would only delay the way back.
    if (seen.ejections * baseEjectionTimeMs < maxEjectionTimeMs) seen.ejections++;
    this.#putAside(endpoint);
    const forMs = ejectionTimeMs(seen.ejections, this.#rules);
    this.#environment.onEjected(endpoint, reason, `for ${forMs / 1000} s`);
    this.#environment.onChanged();
  }

  #mayEject(endpoint: Endpoint): boolean {
    const endpoints = this.#environment.endpoints();
    // What was still in flight when it left the list is nobody's business any more.
    if (!endpoints.includes(endpoint)) return false;
    const ejected = endpoints.reduce((sum, one) => sum + (one.ejected ? 1 : 0), 0);
    return mayEject(ejected, endpoints.length, this.#rules.maxEjectionPercent);
  }

  #putAside(endpoint: Endpoint): void {
    const nowMs = this.#environment.monotonic();
    endpoint.seen.ejectionChangedAtMs = nowMs;
    setHealth(endpoint, { ejected: true }, nowMs);
  }

  #return(endpoint: Endpoint): void {
    const { seen } = endpoint;
    const nowMs = this.#environment.monotonic();
    seen.ejectionChangedAtMs = nowMs;
    seen.consecutive5xx = 0;
    seen.consecutiveGatewayFailure = 0;
    seen.consecutiveLocalOriginFailure = 0;
    endpoint.ejectedByQuorum = false;
    setHealth(endpoint, { ejected: false }, nowMs);
    this.#environment.onReturned(endpoint);
    this.#environment.onChanged();
  }
}

function isReached(count: number, threshold: number | undefined): boolean {
  return threshold !== undefined && count >= threshold;
}
