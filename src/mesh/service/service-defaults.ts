/** How a service is called where nobody says otherwise: by a gateway, a node proxy or an application of its own. */
import type { PolicyName } from '../balancing/policies.ts';
import type { CheckRules } from '../health/active-checks.ts';
import type {
  FailurePercentageRules,
  OutlierRules,
  SuccessRateRules,
} from '../health/outlier-rules.ts';
import type { CircuitThresholds } from '../resilience/circuit-breaker.ts';
import type { HedgeRules } from '../resilience/hedge-policy.ts';
import { DEFAULT_RETRY_ON, type RetryCondition } from '../resilience/retry-policy.ts';
import type { UpstreamTarget } from '../transport/upstream.ts';
import type { ServiceTimeouts } from './service-options.ts';

const SUCCESS_RATE: SuccessRateRules = { minimumHosts: 5, requestVolume: 100, stdevFactor: 1.9 };

const OUTLIERS: OutlierRules = {
  consecutive5xx: 5,
  consecutiveGatewayFailure: undefined,
  consecutiveLocalOriginFailure: 5,
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionTimeMs: 300_000,
  maxEjectionPercent: 10,
  successRate: SUCCESS_RATE,
  failurePercentage: undefined,
};

const CIRCUIT_BREAKER: CircuitThresholds = {
  maxConnections: 1024,
  maxPending: 1024,
  maxRequests: 1024,
};

const RETRY: {
  readonly attempts: number;
  readonly on: readonly RetryCondition[];
  readonly perTryTimeoutMs: number;
  readonly budget: { readonly ratio: number; readonly minPerSecond: number };
} = {
  attempts: 1,
  on: DEFAULT_RETRY_ON,
  perTryTimeoutMs: 0,
  budget: { ratio: 0.2, minPerSecond: 10 },
};

const TIMEOUTS: ServiceTimeouts = {
  connectMs: 2000,
  responseMs: 15_000,
  idleMs: 60_000,
  keepAliveMs: 4000,
};

const PROTOCOL: UpstreamTarget['protocol'] = 'http1';
const POLICY: PolicyName = 'round-robin';

/** The configuration's schema has them too, and a test keeps the two together. */
export const SERVICE_DEFAULTS = {
  protocol: PROTOCOL,
  policy: POLICY,
  slowStart: { windowMs: 30_000, aggression: 1 },
  outliers: OUTLIERS,
  circuitBreaker: CIRCUIT_BREAKER,
  retry: RETRY,
  timeouts: TIMEOUTS,
} as const;

/** Of hedging that is on and says no more. */
export const HEDGE_DEFAULTS: HedgeRules = { percentile: 0.95, minDelayMs: 10, attempts: 1 };

/** What detectors that are off have once they are turned on. */
export const FAILURE_PERCENTAGE_DEFAULTS: FailurePercentageRules = {
  threshold: 85,
  minimumHosts: 5,
  requestVolume: 50,
};

/** Of a health check that says only how to ask. */
export const CHECK_DEFAULTS: CheckRules = {
  intervalMs: 5000,
  timeoutMs: 1000,
  healthyThreshold: 2,
  unhealthyThreshold: 3,
};

/**
 * Of an application beside this node that asks for no check, by TCP: soon enough for a restart,
 * and next to nothing on the same machine.
 */
export const LOCAL_CHECK_DEFAULTS: CheckRules = {
  intervalMs: 2000,
  timeoutMs: 1000,
  healthyThreshold: 1,
  unhealthyThreshold: 3,
};
