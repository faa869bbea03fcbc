/** What requests notice of a Redis that hangs, dies, and comes back with nothing in it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import {
  countFailed,
  describeLatencies,
  LATENCY_TITLES,
  measureWindow,
  toLatencyCells,
  type LatencyWindow,
} from '../latency-window.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { startMeshGateway, type MeshGateway } from './mesh-gateway.ts';
import { joinMesh } from './mesh-member.ts';
import { withRedis, type RunningRedis } from './redis.ts';

const SERVICE = 'app';
const PER_SECOND = 1000;
const MODES = ['leased', 'exact'] as const;
/** In this order; each begins in its window, under load. */
const PHASES = ['steady', 'frozen', 'killed', 'back'] as const;
const NEVER_REACHED = 1_000_000_000;
const PATHS = ['/items/42'];
const LOOK_MS = 50;
const RECOVERED_WITHIN_MS = 60_000;
const FALLBACKS = 'meshgate_plugin_rate_limit_fallbacks_total';

type Mode = (typeof MODES)[number];
type Phase = (typeof PHASES)[number];

export interface OutageWindow extends LatencyWindow {
  readonly mode: Mode;
  readonly phase: Phase;
  readonly requests: number;
  /** Requests whose limit was decided on without Redis. */
  readonly fallbacks: number;
}

export const redisOutage: Scenario = {
  name: 'redis-outage',
  summary: `GET of 1 KB at ${PER_SECOND.toLocaleString('en')} requests a second, to a service that is discovered by a Redis, with a \`rate-limit\` that is counted there: with Redis well, stopped by SIGSTOP, killed, and replaced by an empty one. Each begins under load, at the start of its window. Latency is counted from when a request was due.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    return withRedis(context, async (redis) => {
      const port = context.upstream.ports.small;
      const member = await joinMesh(redis.url);
      const gateways: MeshGateway[] = [];
      const windows: OutageWindow[] = [];
      try {
        await member.register(SERVICE, { id: `127.0.0.1:${port}`, host: '127.0.0.1', port });
        for (const mode of MODES) gateways.push(await startWith(context, redis, mode));
        for (let round = 0; round <= context.options.rounds; round++) {
          for (const [i, mode] of MODES.entries()) {
            const gateway = gateways[i]!;
            for (const phase of PHASES) {
              // In the first round all is done for the first time, and compiled.
              await untilWell(gateway, phase);
              const window = await measure(context, redis, gateway, mode, phase);
              if (round === 0) continue;
              windows.push(window);
              context.say(`  round ${round}  ${mode} ${phase.padEnd(6)} ${describe(window)}`);
            }
          }
        }
      } finally {
        await Promise.all(gateways.map((gateway) => gateway.stop()));
        await member.close();
      }
      return toOutageResult(windows);
    });
  },
};

function startWith(context: BenchContext, redis: RunningRedis, mode: Mode): Promise<MeshGateway> {
  return startMeshGateway(context, mode, {
    backplane: { redis: redis.url },
    services: { [SERVICE]: { discover: { mesh: SERVICE } } },
    routes: [
      {
        name: 'all',
        to: SERVICE,
        plugins: [{ 'rate-limit': { limit: NEVER_REACHED, window: '1d', by: 'ip', mode } }],
      },
    ],
  });
}

/** What came before must be over where the next phase is that of a Redis that is well. */
async function untilWell(gateway: MeshGateway, phase: Phase): Promise<void> {
  if (phase !== 'steady') return;
  const deadline = performance.now() + RECOVERED_WITHIN_MS;
  for (;;) {
    const connected = await gateway.metric('meshgate_backplane_connected');
    const endpoints = await gateway.metric('meshgate_endpoints');
    if (connected === 1 && endpoints === 1) return;
    if (performance.now() > deadline) throw new Error(`${gateway.name} does not recover`);
    await delay(LOOK_MS);
  }
}

async function measure(
  { options }: BenchContext,
  redis: RunningRedis,
  gateway: MeshGateway,
  mode: Mode,
  phase: Phase,
): Promise<OutageWindow> {
  const before = await gateway.metric(FALLBACKS);
  const { seconds, ...latencies } = await measureWindow(
    { url: gateway.url, paths: PATHS, perSecond: PER_SECOND, seconds: options.seconds },
    () => begin(phase, redis),
  );
  const fallbacks = (await gateway.metric(FALLBACKS)) - before;
  return { mode, phase, seconds, ...latencies, fallbacks, requests: PER_SECOND * seconds };
}

async function begin(phase: Phase, redis: RunningRedis): Promise<void> {
  if (phase === 'frozen') redis.freeze();
  if (phase === 'killed') await redis.kill();
  if (phase === 'back') await redis.replace();
}

export function toOutageResult(windows: readonly OutageWindow[]): ScenarioResult {
  const rows = MODES.flatMap((mode) =>
    PHASES.map((phase) => ({
      label: `${mode}, ${phase}`,
      own: windows.filter((window) => window.mode === mode && window.phase === phase),
    })),
  );
  return {
    table: [
      ['limit, Redis', ...LATENCY_TITLES, 'failed', 'limits decided without Redis'],
      ...rows.map(({ label, own }) => [
        label,
        ...toLatencyCells(own),
        String(countFailed(own)),
        toShare(own),
      ]),
    ],
    notes: [
      'p50, p99 and max are medians over the rounds, failed is a sum. A limit that is decided without Redis is counted by this node (`onUnavailable: local`, the default).',
    ],
    // Whatever becomes of Redis, no request may fail for it.
    failures: rows.flatMap(({ label, own }) => {
      const failed = countFailed(own);
      return failed === 0 ? [] : [`${label}: ${failed} requests failed`];
    }),
    data: windows,
  };
}

function toShare(windows: readonly OutageWindow[]): string {
  const sum = (figure: 'fallbacks' | 'requests') =>
    windows.reduce((total, window) => total + window[figure], 0);
  return `${((100 * sum('fallbacks')) / sum('requests')).toFixed(1)}%`;
}

function describe(window: OutageWindow): string {
  return `${describeLatencies(window)}  ${window.fallbacks} without Redis`;
}
