/** A service as the program consumes it: where its endpoints are, and how they are reached. */
import type { OutlierRules } from '../../mesh/health/outlier-rules.ts';
import type { CircuitThresholds } from '../../mesh/resilience/circuit-breaker.ts';
import type { HedgeRules } from '../../mesh/resilience/hedge-policy.ts';
import type { RetryCondition } from '../../mesh/resilience/retry-policy.ts';
import type { ServiceProtocol } from '../../mesh/service/endpoint-upstreams.ts';
import type { ServiceTimeouts } from '../../mesh/service/service-options.ts';
import type { BalancerConfig, HealthCheckConfig } from './balancer-config.ts';
import type { AddressConfig } from './config.ts';

export interface ServiceConfig {
  readonly name: string;
  /** The application beside this node: a call to it is the last step of one that others count. */
  readonly isLocal?: true;
  /** Static endpoints; empty where `discover` is set. */
  readonly endpoints: readonly EndpointConfig[];
  readonly discover: Discovery | undefined;
  readonly protocol: ServiceProtocol;
  /** Set if and only if `protocol` is `https` or `h2`. */
  readonly tls: PeerTls | undefined;
  readonly balancer: BalancerConfig;
  /** Undefined: none. */
  readonly healthCheck: HealthCheckConfig | undefined;
  /** Undefined: off. */
  readonly outlierDetection: OutlierRules | undefined;
  /** Whether endpoints that do worse than their peers get less. */
  readonly adaptiveWeights: boolean;
  readonly circuitBreaker: CircuitThresholds;
  readonly retry: RetryConfig;
  /** Undefined: off. */
  readonly hedge: HedgeRules | undefined;
  readonly timeouts: ServiceTimeouts;
}

export interface EndpointConfig extends AddressConfig {
  /** 0: gets nothing. */
  readonly weight: number;
  /** Own keys only are meant: read it by `Object.entries` or `Object.hasOwn`. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type Discovery = DnsDiscovery | MeshDiscovery;

export interface MeshDiscovery {
  readonly kind: 'mesh';
  /** As it is registered. */
  readonly service: string;
}

export interface DnsDiscovery {
  readonly kind: 'dns';
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'SRV';
  /** Of every endpoint; undefined for SRV, whose records tell it. */
  readonly port: number | undefined;
  /** Undefined: by the records' TTL. */
  readonly refreshMs: number | undefined;
}

/** TLS towards somebody this node connects to. */
export interface PeerTls {
  /** Undefined: the host that is connected to. */
  readonly serverName: string | undefined;
  /** PEM files, absolute paths. `ca` undefined: the runtime's roots. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly verify: boolean;
}

export interface RetryConfig {
  /** Extra tries; 0: none. */
  readonly attempts: number;
  readonly on: readonly RetryCondition[];
  /** 0: none. */
  readonly perTryTimeoutMs: number;
  readonly budget: { readonly ratio: number; readonly minPerSecond: number };
}
