/** What ten thousand registered instances cost Redis and a node that watches them all. */
import { setTimeout as delay } from 'node:timers/promises';
import { readCpuTime, readResidentBytes } from '../measure.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { startMeshGateway, type MeshGateway } from './mesh-gateway.ts';
import { joinMesh, registerAll } from './mesh-member.ts';
import { withRedis, type RunningRedis } from './redis.ts';

const SERVICES = 100;
const NAMES = Array.from({ length: SERVICES }, (_, i) => `service-${i}`);
const INSTANCES = 10_000;
const LEAST_WINDOW_SECONDS = 20;
/** Until heartbeats and polls have fallen out of step, and what was read is collected. */
const SETTLE_MS = 15_000;
const MIB = 1024 * 1024;

/** Of one side, over a window. */
interface Cost {
  readonly cpuPercent: number;
  readonly residentBytes: number;
}

interface Window {
  readonly instances: number;
  readonly redis: Cost;
  /** What Redis counts for its data. */
  readonly dataBytes: number;
  readonly commandsPerSecond: number;
  readonly receivedPerSecond: number;
  readonly sentPerSecond: number;
  readonly node: Cost;
}

export const scale: Scenario = {
  name: 'mesh-scale',
  summary: `${INSTANCES.toLocaleString('en')} instances of ${SERVICES} services, each with a heartbeat every 5 s, on one Redis; and a Meshgate without traffic that discovers all of them.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    return withRedis(context, async (redis) => {
      const node = await startMeshGateway(context, 'node', {
        backplane: { redis: redis.url },
        services: Object.fromEntries(NAMES.map((mesh) => [mesh, { discover: { mesh } }])),
        routes: NAMES.map((name) => ({ name, match: [{ path: `/${name}/*` }], to: name })),
      });
      const member = await joinMesh(redis.url);
      const seconds = Math.max(LEAST_WINDOW_SECONDS, context.options.seconds);
      try {
        const before = await measure(0, seconds, redis, node);
        await registerAll(
          member,
          Array.from({ length: INSTANCES }, (_, i) => toInstance(i, NAMES[i % SERVICES]!)),
        );
        await untilSeen(node, INSTANCES);
        await delay(SETTLE_MS);
        const after = await measure(INSTANCES, seconds, redis, node);
        return toResult([before, after]);
      } finally {
        await node.stop();
        await member.close();
      }
    });
  },
};

function toInstance(i: number, service: string) {
  const instance = {
    id: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:4143`,
    host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    port: 4143,
    metadata: { version: 'v1', zone: `zone-${i % 3}` },
    node: `host-${i}`,
  };
  return { service, instance };
}

async function untilSeen(node: MeshGateway, count: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while ((await node.metric('meshgate_endpoints')) !== count) {
    if (performance.now() > deadline) throw new Error('the node does not see all instances');
    await delay(200);
  }
}

async function measure(
  instances: number,
  seconds: number,
  redis: RunningRedis,
  node: MeshGateway,
): Promise<Window> {
  const look = async () => ({
    atMs: performance.now(),
    redis: await cpuMs(redis.pid),
    node: await cpuMs(node.pid),
    commands: await redis.info('total_commands_processed'),
    received: await redis.info('total_net_input_bytes'),
    sent: await redis.info('total_net_output_bytes'),
  });
  const begin = await look();
  await delay(seconds * 1000);
  const end = await look();
  const tookMs = end.atMs - begin.atMs;
  const perSecond = (key: 'commands' | 'received' | 'sent') =>
    ((end[key] - begin[key]) * 1000) / tookMs;
  return {
    instances,
    redis: {
      cpuPercent: ((end.redis - begin.redis) / tookMs) * 100,
      residentBytes: await readResidentBytes([redis.pid]),
    },
    dataBytes: await redis.info('used_memory_dataset'),
    commandsPerSecond: perSecond('commands'),
    receivedPerSecond: perSecond('received'),
    sentPerSecond: perSecond('sent'),
    node: {
      cpuPercent: ((end.node - begin.node) / tookMs) * 100,
      residentBytes: await readResidentBytes([node.pid]),
    },
  };
}

async function cpuMs(pid: number): Promise<number> {
  const { userMs, systemMs } = await readCpuTime([pid]);
  return userMs + systemMs;
}

function toResult(windows: readonly Window[]): ScenarioResult {
  const mib = (bytes: number) => (bytes / MIB).toFixed(1);
  return {
    table: [
      [
        'instances',
        'Redis CPU %',
        'Redis data MiB',
        'commands/s',
        'in KiB/s',
        'out KiB/s',
        'node CPU %',
        'node MiB',
      ],
      ...windows.map(({ instances, redis, node, dataBytes, ...rates }) => [
        instances.toLocaleString('en'),
        redis.cpuPercent.toFixed(1),
        mib(dataBytes),
        rates.commandsPerSecond.toFixed(0),
        (rates.receivedPerSecond / 1024).toFixed(0),
        (rates.sentPerSecond / 1024).toFixed(0),
        node.cpuPercent.toFixed(1),
        mib(node.residentBytes),
      ]),
    ],
    notes: ['CPU is of one core. Heartbeats are of this measurement, not of the node.'],
    failures: [],
    data: windows,
  };
}
