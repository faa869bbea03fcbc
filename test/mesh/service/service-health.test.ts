import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EndpointSpec } from '../../../src/mesh/endpoint.ts';
import type { ProbeReport } from '../../../src/mesh/health/probe.ts';
import { createRetryRules } from '../../../src/mesh/resilience/retry-policy.ts';
import type { HealthEvent } from '../../../src/mesh/service/endpoint-health.ts';
import { Service } from '../../../src/mesh/service/service.ts';
import { NO_HINT } from '../../../src/mesh/balancing/policy.ts';

function spec(id: string): EndpointSpec {
  return { id, host: id, port: 80, weight: 1, metadata: {} };
}

let discover: (specs: readonly EndpointSpec[]) => void;
let report: Map<string, (report: ProbeReport) => void>;
let events: HealthEvent[];
let service: Service;

function createService(checked: boolean): Service {
  const probe = ({ id }: EndpointSpec, _timeoutMs: number, tell: (one: ProbeReport) => void) => {
    report.set(id, tell);
    return { cancel: () => undefined };
  };
  const rules = { intervalMs: 1, timeoutMs: 1, healthyThreshold: 1, unhealthyThreshold: 1 };
  return new Service(
    {
      name: 'orders',
      protocol: 'http1',
      tls: undefined,
      source: { start: (listener) => void (discover = listener), stop: () => undefined },
      balancing: { policy: 'round-robin' },
      stickyKey: 'key',
      health: { checks: checked ? { probe, rules } : undefined, outliers: undefined },
      circuitBreaker: { maxRequests: 1, maxPending: 1, maxConnections: 1 },
      retry: createRetryRules({}),
      perTryTimeoutMs: 0,
      budget: { ratio: 0.2, minPerSecond: 10 },
      timeouts: { connectMs: 1, responseMs: 1, idleMs: 1, keepAliveMs: 1 },
    },
    {
      monotonic: () => performance.now(),
      now: Date.now,
      random: () => 0,
      zone: undefined,
      onRetry: () => undefined,
      onEjection: () => undefined,
      onHealthEvent: (event) => void events.push(event),
    },
  );
}

/** Says what the next look at an endpoint comes to, once it is under way. */
async function check(id: string, result: 'pass' | 'fail'): Promise<void> {
  while (!report.has(id)) await new Promise((resolve) => setTimeout(resolve, 1));
  const tell = report.get(id)!;
  report.delete(id);
  tell({ result, detail: result });
  await nextTurn();
}

function ids(): string[] {
  return service.endpoints.map(({ id }) => id);
}

beforeEach(() => {
  report = new Map();
  events = [];
});
afterEach(() => service.stop());

describe('a service with health checks', () => {
  beforeEach(() => {
    service = createService(true);
    service.start();
    discover([spec('a'), spec('b')]);
  });

  it('passes over an endpoint that fails them, and says so once', async () => {
    const set = service.subset({});
    await check('a', 'fail');
    expect(set.explain(NO_HINT).considered.map(({ verdict }) => verdict)).toEqual([
      'unhealthy',
      'chosen',
    ]);
    await check('a', 'fail');
    await check('a', 'pass');
    expect(events).toEqual([
      { service: 'orders', endpoint: 'a', kind: 'unhealthy', detail: 'fail' },
      { service: 'orders', endpoint: 'a', kind: 'healthy', detail: 'pass' },
    ]);
    expect(set.explain(NO_HINT).considered[0]!.verdict).not.toBe('unhealthy');
  });

  it('keeps an endpoint that discovery lost while it passes, and no longer', async () => {
    await check('a', 'pass');
    discover([spec('b')]);
    expect(ids()).toEqual(['b', 'a']);
    await check('a', 'pass');
    expect(ids()).toEqual(['b', 'a']);
    await check('a', 'fail');
    expect(ids()).toEqual(['b']);
  });

  it('keeps an endpoint that fails while discovery lists it', async () => {
    await check('a', 'fail');
    discover([spec('a'), spec('b')]);
    expect(ids()).toEqual(['a', 'b']);
    discover([spec('b')]);
    expect(ids()).toEqual(['b']);
  });

  it('lets one go that has said goodbye', async () => {
    await check('a', 'pass');
    service.endpoints[0]!.draining = true;
    discover([spec('b')]);
    expect(ids()).toEqual(['b']);
  });

  it('knows the sessions of the endpoints it has', () => {
    const [a] = service.endpoints;
    const token = service.sticky!.tokenOf(a!);
    expect(service.sticky!.endpointOf(token)).toBe(a);
    a!.draining = true;
    discover([spec('b')]);
    expect(service.sticky!.endpointOf(token)).toBeUndefined();
  });
});

it('a service without health checks goes by discovery alone', () => {
  service = createService(false);
  service.start();
  discover([spec('a'), spec('b')]);
  discover([spec('b')]);
  expect(ids()).toEqual(['b']);
});
