import { Ajv } from 'ajv';
import type { TSchema } from 'typebox';
import { describe, expect, it } from 'vitest';
import { MeshListing } from '../../src/admin/resources/mesh-listings.ts';
import { MeshNode } from '../../src/admin/views/mesh-nodes.ts';
import { MeshEndpoint, MeshService } from '../../src/admin/views/mesh-services.ts';
import { MeshEdge } from '../../src/admin/views/mesh-topology.ts';
import type { Backplane } from '../../src/mesh/backplane/backplane.ts';
import { BackplaneError } from '../../src/mesh/backplane/backplane-error.ts';
import { toFactorsValue } from '../../src/mesh/health/factor-record.ts';
import { toHintValue } from '../../src/mesh/health/health-hint.ts';
import { FACTORS_ID, hintIdOf } from '../../src/mesh/health/heard-health.ts';
import { NODES_SPACE } from '../../src/mesh/node/presence.ts';
import { createTopologyRecorder } from '../../src/mesh/topology/recorder.ts';
import { TOPOLOGY_SPACE, toReportValue } from '../../src/mesh/topology/report.ts';
import { ManualTime } from '../mesh/backplane/manual-time.ts';
import { settle } from '../mesh/registry/scripted-backplane.ts';
import { startAdmin, stopAdminsAfterEach, type TestAdmin } from './admin-fixture.ts';

stopAdminsAfterEach();

const ajv = new Ajv({ strict: false });

/** What the schema of the operation says that it is. */
function expectTyped(item: TSchema, body: unknown): void {
  const validate = ajv.compile(MeshListing(item));
  validate(body);
  expect(validate.errors).toBeNull();
}

async function registerSome(admin: TestAdmin): Promise<void> {
  await admin.register('orders', {
    id: '10.0.0.1:80',
    host: '10.0.0.1',
    port: 80,
    weight: 2,
    metadata: { version: 'v1', zone: 'eu-1a' },
    node: 'n1',
  });
  await admin.register('orders', { id: 'b', host: 'fd00::1', port: 81, zone: 'eu-1b', node: 'n2' });
  await admin.register('users', { id: '10.0.0.3:80', host: '10.0.0.3', port: 80, node: 'n1' });
}

const HEALTHY = {
  priority: 0,
  operator_weight: null,
  factor: 1,
  factor_reason: null,
  draining: false,
  operator_drain: false,
  state: 'healthy',
  failing: [],
  ejected_by: [],
};
const B = {
  ...HEALTHY,
  service: 'orders',
  id: 'b',
  address: '[fd00::1]:81',
  zone: 'eu-1b',
  metadata: {},
  node: 'n2',
  weight: 1,
  registered_weight: 1,
};

