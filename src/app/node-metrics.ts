/** The metrics of this process: what the gateway counts, and what is read of its parts when they are scraped. */
import type { Registry } from 'prom-client';
import type { CertificateExpiry } from '../gateway/listener/certificate-store.ts';
import type { Listener } from '../gateway/listener/listener.ts';
import {
  createGatewayMetrics,
  type GatewayMetrics,
  type GatewayMetricsSources,
} from '../gateway/status/gateway-metrics.ts';
import type { Clock } from '../plugins/sdk/plugin-context.ts';
import { VERSION } from '../version.ts';

export interface NodeMetricsSources extends Pick<
  GatewayMetricsSources,
  'services' | 'backplane' | 'versions' | 'droppedLogLines' | 'droppedAuditEntries'
> {
  readonly listeners: () => readonly Listener[];
  readonly expiries: () => readonly CertificateExpiry[];
  readonly clock: Clock;
}

export function createNodeMetrics(
  registry: Registry,
  { listeners, expiries, clock, ...sources }: NodeMetricsSources,
): GatewayMetrics {
  return createGatewayMetrics(registry, {
    ...sources,
    version: VERSION,
    nodeVersion: process.versions.node,
    connections: () =>
      listeners().map(({ facts, connections }) => ({ listener: facts.name, count: connections })),
    certificates: () =>
      Array.from(firstExpiries(expiries()), ([name, expiresAtMs]) => ({
        name,
        expirySeconds: (expiresAtMs - clock.now()) / 1000,
      })),
  });
}

/** Of several of a name, which would be one series twice, the one that is to be renewed first. */
function firstExpiries(expiries: readonly CertificateExpiry[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const { name, expiresAtMs } of expiries) {
    first.set(name, Math.min(expiresAtMs, first.get(name) ?? Infinity));
  }
  return first;
}
