/** What callers notice of an instance that is killed, and how long it stays in the mesh. */
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import { runConstantRate } from '../constant-rate.ts';
import { LOAD_CORE } from '../cores.ts';
import { findFreePorts } from '../free-port.ts';
import type { ServerProcess } from '../process-keeper.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { median } from '../statistics.ts';
import { startMeshGateway, type MeshGateway } from './mesh-gateway.ts';
import { withRedis, type RunningRedis } from './redis.ts';

const INSTANCE = fileURLToPath(new URL('instance-process.ts', import.meta.url));
const INSTANCES = 3;
const PER_SECOND = 200;
const KILLED_AFTER_MS = 2000;
const GONE_WITHIN_MS = 60_000;
const CRASHES = 5;
const LOOK_MS = 50;

interface Crash {
  readonly failed: number;
  /** Tries that met the dead instance. */
  readonly retried: number;
  /** Until the registry had it no more. */
  readonly goneMs: number;
}

export const crash: Scenario = {
  name: 'mesh-crash',
  summary: `One of ${INSTANCES} instances is killed with SIGKILL under ${PER_SECOND} GETs a second through a Meshgate.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    return withRedis(context, async (redis) => {
      const gateway = await startMeshGateway(context, 'node', {
        backplane: { redis: redis.url },
        services: { orders: { discover: { mesh: 'orders' } } },
        routes: [{ name: 'orders', to: 'orders' }],
      });
      try {
        const kept: ServerProcess[] = [];
        for (let i = 1; i < INSTANCES; i++) kept.push(await startInstance(context, redis, i));
        const crashes: Crash[] = [];
        for (let n = 0; n < CRASHES; n++) {
          crashes.push(await measure(context, redis, gateway, INSTANCES + n));
          context.say(`  ${JSON.stringify(crashes.at(-1))}`);
        }
        await Promise.all(kept.map((one) => one.stop()));
        return toResult(crashes);
      } finally {
        await gateway.stop();
      }
    });
  },
};

async function startInstance(
  { processes, directory }: BenchContext,
  redis: RunningRedis,
  i: number,
): Promise<ServerProcess> {
  const [port] = (await findFreePorts(1)) as [number];
  return processes.start(
    [process.execPath, INSTANCE, redis.url, 'orders', String(port)],
    `${directory}/instance-${i}.log`,
    { core: LOAD_CORE },
  );
}

async function measure(
  context: BenchContext,
  redis: RunningRedis,
  gateway: MeshGateway,
  i: number,
): Promise<Crash> {
  const victim = await startInstance(context, redis, i);
  await untilEndpoints(gateway, INSTANCES);
  const retriesBefore = await gateway.metric('meshgate_retries_total');
  const load = runConstantRate({
    url: gateway.url,
    paths: ['/'],
    perSecond: PER_SECOND,
    seconds: (2 * KILLED_AFTER_MS) / 1000 + 1,
    connections: 32,
  });
  await delay(KILLED_AFTER_MS);
  process.kill(victim.pid, 'SIGKILL');
  const killedAtMs = performance.now();
  await untilEndpoints(gateway, INSTANCES - 1);
  const goneMs = performance.now() - killedAtMs;
  const { failed } = await load;
  const retried = (await gateway.metric('meshgate_retries_total')) - retriesBefore;
  return { failed, retried, goneMs };
}

async function untilEndpoints(gateway: MeshGateway, count: number): Promise<void> {
  const deadline = performance.now() + GONE_WITHIN_MS;
  while ((await gateway.metric('meshgate_endpoints')) !== count) {
    if (performance.now() > deadline) throw new Error(`the node does not see ${count} instances`);
    await delay(LOOK_MS);
  }
}

function toResult(crashes: readonly Crash[]): ScenarioResult {
  const failed = crashes.reduce((sum, one) => sum + one.failed, 0);
  const goneMs = crashes.map((one) => one.goneMs);
  return {
    table: [
      [
        'crashes',
        'failed requests',
        'tries that met it (median)',
        'out of the mesh s (median)',
        'longest s',
      ],
      [
        String(crashes.length),
        String(failed),
        median(crashes.map(({ retried }) => retried)).toFixed(0),
        (median(goneMs) / 1000).toFixed(1),
        (Math.max(...goneMs) / 1000).toFixed(1),
      ],
    ],
    notes: [
      'Callers pass it over by themselves (outlier detection); the registry drops it when its lease of 15 s has run out.',
    ],
    failures: failed === 0 ? [] : [`${failed} idempotent requests failed`],
    data: crashes,
  };
}
