/** Service configuration → live service: its discovery, its TLS material, its limits. */
import { readFileSync } from 'node:fs';
import { createDnsSource, type DnsQuery } from '../../mesh/discovery/dns.ts';
import type { EndpointSource } from '../../mesh/discovery/endpoint-source.ts';
import { createStaticSource } from '../../mesh/discovery/static.ts';
import { createRetryRules } from '../../mesh/resilience/retry-policy.ts';
import { Service, type ServiceEnvironment } from '../../mesh/service/service.ts';
import type { UpstreamTls } from '../../mesh/transport/upstream.ts';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { DnsDiscovery, ServiceConfig, ServiceTls } from './config.ts';

/** Throws where a certificate file that was there at the check is gone. */
export function createService(
  config: ServiceConfig,
  environment: ServiceEnvironment,
  log: Log,
): Service {
  const { name, protocol, tls, balancer, circuitBreaker, retry, timeouts } = config;
  return new Service(
    {
      name,
      protocol,
      tls: tls === undefined ? undefined : readTls(tls),
      source: createSource(config, environment, log),
      policy: balancer.policy,
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
