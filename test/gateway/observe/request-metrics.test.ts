/** What a scrape reads of the cells that exchanges are counted in. */
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createRequestMetrics,
  type RequestMetrics,
} from '../../../src/gateway/observe/request-metrics.ts';

let registry: Registry;
let metrics: RequestMetrics;

beforeEach(() => {
  registry = new Registry();
  metrics = createRequestMetrics(registry);
});

async function lines(name: string): Promise<string[]> {
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`));
}

describe('exchanges', () => {
  it('are counted by each combination of labels, in the order first seen', async () => {
    const cells = metrics.cellsOf('orders');
    cells.record('http', 'orders', 'GET', 200, 0.002);
    cells.record('http', 'orders', 'GET', 503, 0.002);
    cells.record('https', 'orders', 'GET', 200, 0.002);
    cells.record('http', 'orders', 'BREW', 200, 0.002);
    cells.record('http', '', 'GET', 200, 0.002);
    cells.record('http', 'orders', 'GET', 200, 0.002);
    const labels = 'route="orders",service="orders"';
    expect(await lines('meshgate_requests_total')).toEqual([
      `meshgate_requests_total{listener="http",${labels},method="GET",code="200"} 2`,
      `meshgate_requests_total{listener="http",${labels},method="GET",code="503"} 1`,
      `meshgate_requests_total{listener="https",${labels},method="GET",code="200"} 1`,
      `meshgate_requests_total{listener="http",${labels},method="other",code="200"} 1`,
      'meshgate_requests_total{listener="http",route="orders",service="",method="GET",code="200"} 1',
    ]);
  });

  it('share one duration for a route and a service, whatever their other labels', async () => {
    const cells = metrics.cellsOf('orders');
    cells.record('http', 'orders', 'GET', 200, 0.001);
    cells.record('http', 'orders', 'GET', 503, 0.25);
    cells.record('https', 'orders', 'PUT', 200, 31);
    cells.record('http', '', 'GET', 404, 0);
    const buckets = await lines('meshgate_request_duration_seconds_bucket');
    const of = (service: string) =>
      buckets
        .filter((line) => line.includes(`service="${service}"`))
        .map((line) => Number(line.slice(line.indexOf('} ') + 2)));
    expect(of('orders')).toEqual([1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3]);
    expect(of('')).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(await lines('meshgate_request_duration_seconds_count')).toEqual([
      'meshgate_request_duration_seconds_count{route="orders",service="orders"} 3',
      'meshgate_request_duration_seconds_count{route="orders",service=""} 1',
    ]);
    expect(await lines('meshgate_request_duration_seconds_sum')).toEqual([
      'meshgate_request_duration_seconds_sum{route="orders",service="orders"} 31.251',
      'meshgate_request_duration_seconds_sum{route="orders",service=""} 0',
    ]);
  });

  it('go on in the same cells when their route is compiled anew', () => {
    expect(metrics.cellsOf('orders')).toBe(metrics.cellsOf('orders'));
  });

  it('are told no more once nobody holds their route, and begin anew should it come back', async () => {
    const before = metrics.cellsOf('orders');
    before.record('http', 'orders', 'GET', 200, 0.002);
    before.rateLimited();
    const after = metrics.cellsOf('orders');
    before.release();
    expect(await lines('meshgate_requests_total')).toHaveLength(1);
    after.record('http', 'orders', 'GET', 200, 0.002);
    after.release();
    // Nobody is left who could; it is lost.
    after.record('http', 'orders', 'GET', 200, 0.002);
    for (const name of ['requests', 'rate_limited']) {
      expect(await lines(`meshgate_${name}_total`)).toEqual([]);
    }
    const again = metrics.cellsOf('orders');
    again.record('http', 'orders', 'GET', 200, 0.25);
    expect(await lines('meshgate_requests_total')).toEqual([expect.stringMatching(/ 1$/)]);
    expect(await lines('meshgate_request_duration_seconds_sum')).toEqual([
      'meshgate_request_duration_seconds_sum{route="orders",service="orders"} 0.25',
    ]);
  });

  it('do not run into each other, however many routes there are', async () => {
    const routes = Array.from({ length: 2500 }, (_, i) => `r${i}`);
    for (const [i, route] of routes.entries()) {
      const cells = metrics.cellsOf(route);
      for (let n = 0; n <= i % 3; n++) cells.record('http', 's', 'GET', 200, i);
    }
    const counts = await lines('meshgate_requests_total');
    expect(counts.map((line) => Number(line.split(' ')[1]))).toEqual(
      routes.map((_, i) => 1 + (i % 3)),
    );
    const sums = await lines('meshgate_request_duration_seconds_sum');
    expect(sums.map((line) => Number(line.split(' ')[1]))).toEqual(
      routes.map((_, i) => i * (1 + (i % 3))),
    );
  });
});

it('counts refusals by a rate limit, where there were any', async () => {
  metrics.cellsOf('open').record('http', '', 'GET', 200, 0);
  metrics.cellsOf('limited').rateLimited();
  metrics.cellsOf('limited').rateLimited();
  expect(await lines('meshgate_rate_limited_total')).toEqual([
    'meshgate_rate_limited_total{route="limited"} 2',
  ]);
});

it('tells the time to an upstream by its service', async () => {
  metrics.upstream('orders', 0.02);
  metrics.upstream('orders', 0.5);
  metrics.upstream('users', 0.1);
  expect(await lines('meshgate_upstream_duration_seconds_count')).toEqual([
    'meshgate_upstream_duration_seconds_count{service="orders"} 2',
    'meshgate_upstream_duration_seconds_count{service="users"} 1',
  ]);
  expect(await lines('meshgate_upstream_duration_seconds_sum')).toEqual([
    'meshgate_upstream_duration_seconds_sum{service="orders"} 0.52',
    'meshgate_upstream_duration_seconds_sum{service="users"} 0.1',
  ]);
});

it('forgets the time to an upstream with its service', async () => {
  metrics.upstream('orders', 0.02);
  metrics.upstream('users', 0.1);
  metrics.serviceGone('orders');
  metrics.serviceGone('never');
  expect(await lines('meshgate_upstream_duration_seconds_count')).toEqual([
    'meshgate_upstream_duration_seconds_count{service="users"} 1',
  ]);
  metrics.upstream('orders', 0.5);
  expect(await lines('meshgate_upstream_duration_seconds_sum')).toContain(
    'meshgate_upstream_duration_seconds_sum{service="orders"} 0.5',
  );
});
