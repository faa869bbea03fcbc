import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createMesh, type Mesh, type RegisteredInstance } from '../../../src/client/client.ts';
import { send } from '../../admin/admin-fixture.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { openPair, type Caller } from './callers.ts';
import { startOrigin } from './origin.ts';
import { shareWorkers, TELLING, untilBothReady } from './workers-fixture.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** Where Redis is late, a request is refused, and not counted by a worker alone. */
const limitedBy = (mode: string): object => ({
  name: mode,
  match: [{ path: `/${mode}` }],
  to: 'orders',
  plugins: [
    { 'rate-limit': { limit: LIMIT, window: '1h', by: 'route', mode, onUnavailable: 'closed' } },
  ],
});
const LIMIT = 150;

const ends: (() => unknown)[] = [];
let redis: RedisProcess;
let mesh: Mesh;
const instances = new Map<string, RegisteredInstance>();

async function register(name: string): Promise<void> {
  const { port } = await startOrigin(name, (end) => ends.push(end));
  const address = `127.0.0.1:${port}`;
  instances.set(name, await mesh.register({ service: 'orders', address, healthCheck: false }));
}

beforeAll(async () => {
  redis = await RedisProcess.start();
  mesh = createMesh({ redis: `redis://127.0.0.1:${redis.port}` });
  await register('first');
  await register('second');
});
afterAll(async () => {
  await mesh.close();
  for (const end of ends) end();
  await redis.stop();
});

const shared = shareWorkers(
  () => ({
    backplane: { redis: `redis://127.0.0.1:${redis.port}` },
    plugins: [{ tell: { word: 'one' } }],
    services: { orders: { discover: { mesh: 'orders' }, balancer: { policy: 'round-robin' } } },
    routes: [
      limitedBy('leased'),
      limitedBy('exact'),
      { name: 'orders', match: [{ path: '/*' }], to: 'orders' },
    ],
  }),
  { env: TELLING },
);

/** Who answers eight requests on that connection. */
async function eight(caller: Caller): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < 8; i++) {
    const { status, body } = await caller.ask();
    const who = status === 200 ? body : String(status);
    counts[who] = (counts[who] ?? 0) + 1;
  }
  return counts;
}

/** Waits until all workers give so many of eight requests to each instance. */
async function expectAll(
  callers: readonly Caller[],
  wanted: Record<string, number>,
): Promise<void> {
  await vi.waitFor(
    async () => {
      for (const caller of callers) expect(await eight(caller)).toEqual(wanted);
    },
    { timeout: 30_000, interval: 20 },
  );
}

async function tellOperators(instance: string, what: string, body: object): Promise<void> {
  const node = shared();
  const token = await readFile(join(node.folder, '.meshgate/admin-token'), 'utf8');
  const [, port] = /^meshgate: admin on http:\/\/\S+?:(\d+)$/m.exec(node.gateway.program.stdout)!;
  const id = encodeURIComponent(instances.get(instance)!.id);
  const answer = await send(Number(port), `/v1/mesh/services/orders/endpoints/${id}/${what}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token.trim()}` },
    body,
  });
  expect(answer.status).toBe(200);
}

it('finds the same instances in both workers, as they come and go, and after a restart of a worker', async () => {
  const node = shared();
  const port = node.gateway.portOf('http');
  const [a, b] = await openPair(port);
  await expectAll([a, b], { 'ok first': 4, 'ok second': 4 });
  await register('third');
  await register('fourth');
  const all = { 'ok first': 2, 'ok second': 2, 'ok third': 2, 'ok fourth': 2 };
  await expectAll([a, b], all);
  process.kill(a.worker, 'SIGKILL');
  await untilBothReady(node, [a.worker]);
  // What is new has been told all there is before it is asked anything.
  const [c, d] = await openPair(port);
  expect([await eight(c), await eight(d)]).toEqual([all, all]);
  await instances.get('third')!.deregister();
  await instances.get('fourth')!.deregister();
  await expectAll([b, c, d], { 'ok first': 4, 'ok second': 4 });
});

it('goes by what operators decide in both workers', async () => {
  const [a, b] = await openPair(shared().gateway.portOf('http'));
  await tellOperators('first', 'weight', { weight: 3 });
  await expectAll([a, b], { 'ok first': 6, 'ok second': 2 });
  await tellOperators('first', 'drain', { drain: true });
  await expectAll([a, b], { 'ok second': 8 });
  await tellOperators('first', 'drain', { drain: false });
  await tellOperators('first', 'weight', { weight: null });
  await expectAll([a, b], { 'ok first': 4, 'ok second': 4 });
});

it.each(['leased', 'exact'])(
  'admits no more than a %s limit over both, and no less',
  async (mode) => {
    const port = shared().gateway.portOf('http');
    const callers = (await Promise.all([openPair(port), openPair(port)])).flat();
    let admitted = 0;
    let late = 0;
    const last = await Promise.all(
      callers.map(async (caller) => {
        for (;;) {
          const { status } = await caller.ask(`/${mode}`);
          if (status === 200) admitted++;
          // Redis had no processor for 20 ms.
          else if (status === 503) late++;
          else return status;
        }
      }),
    );
    expect(last).toEqual([429, 429, 429, 429]);
    expect(admitted).toBeLessThanOrEqual(LIMIT);
    // Points of a late answer are spent later where they are leased, and else lost.
    expect(mode === 'leased' ? admitted : admitted + late).toBeGreaterThanOrEqual(LIMIT);
  },
);