describe('GET /v1/mesh/endpoints', () => {
  it('lists the endpoints of all services', async () => {
    const admin = await startAdmin();
    await registerSome(admin);
    const { status, body } = await admin.ask('/v1/mesh/endpoints');
    expect(status).toBe(200);
    expectTyped(MeshEndpoint, body);
    expect(body).toEqual({
      items: [
        {
          ...HEALTHY,
          service: 'orders',
          id: '10.0.0.1:80',
          address: '10.0.0.1:80',
          zone: 'eu-1a',
          metadata: { version: 'v1', zone: 'eu-1a' },
          node: 'n1',
          weight: 2,
          registered_weight: 2,
        },
        B,
        {
          ...HEALTHY,
          service: 'users',
          id: '10.0.0.3:80',
          address: '10.0.0.3:80',
          zone: null,
          metadata: {},
          node: 'n1',
          weight: 1,
          registered_weight: 1,
        },
      ],
      next_cursor: null,
      staleness_seconds: 0,
      nodes: { included: [], missing: [] },
    });
  });

  it('shows what operators decided, of endpoints that are not registered too', async () => {
    const admin = await startAdmin();
    await registerSome(admin);
    await admin.registry.override('orders', 'b', { weight: 0.5, drain: true });
    await admin.registry.override('orders', 'gone', { weight: 3 });
    const { body } = await admin.ask('/v1/mesh/endpoints?service=orders');
    expectTyped(MeshEndpoint, body);
    expect((body['items'] as object[]).slice(1)).toEqual([
      {
        ...B,
        weight: 0.5,
        operator_weight: 0.5,
        draining: true,
        operator_drain: true,
        state: 'draining',
      },
      {
        ...HEALTHY,
        service: 'orders',
        id: 'gone',
        address: null,
        zone: null,
        metadata: {},
        node: null,
        weight: 3,
        registered_weight: null,
        operator_weight: 3,
        state: 'absent',
      },
    ]);
  });

  it('shows what nodes say of their health, and what that leaves of the weight', async () => {
    const admin = await startAdmin();
    await registerSome(admin);
    const hint = (node: string, ejected: string[], failing: [string, string][]) => ({
      type: 'put' as const,
      kind: 'hint' as const,
      id: hintIdOf(`orders@${node}`),
      value: toHintValue({ node, ejected: new Set(ejected), failing: new Map(failing) })!,
    });
    await admin.backplane.change('health:orders', [
      hint('n1', ['b'], []),
      hint('n2', ['b', '10.0.0.1:80'], [['10.0.0.1:80', 'status 503']]),
      {
        type: 'put',
        kind: 'hint',
        id: FACTORS_ID,
        value: toFactorsValue(new Map([['b', { factor: 0.4, reason: 'slow: 80 ms' }]])),
      },
    ]);
    const { body } = await admin.ask('/v1/mesh/endpoints?service=orders');
    expectTyped(MeshEndpoint, body);
    expect(body['items']).toMatchObject([
      {
        id: '10.0.0.1:80',
        state: 'unhealthy',
        failing: [{ node: 'n2', detail: 'status 503' }],
        ejected_by: ['n2'],
        factor: 1,
      },
      {
        id: 'b',
        state: 'ejected',
        failing: [],
        ejected_by: ['n1', 'n2'],
        factor: 0.4,
        factor_reason: 'slow: 80 ms',
      },
    ]);
  });

  it('filters by service and node, and gives pages', async () => {
    const admin = await startAdmin();
    await registerSome(admin);
    const idsOf = async (query: string): Promise<unknown[]> => {
      const { body } = await admin.ask(`/v1/mesh/endpoints?${query}`);
      const items = body['items'] as { id: string }[];
      return [...items.map(({ id }) => id), body['next_cursor']];
    };
    expect(await idsOf('service=users')).toEqual(['10.0.0.3:80', null]);
    expect(await idsOf('node=n1')).toEqual(['10.0.0.1:80', '10.0.0.3:80', null]);
    expect(await idsOf('node=n1&service=orders')).toEqual(['10.0.0.1:80', null]);
    expect(await idsOf('service=nobody')).toEqual([null]);
    const [first, cursor] = await idsOf('page_size=1&service=orders');
    expect(first).toBe('10.0.0.1:80');
    expect(await idsOf(`page_size=1&service=orders&cursor=${cursor as string}`)).toEqual([
      'b',
      null,
    ]);
  });

  it.each([
    ['page_size=0', 'page_size'],
    ['page_size=1001', 'page_size'],
    ['page_size=many', 'page_size'],
    ['page_size=', 'page_size'],
    ['page_size=1&page_size=2', 'page_size'],
    ['cursor=***', 'cursor'],
    ['sort=id', 'sort'],
  ])('refuses ?%s, and names the parameter', async (query, parameter) => {
    const admin = await startAdmin();
    const { status, body } = await admin.ask(`/v1/mesh/endpoints?${query}`);
    expect([status, body['code']]).toEqual([422, 'invalid']);
    expect(body['errors']).toEqual([{ parameter, detail: expect.any(String) }]);
  });
});

describe('GET /v1/mesh/services', () => {
  it('counts the endpoints of each service by state', async () => {
    const admin = await startAdmin();
    await registerSome(admin);
    await admin.registry.override('orders', 'b', { drain: true });
    await admin.registry.override('users', 'gone', { weight: 1 });
    const { status, body } = await admin.ask('/v1/mesh/services');
    expect(status).toBe(200);
    expectTyped(MeshService, body);
    const none = { healthy: 0, unhealthy: 0, ejected: 0, draining: 0, absent: 0 };
    expect(body['items']).toEqual([
      {
        name: 'orders',
        endpoints: { ...none, total: 2, healthy: 1, draining: 1 },
        zones: ['eu-1a', 'eu-1b'],
      },
      { name: 'users', endpoints: { ...none, total: 2, healthy: 1, absent: 1 }, zones: [] },
    ]);
  });
});

describe('GET /v1/mesh/nodes', () => {
  it('lists what nodes say of themselves, but not who said goodbye', async () => {
    const admin = await startAdmin();
    const tell = (id: string, value: object | null): Promise<void> =>
      admin.backplane.report(NODES_SPACE, id, value as null, 60_000);
    await tell('n2', { name: 'n2', version: '1.0.0', zone: 'eu-1a' });
    await tell('n1', { name: 'a lie', version: '1.0.1' });
    await tell('n0', null);
    const { status, body } = await admin.ask('/v1/mesh/nodes');
    expect(status).toBe(200);
    expectTyped(MeshNode, body);
    expect(body['items']).toEqual([
      { name: 'n1', version: '1.0.1' },
      { name: 'n2', version: '1.0.0', zone: 'eu-1a' },
    ]);
  });
});

