/** Metrics of the gateway itself: what it runs, what it has applied, whom it is connected to. */
import { collectDefaultMetrics, Counter, Gauge, type Registry } from 'prom-client';
import type { BackplaneStatus } from '../../mesh/backplane/backplane.ts';
import type { Endpoint } from '../../mesh/endpoint.ts';
import type { EjectionReason } from '../../mesh/health/outlier-rules.ts';
import type { Service } from '../../mesh/service/service.ts';
import type { RetryReason } from '../../mesh/resilience/retry-policy.ts';
import { eachOf, publish, type Sample } from '../observe/published-metric.ts';
import type { VersionReport } from './readiness.ts';

export interface GatewayMetricsSources {
  readonly version: string;
  readonly nodeVersion: string;
  readonly services: () => Iterable<Service>;
  readonly connections: () => Iterable<{ readonly listener: string; readonly count: number }>;
  /** Seconds until a certificate expires; negative once it has. */
  readonly certificates: () => Iterable<{ readonly name: string; readonly expirySeconds: number }>;
  readonly droppedLogLines: () => number;
  readonly droppedAuditEntries: () => number;
  readonly backplane: () => BackplaneStatus;
  readonly versions: () => Pick<VersionReport, 'version' | 'refused'>;
}

export interface GatewayMetrics {
  configApplied(revision: number): void;
  configRefused(): void;
  retried(service: string, reason: RetryReason): void;
  ejected(service: string, reason: EjectionReason): void;
  mirrorLost(service: string): void;
  /** No service has this name any more, so it needs no series. */
  serviceGone(service: string): void;
  /** A promise was rejected and nobody handled it. */
  rejectionUnhandled(): void;
}

