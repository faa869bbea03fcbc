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
  let active = 0;
  const overflows: Record<CircuitOverflow, number> = { requests: 0, pending: 0 };
  return {
    thresholds,
    get active() {
      return active;
    },
    get isFull() {
      return active >= thresholds.maxRequests;
    },
    overflows,
    tryAcquire() {
      if (active >= thresholds.maxRequests) {
        overflows.requests += 1;
        return false;
      }
      active += 1;
      return true;
    },
    release() {
      // A place released twice would raise the limit for good, unseen.
      if (active === 0) throw new Error('released more often than acquired');
      active -= 1;
    },
    notePendingOverflow() {
      overflows.pending += 1;
    },
  };
}