describe('GET /v1/mesh/topology', () => {
  it('lists the edges of all nodes', async () => {
    const admin = await startAdmin();
    const recorder = createTopologyRecorder();
    for (let i = 0; i < 10; i++) recorder.edgeTo('orders').record(8, i === 0);
    const quiet = { destination: 'users', calls: 0, errors: 0, buckets: [] };
    const edges = [...recorder.take(), quiet];
    const value = toReportValue({ source: 'gateway', windowMs: 5_000, edges });
    await admin.backplane.report(TOPOLOGY_SPACE, 'n1', value, 60_000);
    const { status, body } = await admin.ask('/v1/mesh/topology');
    expect(status).toBe(200);
    expectTyped(MeshEdge, body);
    expect(body['items']).toEqual([
      {
        source: 'gateway',
        destination: 'orders',
        requests_per_second: 2,
        error_ratio: 0.1,
        p50_ms: 7.936,
        p99_ms: 7.936,
        nodes: ['n1'],
      },
      {
        source: 'gateway',
        destination: 'users',
        requests_per_second: 0,
        error_ratio: 0,
        p50_ms: null,
        p99_ms: null,
        nodes: ['n1'],
      },
    ]);
  });
});

describe('while the backplane is away', () => {
  const AWAY = new BackplaneError('unavailable', 'no answer within 1 s');
  let away = false;
  const flaky = (backplane: Backplane): Backplane => {
    away = false;
    const orAway =
      <Args extends unknown[], T>(run: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        if (away) throw AWAY;
        return run(...args);
      };
    return {
      ...backplane,
      read: orAway((space: string) => backplane.read(space)),
      reports: orAway((space: string) => backplane.reports(space)),
      change: orAway((...args: Parameters<Backplane['change']>) => backplane.change(...args)),
    };
  };

  it('lists are answered as last known, though nobody had asked, and say how old they are', async () => {
    const time = new ManualTime();
    const clock = { now: Date.now, monotonic: time.monotonic };
    const admin = await startAdmin({ clock, schedule: time.schedule }, flaky);
    await registerSome(admin);
    // What is kept is refreshed once a minute.
    await settle();
    time.advance(60_000);
    await settle();
    await settle();
    away = true;
    time.advance(12_340);
    const { status, body } = await admin.ask('/v1/mesh/services');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      items: [{ name: 'orders' }, { name: 'users' }],
      staleness_seconds: 12.3,
    });
    away = false;
    expect((await admin.ask('/v1/mesh/services')).body).toMatchObject({ staleness_seconds: 0 });
  });

  it('and was from the start, lists are 503 with the reason', async () => {
    const admin = await startAdmin({}, (backplane) => {
      const wrapped = flaky(backplane);
      away = true;
      return wrapped;
    });
    for (const list of ['services', 'endpoints', 'nodes', 'topology']) {
      const { status, headers, body } = await admin.ask(`/v1/mesh/${list}`);
      expect([status, headers['retry-after']]).toEqual([503, '1']);
      expect(body).toMatchObject({
        code: 'backplane_unavailable',
        detail: expect.stringContaining('no answer within 1 s'),
      });
    }
  });

  it('decisions that were never sent are said to have changed nothing', async () => {
    let isGone = false;
    const admin = await startAdmin({}, (backplane) => ({
      ...backplane,
      change(space, mutations) {
        const refusal = new BackplaneError('away', 'connect ECONNREFUSED 10.0.0.5:6379');
        return isGone ? Promise.reject(refusal) : backplane.change(space, mutations);
      },
    }));
    await registerSome(admin);
    isGone = true;
    const { status, body } = await admin.ask('/v1/mesh/services/orders/endpoints/b/weight', {
      method: 'PUT',
      body: { weight: 2 },
    });
    expect([status, body['detail']]).toEqual([
      503,
      'The backplane cannot be asked: connect ECONNREFUSED 10.0.0.5:6379 (no change).',
    ]);
  });

  it('decisions are refused with 503 and the reason', async () => {
    const admin = await startAdmin({}, flaky);
    await registerSome(admin);
    away = true;
    const { status, body } = await admin.ask('/v1/mesh/services/orders/endpoints/b/weight', {
      method: 'PUT',
      body: { weight: 2 },
    });
    expect(status).toBe(503);
    expect(body).toMatchObject({
      code: 'backplane_unavailable',
      detail:
        'The backplane cannot be asked: no answer within 1 s (a change that was asked for may have been made or not).',
    });
    away = false;
    const { body: list } = await admin.ask('/v1/mesh/endpoints?service=orders');
    expect(list['items']).toMatchObject([{}, { id: 'b', operator_weight: null }]);
  });
});
