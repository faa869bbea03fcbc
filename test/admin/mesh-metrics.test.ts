import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { MeshMetrics } from '../../src/admin/resources/mesh-metrics.ts';
import { NODES_SPACE } from '../../src/mesh/node/presence.ts';
import { bucketOf, middleOf } from '../../src/mesh/topology/latency-buckets.ts';
import { createTopologyRecorder } from '../../src/mesh/topology/recorder.ts';
import { TOPOLOGY_SPACE, toReportValue } from '../../src/mesh/topology/report.ts';
import { startAdmin, stopAdminsAfterEach, type TestAdmin } from './admin-fixture.ts';
import { askWith, makeToken } from './token-fixture.ts';

stopAdminsAfterEach();

const about = (ms: number): number => middleOf(bucketOf(ms));

/** Calls in 5 s: `[destination, how many, milliseconds, how many of them failed]`. */
type Calls = readonly [string, number, number, number];

async function tell(admin: TestAdmin, node: string, source: string, calls: readonly Calls[]) {
  const recorder = createTopologyRecorder();
  for (const [destination, times, ms, failed] of calls) {
    const edge = recorder.edgeTo(destination);
    for (let i = 0; i < times; i++) edge.record(ms, i < failed);
  }
  const value = toReportValue({ source, windowMs: 5_000, edges: recorder.take() });
  await admin.backplane.report(TOPOLOGY_SPACE, node, value, 600_000);
}

async function startThree(): Promise<TestAdmin> {
  const admin = await startAdmin({ lostNodes: () => ['n9', 'n2'] });
  for (const name of ['n1', 'n2', 'n3']) {
    await admin.backplane.report(NODES_SPACE, name, { name }, 600_000);
  }
  await tell(admin, 'n1', 'gateway', [
    ['orders', 90, 10, 5],
    ['users', 10, 10, 0],
  ]);
  await tell(admin, 'n2', 'users', [['orders', 25, 800, 25]]);
  return admin;
}

describe('GET /v1/mesh/metrics', () => {
  it('sums up what each node calls, and all of them, and says who did not tell', async () => {
    const admin = await startThree();
    const { status, body } = await admin.ask('/v1/mesh/metrics');
    expect(status).toBe(200);
    const validate = new Ajv({ strict: false }).compile(MeshMetrics);
    validate(body);
    expect(validate.errors).toBeNull();
    expect(body).toEqual({
      items: [
        {
          node: 'n1',
          source: 'gateway',
          requests_per_second: 20,
          errors_per_second: 1,
          error_ratio: 0.05,
          p50_ms: about(10),
          p99_ms: about(10),
        },
        {
          node: 'n2',
          source: 'users',
          requests_per_second: 5,
          errors_per_second: 5,
          error_ratio: 1,
          p50_ms: about(800),
          p99_ms: about(800),
        },
      ],
      next_cursor: null,
      staleness_seconds: 0,
      nodes: { included: ['n1', 'n2'], missing: ['n3', 'n9'] },
      total: {
        requests_per_second: 25,
        errors_per_second: 6,
        error_ratio: 0.24,
        p50_ms: about(10),
        p99_ms: about(800),
      },
    });
  });

  it('counts for a token with a scope what goes to its services', async () => {
    const admin = await startThree();
    const { token } = await makeToken(admin, { scope: { services: { prefixes: ['users'] } } });
    const { body } = await askWith(admin, token, '/v1/mesh/metrics');
    expect(body).toMatchObject({
      items: [
        { node: 'n1', requests_per_second: 2, errors_per_second: 0 },
        { node: 'n2', requests_per_second: 0, error_ratio: 0, p99_ms: null },
      ],
      total: { requests_per_second: 2, error_ratio: 0 },
    });
  });

  it('gives pages, and the same total on each', async () => {
    const admin = await startThree();
    const first = (await admin.ask('/v1/mesh/metrics?page_size=1')).body;
    expect(first['items']).toMatchObject([{ node: 'n1' }]);
    const cursor = first['next_cursor'] as string;
    const second = (await admin.ask(`/v1/mesh/metrics?page_size=1&cursor=${cursor}`)).body;
    expect(second['items']).toMatchObject([{ node: 'n2' }]);
    expect(second['total']).toEqual(first['total']);
  });
});

describe('other views of the mesh', () => {
  it('say which nodes they include, and which were silent', async () => {
    const admin = await startThree();
    const nodesOf = async (view: string): Promise<unknown> =>
      (await admin.ask(`/v1/mesh/${view}`)).body['nodes'];
    const all = { included: ['n1', 'n2', 'n3'], missing: ['n9'] };
    expect(await nodesOf('topology')).toEqual({ included: ['n1', 'n2'], missing: ['n3', 'n9'] });
    for (const view of ['services', 'endpoints', 'nodes']) expect(await nodesOf(view)).toEqual(all);
  });
});
