/** The metrics of a node with workers, as a scrape reads them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check';
import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { goneNames } from '../../../../src/gateway/worker/metrics/departed.ts';
import type { RouteConfig } from '../../../../src/gateway/config/route-config.ts';
import type { ServiceConfig } from '../../../../src/gateway/config/service-config.ts';
import { publish } from '../../../../src/gateway/observe/published-metric.ts';
import { createRequestMetrics } from '../../../../src/gateway/observe/request-metrics.ts';
import { createNodeOfWorkers, type NodeOfWorkers } from './node-of-workers.ts';

let node: NodeOfWorkers;

beforeEach(() => {
  node = createNodeOfWorkers();
});

const REQUESTS = 'meshgate_requests_total{';

/** The value of the only line that begins so. */
async function valueOf(prefix: string): Promise<number> {
  const found = await node.lines(prefix);
  expect(found).toHaveLength(1);
  return Number(found[0]!.slice(found[0]!.lastIndexOf(' ')));
}

describe('the metrics of workers', () => {
  it('are those of one process that had seen it all', async () => {
    const [a, b] = [node.addWorker(), node.addWorker()];
    const all = new Registry();
    const seen = createRequestMetrics(all);
    const see = (one: typeof a, route: string, status: number, seconds: number): void => {
      for (const metrics of [one.requests, seen]) {
        metrics.cellsOf(route).record('http', 'orders', 'GET', status, seconds);
      }
    };
    see(a, 'orders', 200, 0.002);
    see(b, 'orders', 200, 40);
    see(b, 'orders', 503, 0.25);
    see(a, 'say "hi" \\ \n', 200, 0.25);
    for (const one of [a, b]) {
      for (const metrics of [one.requests, seen]) metrics.cellsOf('orders').rateLimited();
    }
    for (const metrics of [b.requests, seen]) metrics.upstream('orders', 0.07);
    const wanted = (await all.metrics()).split('\n').toSorted();
    const got = (await node.collector.metrics()).split('\n').toSorted();
    expect(got.filter((line) => line !== '' && !line.includes('build_info'))).toEqual(
      wanted.filter((line) => line !== ''),
    );
  });

  it('are put together as prom-client does it, by the aggregator of each', async () => {
    const sample = record({ label: constantFrom('a', 'b', 'c'), value: integer() });
    const figures = array(sample, { maxLength: 4 });
    const aggregator = constantFrom('sum' as const, 'min', 'max', 'average');
    await assert(
      asyncProperty(aggregator, array(figures, { maxLength: 4 }), async (by, workers) => {
        const one = createNodeOfWorkers();
        const registries = workers.map((samples) => {
          const { registry } = one.addWorker();
          const metric = { name: 'm', help: 'M.', labelNames: ['label'], aggregator: by };
          const gauge = new Gauge({ ...metric, registers: [registry] });
          for (const { label, value } of samples) gauge.set({ label }, value);
          return registry;
        });
        const dumps = await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()));
        const wanted = await AggregatorRegistry.aggregate(
          dumps.map((dump) => dump.filter(({ name }) => name === 'm')),
        ).metrics();
        expect((await one.lines('m{')).toSorted()).toEqual(
          wanted
            .split('\n')
            .filter((line) => line.startsWith('m{'))
            .toSorted(),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('are the supervisor’s alone where they are of the node', async () => {
    const worker = node.addWorker();
    new Gauge({
      name: 'meshgate_build_info',
      help: 'Always 1.',
      labelNames: ['version'],
      aggregator: 'first',
      registers: [worker.registry],
    }).set({ version: '0' }, 1);
    new Gauge({ name: 'started', help: 'S.', aggregator: 'omit', registers: [node.registry] }).set(
      7,
    );
    new Gauge({
      name: 'started',
      help: 'S.',
      aggregator: 'omit',
      registers: [worker.registry],
    }).set(9);
    expect(await node.lines('meshgate_build_info')).toEqual(['meshgate_build_info 1']);
    expect(await node.lines('started')).toEqual(['started 7']);
  });

  it('are told without one that cannot be read', async () => {
    const worker = node.addWorker();
    publish(worker.registry, {
      name: 'broken',
      help: 'B.',
      type: 'gauge',
      samples() {
        throw new Error('no figure');
      },
    });
    new Counter({ name: 'whole_total', help: 'W.', registers: [worker.registry] }).inc(3);
    expect(await node.lines('whole_total')).toEqual(['whole_total 3']);
    expect(node.warnings).toContain('a metric could not be read');
  });

  it('leave turns of the loop to others, however many series there are', async () => {
    const worker = node.addWorker();
    const cells = Array.from({ length: 3_000 }, (_, i) => worker.requests.cellsOf(`route ${i}`));
    for (const cell of cells) cell.record('http', 'orders', 'GET', 200, 0.002);
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    expect(await node.lines(REQUESTS)).toHaveLength(3_000);
    isOver = true;
    // Two metrics of 3,000 series, 250 at a time.
    expect(turns).toBeGreaterThan(24);
    expect(worker.pair.sent.worker).toBeGreaterThan(24);
  });

  it('answer scrapes that come together by asking each worker once', async () => {
    const worker = node.addWorker();
    const pages = await Promise.all([node.collector.metrics(), node.collector.metrics()]);
    expect(pages[0]).toBe(pages[1]);
    expect(worker.pair.sent.supervisor).toBe(1);
  });
});

describe('the counters of a worker', () => {
  it('stay with the node when it dies, and its gauges do not', async () => {
    const [a, b] = [node.addWorker(), node.addWorker()];
    for (const { requests, registry } of [a, b]) {
      requests.cellsOf('orders').record('http', 'orders', 'GET', 200, 0.002);
      publish(registry, {
        name: 'meshgate_connections',
        help: 'Open downstream connections.',
        type: 'gauge',
        samples: () => [{ labels: { listener: 'http' }, value: 5 }],
      });
    }
    expect(await valueOf(REQUESTS)).toBe(2);
    a.die();
    expect(await valueOf(REQUESTS)).toBe(2);
    expect(await valueOf('meshgate_request_duration_seconds_count')).toBe(2);
    expect(await valueOf('meshgate_connections')).toBe(5);
    const after = node.addWorker();
    after.requests.cellsOf('orders').record('http', 'orders', 'GET', 200, 0.002);
    b.die();
    after.die();
    // What `after` had counted nobody has been told.
    expect(await valueOf(REQUESTS)).toBe(2);
  });

  it('are all known when it could tell before its end', async () => {
    const worker = node.addWorker();
    worker.requests.cellsOf('orders').record('http', 'orders', 'GET', 200, 0.002);
    await worker.teller.tellLast();
    await nextTurn();
    worker.die();
    expect(await valueOf(REQUESTS)).toBe(1);
  });

  it('are as last known when it does not answer within a second, and the others are not waited for', async () => {
    const [a, b] = [node.addWorker(), node.addWorker()];
    for (const { requests } of [a, b]) {
      requests.cellsOf('orders').record('http', 'orders', 'GET', 200, 0.002);
    }
    expect(await valueOf(REQUESTS)).toBe(2);
    b.requests.cellsOf('orders').record('http', 'orders', 'GET', 200, 0.002);
    a.pair.cut();
    const waiting = valueOf(REQUESTS);
    for (let i = 0; i < 100; i++) await nextTurn();
    node.time.advance(1_000);
    expect(await waiting).toBe(3);
    // It is still to answer, and is not asked again.
    const asked = a.pair.sent.supervisor;
    const again = valueOf(REQUESTS);
    await nextTurn();
    node.time.advance(1_000);
    expect(await again).toBe(3);
    expect(a.pair.sent.supervisor).toBe(asked);
  });

  it('are asked for every five seconds, unless a scrape has just done it', async () => {
    const worker = node.addWorker();
    node.collector.start();
    node.time.advance(4_000);
    await node.collector.metrics();
    node.time.advance(1_000);
    expect(worker.pair.sent.supervisor).toBe(1);
    worker.requests.cellsOf('orders').record('http', 'orders', 'GET', 200, 0.002);
    const told = worker.pair.sent.worker;
    node.time.advance(5_000);
    expect(worker.pair.sent.supervisor).toBe(2);
    while (worker.pair.sent.worker === told) await nextTurn();
    for (let i = 0; i < 20; i++) await nextTurn();
    worker.die();
    expect(await valueOf(REQUESTS)).toBe(1);
    node.collector.stop();
    expect(node.time.delaysMs).toEqual([]);
  });

  it('end with their route and their service, as those of a worker that lives', async () => {
    const worker = node.addWorker();
    for (const route of ['orders', 'ord"ers', 'users']) {
      worker.requests.cellsOf(route).record('http', 'orders', 'GET', 200, 0.002);
    }
    worker.requests.cellsOf('users').record('http', 'users', 'GET', 200, 0.002);
    worker.requests.upstream('orders', 0.002);
    worker.requests.upstream('users', 0.002);
    await node.collector.metrics();
    worker.die();
    const [orders, users] = [{ name: 'orders' }, { name: 'users' }] as unknown as [
      RouteConfig & ServiceConfig,
      RouteConfig & ServiceConfig,
    ];
    const configured = { routes: [orders, users], services: [orders, users] };
    const odd = { ...orders, name: 'ord"ers' };
    node.collector.forget(goneNames({ ...configured, routes: [orders, odd, users] }, configured));
    expect(await node.lines(REQUESTS)).toHaveLength(3);
    node.collector.forget(goneNames(configured, { ...configured, services: [users] }));
    expect(await node.lines(REQUESTS)).toEqual([
      `${REQUESTS}listener="http",route="users",service="users",method="GET",code="200"} 1`,
    ]);
    expect(await valueOf('meshgate_upstream_duration_seconds_count{service="users"}')).toBe(1);
    expect(await node.lines('meshgate_upstream_duration_seconds_count')).toHaveLength(1);
  });
});
