/** Circuit breaker: a service's limits, counted; beyond them a request fails at once instead of waiting. */

/** Envoy's thresholds and defaults; retries are bounded by the retry budget instead. */
export interface CircuitThresholds {
  /** Requests in flight to the service; default 1024. */
  readonly maxRequests: number;
  /** Tries waiting for a connection to an endpoint; enforced by the transport; default 1024. */
  readonly maxPending: number;
  /** Connections to an endpoint; enforced by the transport; default 1024. */
  readonly maxConnections: number;
}

export type CircuitOverflow = 'requests' | 'pending';

export interface CircuitBreaker {
  readonly thresholds: CircuitThresholds;
  /** Requests in flight. */
  readonly active: number;
  /** `tryAcquire` would refuse. */
  readonly isFull: boolean;
  /** Refusals so far. */
  readonly overflows: Readonly<Record<CircuitOverflow, number>>;
  /**
   * Takes a place for a request, its retries included, or for a hedge beside it. Where it returns
   * false the request fails with `circuit_open`; where true, `release` must follow exactly once.
   */
  tryAcquire(): boolean;
  release(): void;
  /** The transport refused a try with `overflow`: too many were pending. */
  notePendingOverflow(): void;
}

/** Source: Envoy, "Circuit breaking". */
export function createCircuitBreaker(thresholds: CircuitThresholds): CircuitBreaker {
  return new CountingBreaker(thresholds);
}

class CountingBreaker implements CircuitBreaker {
  readonly thresholds: CircuitThresholds;
  active = 0;
  readonly overflows: Record<CircuitOverflow, number> = { requests: 0, pending: 0 };

  constructor(thresholds: CircuitThresholds) {
    this.thresholds = thresholds;
  }

  get isFull(): boolean {
    return this.active >= this.thresholds.maxRequests;
  }

  tryAcquire(): boolean {
    if (this.isFull) {
      this.overflows.requests++;
      return false;
    }
    this.active++;
    return true;
  }

  release(): void {
    // A place released twice would raise the limit for good, unseen.
    if (this.active === 0) throw new Error('released more often than acquired');
    this.active--;
  }

  notePendingOverflow(): void {
    this.overflows.pending++;
  }
}
