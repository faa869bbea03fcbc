/** How long a change of the mesh takes until every node acts by it. */
import type { BenchContext } from '../bench-context.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { LOOK_MS, pauseBetween, toMs, untilAnswered } from './change-watch.ts';
import { startMeshGateway, type MeshGateway } from './mesh-gateway.ts';
import { joinMesh, registerAll, type MeshMember } from './mesh-member.ts';
import { withRedis } from './redis.ts';

const NODES = 5;
const SIMULATED = 1000;
/** Of each size; every change is seen by each node. */
const CHANGES = 40;

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
    return withRedis(context, async (redis) => {
      const member = await joinMesh(redis.url);
      try {
        return await measureFrom(context, member, redis.url);
      } finally {
        await member.close();
      }
    });
  },
};

async function measureFrom(
  context: BenchContext,
  member: MeshMember,
  redisUrl: string,
): Promise<ScenarioResult> {
  const gateways = await Promise.all(
    Array.from({ length: NODES }, (_, i) => startNode(context, redisUrl, i)),
  );
  try {
    const alone = await measure(context, member, gateways, 1);
    const others = await registerAll(member, toSimulated(context));
    const among = await measure(context, member, gateways, SIMULATED);
    await Promise.all(others.map((one) => one.deregister()));
    return toResult([alone, among]);
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  }
}

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
    await pauseBetween(150, 450);
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

/** Until it routes to the instance, or no more. */
function untilRouted(gateway: MeshGateway, wanted: boolean): Promise<void> {
  return untilAnswered(gateway, '/', ({ status }) => status === (wanted ? 200 : 503));
}

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
