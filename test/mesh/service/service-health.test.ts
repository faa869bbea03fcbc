import { beforeEach, describe, expect, it } from 'vitest';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { NO_HINT } from '../../../src/mesh/balancing/policy.ts';
import type { EndpointSpec } from '../../../src/mesh/endpoint.ts';
import type { ProbeReport } from '../../../src/mesh/health/probe.ts';
import type { HealthEvent } from '../../../src/mesh/service/endpoint-health.ts';
import type { Service } from '../../../src/mesh/service/service.ts';
import { serviceFixtures, type TestSource } from './service-fixture.ts';

const fixtures = serviceFixtures();

function spec(id: string): EndpointSpec {
  return { id, host: id, port: 80, weight: 1, metadata: {} };
}

let report: Map<string, (report: ProbeReport) => void>;
let service: Service;
let source: TestSource;
let events: HealthEvent[];

function serve(checked: boolean): void {
  const probe = ({ id }: EndpointSpec, _timeoutMs: number, tell: (one: ProbeReport) => void) => {
    report.set(id, tell);
    return { cancel: () => undefined };
  };
  const rules = { intervalMs: 1, timeoutMs: 1, healthyThreshold: 1, unhealthyThreshold: 1 };
  ({ service, source, events } = fixtures.service([spec('a'), spec('b')], {
    stickyKey: 'key',
    health: { checks: checked ? { probe, rules } : undefined, outliers: undefined },
  }));
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

beforeEach(() => void (report = new Map()));

describe('a service with health checks', () => {
  beforeEach(() => serve(true));

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
    source.announce([spec('b')]);
    expect(ids()).toEqual(['b', 'a']);
    await check('a', 'pass');
    expect(ids()).toEqual(['b', 'a']);
    await check('a', 'fail');
    expect(ids()).toEqual(['b']);
  });

  it('keeps an endpoint that fails while discovery lists it', async () => {
    await check('a', 'fail');
    source.announce([spec('a'), spec('b')]);
    expect(ids()).toEqual(['a', 'b']);
    source.announce([spec('b')]);
    expect(ids()).toEqual(['b']);
  });

  it('lets one go that has said goodbye', async () => {
    await check('a', 'pass');
    service.endpoints[0]!.draining = true;
    source.announce([spec('b')]);
    expect(ids()).toEqual(['b']);
  });

  it('knows the sessions of the endpoints it has', () => {
    const [a] = service.endpoints;
    const token = service.sticky!.tokenOf(a!);
    expect(service.sticky!.endpointOf(token)).toBe(a);
    a!.draining = true;
    source.announce([spec('b')]);
    expect(service.sticky!.endpointOf(token)).toBeUndefined();
  });
});

it('a service without health checks goes by discovery alone', () => {
  serve(false);
  source.announce([spec('b')]);
  expect(ids()).toEqual(['b']);
});