export function createGatewayMetrics(
  registry: Registry,
  sources: GatewayMetricsSources,
): GatewayMetrics {
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const revision = new Gauge({
    name: 'meshgate_config_revision',
    help: 'Number of the configuration snapshot that serves.',
    aggregator: 'first',
    registers,
  });
  const successful = new Gauge({
    name: 'meshgate_config_last_reload_successful',
    help: '1 where the last attempt to apply a configuration succeeded, else 0.',
    aggregator: 'first',
    registers,
  });
  new Gauge({
    name: 'meshgate_build_info',
    help: 'Always 1; the labels tell the version.',
    labelNames: ['version', 'node'],
    aggregator: 'first',
    registers,
  }).set({ version: sources.version, node: sources.nodeVersion }, 1);

  const unhandled = new Counter({
    name: 'meshgate_unhandled_rejections_total',
    help: 'Promises that were rejected and nobody handled; a plugin left them.',
    registers,
  });

  const retries = new Map<string, Sample & { value: number }>();
  const ejections = new Map<string, Sample & { value: number }>();
  const mirrors = new Map<string, Sample & { value: number }>();
  publish(registry, {
    name: 'meshgate_retries_total',
    help: 'Further tries of calls, by service and reason.',
    type: 'counter',
    samples: () => [...retries.values()],
  });
  publish(registry, {
    name: 'meshgate_ejections_total',
    help: 'Endpoints put aside by outlier detection, by service and reason.',
    type: 'counter',
    samples: () => [...ejections.values()],
  });
  publish(registry, {
    name: 'meshgate_mirrors_lost_total',
    help: 'Mirrored copies that failed or were not sent.',
    type: 'counter',
    samples: () => [...mirrors.values()],
  });
  publish(registry, {
    name: 'meshgate_circuit_open_total',
    help: 'Requests and tries that a circuit breaker refused, by service and the limit that was reached.',
    type: 'counter',
    samples: () => eachOf(sources.services(), toOverflowSamples),
  });
  publish(registry, {
    name: 'meshgate_endpoints',
    help: 'Endpoints of a service, by state.',
    type: 'gauge',
    aggregator: 'first',
    samples: () => eachOf(sources.services(), toEndpointSamples),
  });
  publish(registry, {
    name: 'meshgate_connections',
    help: 'Open downstream connections.',
    type: 'gauge',
    aggregator: 'first',
    samples: () =>
      Array.from(sources.connections(), ({ listener, count }) => ({
        labels: { listener },
        value: count,
      })),
  });
  publish(registry, {
    name: 'meshgate_certificate_expiry_seconds',
    help: 'Seconds until a certificate expires.',
    type: 'gauge',
    aggregator: 'min',
    samples: () =>
      Array.from(sources.certificates(), ({ name, expirySeconds }) => ({
        labels: { name },
        value: expirySeconds,
      })),
  });
  publish(registry, {
    name: 'meshgate_backplane_connected',
    help: '1 while the backplane answers, else 0.',
    type: 'gauge',
    aggregator: 'first',
    samples: () => [{ labels: {}, value: sources.backplane().connected ? 1 : 0 }],
  });
  publish(registry, {
    name: 'meshgate_backplane_staleness_seconds',
    help: 'Seconds since the backplane last answered; 0 while it does.',
    type: 'gauge',
    aggregator: 'first',
    samples: () => [{ labels: {}, value: sources.backplane().stalenessMs / 1000 }],
  });
  publish(registry, {
    name: 'meshgate_config_version',
    help: 'Version of the shared configuration that serves; 0: none.',
    type: 'gauge',
    aggregator: 'first',
    samples: () => [{ labels: {}, value: sources.versions().version }],
  });
  publish(registry, {
    name: 'meshgate_config_version_refused',
    help: 'Newest version of the shared configuration, where this node refused it; else 0.',
    type: 'gauge',
    aggregator: 'first',
    samples: () => [{ labels: {}, value: sources.versions().refused?.version ?? 0 }],
  });
  publish(registry, {
    name: 'meshgate_log_lines_dropped_total',
    help: 'Access log lines that could not be written.',
    type: 'counter',
    samples: () => [{ labels: {}, value: sources.droppedLogLines() }],
  });
  publish(registry, {
    name: 'meshgate_audit_entries_dropped_total',
    help: 'Entries of the audit log that are in the log of this node alone.',
    type: 'counter',
    samples: () => [{ labels: {}, value: sources.droppedAuditEntries() }],
  });

  return {
    configApplied(number) {
      revision.set(number);
      successful.set(1);
    },
    configRefused: () => successful.set(0),
    retried: (service, reason) => increment(retries, { service, reason }),
    ejected: (service, reason) => increment(ejections, { service, reason }),
    mirrorLost: (service) => increment(mirrors, { service }),
    serviceGone(service) {
      for (const samples of [retries, ejections, mirrors]) forget(samples, service);
    },
    rejectionUnhandled: () => unhandled.inc(),
  };
}

function increment(
  samples: Map<string, Sample & { value: number }>,
  labels: Readonly<Record<string, string>>,
): void {
  const key = Object.values(labels).join('\0');
  const sample = samples.get(key);
  if (sample === undefined) samples.set(key, { labels, value: 1 });
  else sample.value++;
}

function forget(samples: Map<string, Sample>, service: string): void {
  for (const [key, { labels }] of samples) if (labels['service'] === service) samples.delete(key);
}

/** Of limits that were reached: most services never see one. */
function toOverflowSamples({ name, breaker }: Service): Sample[] {
  return Object.entries(breaker.overflows)
    .filter(([, value]) => value > 0)
    .map(([limit, value]) => ({ labels: { service: name, limit }, value }));
}

/** How many are in which state; each counts once. */
export function countStates(
  endpoints: readonly Endpoint[],
): Record<ReturnType<typeof stateOf>, number> {
  const states = { healthy: 0, unhealthy: 0, ejected: 0, draining: 0 };
  for (const endpoint of endpoints) states[stateOf(endpoint)]++;
  return states;
}

function toEndpointSamples({ name, endpoints }: Service): Sample[] {
  return Object.entries(countStates(endpoints)).map(([state, value]) => ({
    labels: { service: name, state },
    value,
  }));
}

/** The first of these that holds. */
function stateOf(endpoint: Endpoint): 'draining' | 'unhealthy' | 'ejected' | 'healthy' {
  if (endpoint.draining) return 'draining';
  if (!endpoint.healthy) return 'unhealthy';
  return endpoint.ejected ? 'ejected' : 'healthy';
}
