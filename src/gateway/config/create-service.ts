/** Service configuration → live service: its discovery, its TLS material, its limits. */
import { createDnsSource, type DnsQuery } from '../../mesh/discovery/dns.ts';
import type { EndpointSource } from '../../mesh/discovery/endpoint-source.ts';
import { createStaticSource } from '../../mesh/discovery/static.ts';
import { createRetryRules } from '../../mesh/resilience/retry-policy.ts';
import type { Following } from '../../mesh/service/following.ts';
import type { HealthOptions } from '../../mesh/service/endpoint-health.ts';
import { Service, type ServiceEnvironment } from '../../mesh/service/service.ts';
import type { UpstreamTls } from '../../mesh/transport/upstream.ts';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import { createProbe } from './create-probe.ts';
import { readPeerTls } from './read-peer-tls.ts';
import type { DnsDiscovery, ServiceConfig } from './service-config.ts';

/** What a service is made with, besides its configuration. */
export interface ServiceSurroundings {
  readonly environment: ServiceEnvironment;
  readonly log: Log;
  /** Processes that share the node's limits, each with its part. Default 1. */
  readonly workers?: number;
  /** The node's own, for services that give none. */
  readonly stickyKey: () => Uint8Array;
  /** The endpoints of a service as they are registered in the mesh. */
  readonly meshSource: (service: string) => EndpointSource;
  /** In a worker: its services follow the supervisor's. Default: they have discovery and health of their own. */
  readonly follow?: ((config: ServiceConfig, isUndeclared?: boolean) => Following) | undefined;
}

/** Throws where a certificate file that was there at the check is gone. */
export function createService(config: ServiceConfig, surroundings: ServiceSurroundings): Service {
  const { name, protocol, balancer, circuitBreaker, retry, hedge, timeouts } = config;
  const { adaptiveWeights, discover } = config;
  const { sticky, policy, hashBalanceFactor, slowStart, zoneAware } = balancer;
  const { environment, stickyKey, follow, workers = 1 } = surroundings;
  const share = (limit: number): number => Math.ceil(limit / workers);
  const tls = config.tls === undefined ? undefined : readPeerTls(config.tls);
  return new Service(
    {
      name,
      protocol,
      tls,
      source: follow === undefined ? createSource(config, surroundings) : undefined,
      following: follow?.(config),
      balancing: { policy, hashBalanceFactor, slowStart, zoneAware },
      stickyKey: sticky === undefined ? undefined : (sticky.secret ?? stickyKey()),
      health: toHealth(config, tls),
      circuitBreaker: {
        maxRequests: share(circuitBreaker.maxRequests),
        maxPending: share(circuitBreaker.maxPending),
        maxConnections: share(circuitBreaker.maxConnections),
      },
      retry: createRetryRules(retry),
      hedge,
      perTryTimeoutMs: retry.perTryTimeoutMs,
      budget: { ...retry.budget, minPerSecond: share(retry.budget.minPerSecond) },
      timeouts,
      // What is not of the mesh may have the same address on another node and be something else.
      sharedAs: discover?.kind === 'mesh' ? discover.service : undefined,
      adaptiveWeights,
      topologyName:
        config.isLocal === true ? undefined : discover?.kind === 'mesh' ? discover.service : name,
    },
    environment,
  );
}

function toHealth(
  { protocol, tls, healthCheck, outlierDetection }: ServiceConfig,
  upstreamTls: UpstreamTls | undefined,
): Omit<HealthOptions, 'service'> {
  return {
    checks: healthCheck && {
      probe: createProbe(healthCheck, {
        protocol,
        ...(upstreamTls !== undefined && { tls: upstreamTls }),
      }),
      rules: healthCheck,
      key: JSON.stringify([protocol, tls?.serverName, tls?.verify, healthCheck]),
    },
    outliers: outlierDetection,
  };
}

function createSource(
  { endpoints, discover }: ServiceConfig,
  { environment, log, meshSource }: ServiceSurroundings,
): EndpointSource {
  switch (discover?.kind) {
    case undefined:
      return createStaticSource(endpoints);
    case 'mesh':
      return meshSource(discover.service);
    case 'dns': {
      const { random } = environment;
      const { refreshMs } = discover;
      return createDnsSource({ query: toQuery(discover), log, random, refreshMs });
    }
    default:
      return discover satisfies never;
  }
}

function toQuery({ type, name, port }: DnsDiscovery): DnsQuery {
  return type === 'SRV' ? { type, name } : { type, name, port: port! };
}
