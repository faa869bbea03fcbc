/** Service configuration → live service: its discovery, its TLS material, its limits. */
import { readFileSync } from 'node:fs';
import { createDnsSource, type DnsQuery } from '../../mesh/discovery/dns.ts';
import type { EndpointSource } from '../../mesh/discovery/endpoint-source.ts';
import { createStaticSource } from '../../mesh/discovery/static.ts';
import { createGrpcProbe } from '../../mesh/health/grpc-probe.ts';
import { createHttpProbe } from '../../mesh/health/http-probe.ts';
import type { Probe, ProbeProtocol } from '../../mesh/health/probe.ts';
import { probeTcp } from '../../mesh/health/tcp-probe.ts';
import { createRetryRules } from '../../mesh/resilience/retry-policy.ts';
import { Service, type ServiceEnvironment } from '../../mesh/service/service.ts';
import type { UpstreamTls } from '../../mesh/transport/upstream.ts';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { HealthCheckConfig } from './balancer-config.ts';
import type { DnsDiscovery, ServiceConfig, ServiceTls } from './service-config.ts';

/**
 * `stickyKey`: the node's own, for services that give none. Throws where a certificate file that
 * was there at the check is gone.
 */
export function createService(
  config: ServiceConfig,
  environment: ServiceEnvironment,
  log: Log,
  stickyKey: () => Uint8Array,
): Service {
  const { name, protocol, balancer, circuitBreaker, retry, timeouts } = config;
  const { healthCheck, outlierDetection } = config;
  const { sticky, policy, hashBalanceFactor, slowStart, zoneAware } = balancer;
  const tls = config.tls === undefined ? undefined : readTls(config.tls);
  return new Service(
    {
      name,
      protocol,
      tls,
      source: createSource(config, environment, log),
      balancing: { policy, hashBalanceFactor, slowStart, zoneAware },
      stickyKey: sticky === undefined ? undefined : (sticky.secret ?? stickyKey()),
      health: {
        checks: healthCheck && {
          probe: createProbe(healthCheck, { protocol, ...(tls !== undefined && { tls }) }),
          rules: healthCheck,
        },
        outliers: outlierDetection,
      },
      circuitBreaker,
      retry: createRetryRules(retry),
      perTryTimeoutMs: retry.perTryTimeoutMs,
      budget: retry.budget,
      timeouts,
    },
    environment,
  );
}

function createSource(
  { endpoints, discover }: ServiceConfig,
  { random }: ServiceEnvironment,
  log: Log,
): EndpointSource {
  return discover === undefined
    ? createStaticSource(endpoints)
    : createDnsSource({ query: toQuery(discover), log, random, refreshMs: discover.refreshMs });
}

function createProbe({ by }: HealthCheckConfig, protocol: ProbeProtocol): Probe {
  switch (by.kind) {
    case 'http':
      return createHttpProbe(by, protocol);
    case 'grpc':
      return createGrpcProbe(by, protocol);
    case 'tcp':
      return probeTcp;
    default:
      return by satisfies never;
  }
}

function toQuery({ type, name, port }: DnsDiscovery): DnsQuery {
  return type === 'SRV' ? { type, name } : { type, name, port: port! };
}

function readTls({ serverName, ca, cert, key, verify }: ServiceTls): UpstreamTls {
  return {
    verify,
    ...(serverName !== undefined && { serverName }),
    ...(ca !== undefined && { ca: readFileSync(ca, 'utf8') }),
    ...(cert !== undefined && { cert: readFileSync(cert, 'utf8') }),
    ...(key !== undefined && { key: readFileSync(key, 'utf8') }),
  };
}
