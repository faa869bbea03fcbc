/** How a service is called, and where its endpoints come from. */
import type { BalancingRules } from '../balancing/balancer.ts';
import type { EndpointSource } from '../discovery/endpoint-source.ts';
import type { CircuitThresholds } from '../resilience/circuit-breaker.ts';
import type { HedgeRules } from '../resilience/hedge-policy.ts';
import type { RetryRules } from '../resilience/retry-policy.ts';
import type { UpstreamTls } from '../transport/upstream.ts';
import type { TryTimeouts } from './call.ts';
import type { HealthOptions } from './endpoint-health.ts';
import type { ServiceProtocol } from './endpoint-upstreams.ts';
import type { Following } from './following.ts';

export interface ServiceOptions {
  readonly name: string;
  readonly protocol: ServiceProtocol;
  /** For `https` and `h2`. */
  readonly tls: UpstreamTls | undefined;
  /** Undefined: it follows. */
  readonly source: EndpointSource | undefined;
  /** In place of `source` and `health`, where another process finds and judges the endpoints. */
  readonly following?: Following | undefined;
  readonly balancing: BalancingRules;
  /** Signs the tokens of sticky sessions; undefined: there are none. */
  readonly stickyKey: string | Uint8Array | undefined;
  readonly health: Omit<HealthOptions, 'service'>;
  readonly circuitBreaker: CircuitThresholds;
  readonly retry: RetryRules;
  /** Default: calls are not hedged. */
  readonly hedge?: HedgeRules | undefined;
  readonly perTryTimeoutMs: number;
  readonly budget: { readonly ratio: number; readonly minPerSecond: number };
  /** Milliseconds; 0 is none. */
  readonly timeouts: ServiceTimeouts;
  /** What its calls are counted for in the mesh's topology; default: they are not. */
  readonly topologyName?: string | undefined;
  /** Its name in the mesh, under which nodes tell each other of its health; undefined: they do not. */
  readonly sharedAs?: string | undefined;
  /** Endpoints that do worse than their peers get less. Default false. */
  readonly adaptiveWeights?: boolean | undefined;
}

export interface ServiceTimeouts extends TryTimeouts {
  readonly connectMs: number;
  /** How long an idle upstream connection is kept. */
  readonly keepAliveMs: number;
}
