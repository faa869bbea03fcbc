/** Metrics of the gateway's services. */
import { Registry } from 'prom-client';
import { beforeEach, expect, it } from 'vitest';
import {
  createGatewayMetrics,
  type GatewayMetrics,
} from '../../../src/gateway/status/gateway-metrics.ts';
import type { Service } from '../../../src/mesh/service/service.ts';
import { serviceFixtures } from '../../mesh/service/service-fixture.ts';

const open = serviceFixtures();

let registry: Registry;
let metrics: GatewayMetrics;
let services: Service[];

beforeEach(() => {
  registry = new Registry();
  services = [];
  metrics = createGatewayMetrics(registry, {
    version: '1.0.0',
    nodeVersion: '24.0.0',
    services: () => services,
    connections: () => [],
    certificates: () => [],
    droppedLogLines: () => 0,
    droppedAuditEntries: () => 0,
    backplane: () => ({ connected: true, sinceMs: 0, stalenessMs: 0 }),
    versions: () => ({ version: 0, refused: undefined }),
  });
});

async function lines(name: string): Promise<string[]> {
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`));
}

it('counts what a circuit breaker refuses, by the limit that was reached', async () => {
  const thresholds = { maxConnections: 1, maxPending: 1, maxRequests: 1 };
  const { service } = open.service([], { name: 'orders', circuitBreaker: thresholds });
  services.push(service, open.service([], { name: 'quiet' }).service);
  service.breaker.tryAcquire();
  service.breaker.tryAcquire();
  service.breaker.tryAcquire();
  service.breaker.notePendingOverflow();
  expect(await lines('meshgate_circuit_open_total')).toEqual([
    'meshgate_circuit_open_total{service="orders",limit="requests"} 2',
    'meshgate_circuit_open_total{service="orders",limit="pending"} 1',
  ]);
  service.breaker.release();
});

it('forgets a service that is gone', async () => {
  for (const name of ['orders', 'users']) {
    metrics.retried(name, 'reset');
    metrics.ejected(name, 'consecutive-5xx');
    metrics.mirrorLost(name);
  }
  metrics.serviceGone('orders');
  for (const name of ['retries', 'ejections', 'mirrors_lost']) {
    const told = await lines(`meshgate_${name}_total`);
    expect(told).toEqual([expect.stringContaining('service="users"')]);
  }
});
