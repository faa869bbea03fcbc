/** How a service's endpoints are chosen and watched, as the program consumes it. */
import type { PolicyName } from '../../mesh/balancing/policies.ts';
import type { SlowStart } from '../../mesh/balancing/slow-start.ts';
import type { CheckRules } from '../../mesh/health/active-checks.ts';
import type { CheckKind } from '../../mesh/health/create-probe.ts';

export interface BalancerConfig {
  readonly policy: PolicyName;
  /** Set if and only if the policy goes by a hash. */
  readonly hashOn: HashOn | undefined;
  /** Undefined: no bound. */
  readonly hashBalanceFactor: number | undefined;
  readonly sticky: StickyConfig | undefined;
  readonly slowStart: SlowStart | undefined;
  readonly zoneAware: boolean;
}

export interface HashOn {
  readonly kind: 'header' | 'cookie' | 'query' | 'ip';
  /** Empty for `ip`. */
  readonly name: string;
}

export interface StickyConfig {
  readonly cookie: string;
  /** Undefined: until the browser is closed. */
  readonly maxAgeMs: number | undefined;
  /** Undefined: the node's own, kept in the data directory. */
  readonly secret: string | undefined;
}

export interface HealthCheckConfig extends CheckRules {
  readonly by: CheckKind;
}
