/** How long a change of the mesh takes until every node acts by it. */
import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { percentile } from '../statistics.ts';
import { startMeshGateway, type MeshGateway } from './mesh-gateway.ts';
import { joinMesh, registerAll, type MeshMember } from './mesh-member.ts';
import { startRedis } from './redis.ts';

const NODES = 5;
const SIMULATED = 1000;
/** Of each size; every change is seen by each node. */
const CHANGES = 40;
/** Between two looks at a node. */
const LOOK_MS = 2;
const SEEN_WITHIN_MS = 60_000;
/** So that changes do not fall into step with anything. */
const PAUSE_MS = { least: 150, spread: 300 };

interface Measured {
  readonly instances: number;
  /** One a node and change. */
  readonly visibleMs: readonly number[];
  /** One a change: until the last node. */
  readonly everywhereMs: readonly number[];
}

export const propagation: Scenario = {
  name: 'mesh-propagation',
  summary: `From the moment an instance's metadata change until ${NODES} Meshgates, each a process of its own, route by it: a route leads to the instances that have the new version, and each node is asked every ${LOOK_MS} ms. With one instance, and with ${SIMULATED.toLocaleString('en')} that give heartbeats.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const redis = await startRedis(context);
    if (redis === undefined) return { ...NOT_MEASURED, notes: ['Not measured: no redis-server.'] };
    const member = await joinMesh(redis.url);
    const gateways = await Promise.all(
      Array.from({ length: NODES }, (_, i) => startNode(context, redis.url, i)),
    );
    try {
      const alone = await measure(context, member, gateways, 1);
      const others = await registerAll(member, toSimulated(context));
      const among = await measure(context, member, gateways, SIMULATED);
      await Promise.all(others.map((one) => one.deregister()));
      return toResult([alone, among]);
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await member.close();
      await redis.stop();
    }
  },
};

function startNode(context: BenchContext, redis: string, i: number): Promise<MeshGateway> {
  return startMeshGateway(context, `node-${i}`, {
    backplane: { redis },
    services: { orders: { discover: { mesh: 'orders' } } },
    routes: [{ name: 'new', to: [{ service: 'orders', where: { version: 'new' } }] }],
  });
}

function toSimulated({ upstream }: BenchContext) {
  return Array.from({ length: SIMULATED - 1 }, (_, i) => ({
    service: 'orders',
    instance: {
      id: `simulated-${i}`,
      // All of 127.0.0.0/8 is this machine.
      host: `127.0.${1 + (i >> 8)}.${i & 255}`,
      port: upstream.ports.small,
      metadata: { version: 'old' },
    },
  }));
}

async function measure(
  context: BenchContext,
  member: MeshMember,
  gateways: readonly MeshGateway[],
  instances: number,
): Promise<Measured> {
  const instance = { id: 'one', host: '127.0.0.1', port: context.upstream.ports.small };
  const versioned = (version: string) => ({ ...instance, metadata: { version } });
  const registration = await member.register('orders', versioned('new'));
  const visibleMs: number[] = [];
  const everywhereMs: number[] = [];
  await Promise.all(gateways.map((gateway) => untilRouted(gateway, true)));
  for (let change = 0; change < CHANGES; change++) {
    const isNew = change % 2 === 1;
    await delay(PAUSE_MS.least + PAUSE_MS.spread * Math.random());
    const startMs = performance.now();
    const seen = gateways.map(async (gateway) => {
      await untilRouted(gateway, isNew);
      return performance.now() - startMs;
    });
    await registration.update(versioned(isNew ? 'new' : 'old'));
    const times = await Promise.all(seen);
    visibleMs.push(...times);
    everywhereMs.push(Math.max(...times));
  }
  await registration.deregister();
  const measured = { instances, visibleMs, everywhereMs };
  context.say(
    `  ${instances} instances: p50 ${toMs(visibleMs, 0.5)}, p99 ${toMs(visibleMs, 0.99)} ms`,
  );
  return measured;
}

const agent = new Agent({ keepAlive: true });

/** Asks a node until it routes to the instance, or no more. */
async function untilRouted({ name, port }: MeshGateway, wanted: boolean): Promise<void> {
  const deadline = performance.now() + SEEN_WITHIN_MS;
  while ((await ask(port)) !== (wanted ? 200 : 503)) {
    if (performance.now() > deadline) throw new Error(`${name} does not see a change`);
    await delay(LOOK_MS);
  }
}

function ask(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, agent }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode));
      answer.once('error', reject);
    });
    request.once('error', reject);
  });
}

const toMs = (values: readonly number[], share: number) => percentile(values, share).toFixed(0);

function toResult(measured: readonly Measured[]): ScenarioResult {
  return {
    table: [
      ['instances', 'on a node p50 ms', 'p99 ms', 'on all nodes p50 ms', 'p99 ms'],
      ...measured.map(({ instances, visibleMs, everywhereMs }) => [
        instances.toLocaleString('en'),
        toMs(visibleMs, 0.5),
        toMs(visibleMs, 0.99),
        toMs(everywhereMs, 0.5),
        toMs(everywhereMs, 0.99),
      ]),
    ],
    notes: [
      `${CHANGES} changes; all nodes share one core, and Redis another with this measurement.`,
    ],
    failures: [],
    data: measured,
  };
}
