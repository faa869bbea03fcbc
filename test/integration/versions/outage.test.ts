/** The Redis of a fleet is gone: what its nodes can tell they tell, and nothing is changed. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { eventually } from '../process/gateway-process.ts';
import { startAdminFleet, type Asked, type FleetNode, type Question } from './admin-fleet.ts';

const ENDPOINT = '127.0.0.1:9';
const document = (text: string) => ({
  services: { orders: { endpoints: [{ address: ENDPOINT }] } },
  routes: [{ name: 'hello', match: [{ path: '/hello' }], respond: { status: 200, body: text } }],
});

/** Of the shared configuration: known after a restart too. */
const CONFIGURATION = [
  '/v1/config',
  '/v1/routes',
  '/v1/routes/hello',
  '/v1/services/orders',
  '/v1/config/versions',
  '/v1/config/versions/2',
];
const READS = [
  ...CONFIGURATION,
  '/v1/status',
  '/v1/mesh/nodes',
  '/v1/mesh/services',
  '/v1/mesh/endpoints',
  '/v1/mesh/topology',
  '/v1/mesh/metrics',
  '/v1/tokens',
  '/v1/audit',
];
const WRITES: readonly (readonly [path: string, question: Question])[] = [
  ['/v1/routes/hello', { method: 'PUT', body: document('new').routes[0] }],
  ['/v1/routes/other', { method: 'PUT', body: { match: [{ path: '/x' }], to: 'orders' } }],
  ['/v1/routes/hello', { method: 'PATCH', body: { respond: { body: 'new' } } }],
  ['/v1/routes/hello', { method: 'DELETE' }],
  ['/v1/config', { method: 'PUT', body: document('new') }],
  // What it says already: who knows whether it still does?
  ['/v1/config', { method: 'PUT', body: document('two') }],
  ['/v1/config/rollback', { method: 'POST', body: { version: 1 } }],
  ['/v1/config/versions/1/pin', { method: 'PUT', body: { pinned: true } }],
  [
    `/v1/mesh/services/orders/endpoints/${encodeURIComponent(ENDPOINT)}/weight`,
    { method: 'PUT', body: { weight: 3 } },
  ],
  ['/v1/tokens', { method: 'POST', body: { name: 'ci', role: 'viewer' } }],
];

/** Seconds, as an answer tells how old it is. */
function ageOf({ headers, body }: Asked): number {
  const { staleness_seconds: ofBody, backplane } = body as {
    readonly staleness_seconds?: number;
    readonly backplane?: { readonly staleness_seconds: number };
  };
  return Number(headers.get('meshgate-staleness') ?? ofBody ?? backplane?.staleness_seconds);
}

async function expectReads(node: FleetNode, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const asked = await node.ask(path);
    expect([path, asked.status, ageOf(asked) > 0]).toEqual([path, 200, true]);
  }
  const { body } = await node.ask('/v1/config');
  expect(body).toMatchObject(document('two'));
}

async function expectNoWrites(node: FleetNode): Promise<void> {
  const answers = await Promise.all(
    WRITES.map(async ([path, question]) => ({ path, ...(await node.ask(path, question)) })),
  );
  for (const { path, status, headers, body } of answers) {
    expect([path, status, headers.get('content-type')]).toEqual([
      path,
      503,
      'application/problem+json; charset=utf-8',
    ]);
    expect(body).toMatchObject({ status: 503, code: 'backplane_unavailable', source: 'admin' });
    expect(body['detail']).toMatch(/^The backplane cannot be asked: \S/);
    expect(headers.get('retry-after')).toBe('1');
  }
}

/** Everything that Redis has of versions, tokens and operators' decisions. */
async function dump({ admin }: RedisProcess): Promise<Record<string, unknown>> {
  const keys = (await admin.keys('meshgate:{*}:*')).filter((key) =>
    /\{(config|config-bodies|admin-tokens|svc:orders)\}:(doc|weight)$/.test(key),
  );
  const all = await Promise.all(keys.map((key) => admin.hgetall(key)));
  return Object.fromEntries(keys.map((key, i) => [key, all[i]]));
}

const untilCutOff = (node: FleetNode): Promise<true> =>
  eventually(async () => (ageOf(await node.ask('/v1/status')) > 0 ? true : undefined));

const untilBack = (node: FleetNode): Promise<true> =>
  eventually(async () => (ageOf(await node.ask('/v1/status')) === 0 ? true : undefined));

describe('a fleet without its Redis', () => {
  it.each([
    ['killed', 'app'],
    ['frozen', 'program'],
  ] as const)(
    'that was %s reads what it knew last and says how old that is, and changes nothing',
    { timeout: 90_000 },
    async (how, as) => {
      const redis = await RedisProcess.start({
        config: ['appendonly yes', 'appendfsync always'],
      });
      onTestFinished(() => redis.stop());
      const { one, two } = await startAdminFleet(singleTarget(redis.port), {
        one: { as: 'app' },
        two: { as },
      });
      await one.must('/v1/config', { method: 'PUT', body: document('one') });
      await one.must('/v1/config', { method: 'PUT', body: document('two') });
      await Promise.all([one, two].map((node) => node.runs(2)));
      for (const path of READS) await one.must(path);
      const before = await dump(redis);

      if (how === 'killed') await redis.kill();
      else redis.freeze();
      // Before anybody has noticed, too.
      await expectNoWrites(two);
      await Promise.all([one, two].map(untilCutOff));
      await expectReads(one, READS);
      await Promise.all([expectNoWrites(one), expectNoWrites(two)]);
      expect((await two.ask('/v1/config')).headers.get('meshgate-version')).toBe('2');
      // A node that is started meanwhile knows it from its disk.
      await two.stop();
      await two.start();
      await expectReads(two, CONFIGURATION);
      await expectNoWrites(two);
      expect(await (await fetch(`${two.url}/hello`)).text()).toBe('two');

      if (how === 'killed') await redis.start();
      else redis.thaw();
      await Promise.all([one, two].map(untilBack));
      expect(await dump(redis)).toEqual(before);
      for (const node of [one, two]) {
        const { headers, body } = await node.ask('/v1/config');
        expect([headers.get('meshgate-version'), ageOf({ status: 200, headers, body })]).toEqual([
          '2',
          0,
        ]);
      }
      // The next version is the third: nothing has come in between.
      const put = { method: 'PUT', body: document('three') };
      const written = await two.must('/v1/config', put);
      expect(written.headers.get('meshgate-version')).toBe('3');
      await one.runs(3);
    },
  );
});
