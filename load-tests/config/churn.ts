/** Whether requests notice that the configuration is changed all the time. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import {
  countFailed,
  describeLatencies,
  LATENCY_TITLES,
  measureWindow,
  toFailures,
  toLatencyCells,
  type LatencyWindow,
} from '../latency-window.ts';
import { withRedis } from '../mesh/redis.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { median } from '../statistics.ts';
import {
  ANSWERING,
  newFleetKey,
  startConfigNode,
  toAnsweringRoute,
  toSharedDocument,
  type ConfigNode,
} from './config-node.ts';

const ROUTES = 100;
const PER_SECOND = 1_000;
const CHANGES_PER_MINUTE = 1_000;
/** Asked of the upstream itself, by the same generator at the same time: what is late there has nothing to do with a proxy. */
const DIRECT_PER_SECOND = 250;
const PATHS = Array.from({ length: ROUTES }, (_, i) => `/service-${i}/items/42`);

interface Window extends LatencyWindow {
  readonly changes: number;
  /** Configurations that it put in force: what comes while one is applied is applied with the next. */
  readonly applied: number;
  readonly direct: LatencyWindow;
}

export const configChurn: Scenario = {
  name: 'config-churn',
  summary: `GET of 1 KB at ${PER_SECOND.toLocaleString('en')} requests a second, by ${ROUTES} routes that a Meshgate has of Redis, while ${CHANGES_PER_MINUTE.toLocaleString('en')} changes a minute are made by its own admin API. Latency is counted from when a request was due. The rows "directly" are of ${DIRECT_PER_SECOND} requests a second that the same generator asks of the upstream meanwhile: it shares its core with the upstream, Redis and who makes the changes.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    return withRedis(context, async (redis) => {
      const node = await startConfigNode(context, 'node', redis.url, newFleetKey());
      const steady: Window[] = [];
      const changing: Window[] = [];
      try {
        const first = toSharedDocument(ROUTES, context.upstream.ports.small, 'first');
        const version = await node.put('/v1/config', first);
        await untilRuns(node, version);
        await measure(context, node, true);
        for (let round = 1; round <= context.options.rounds; round++) {
          steady.push(await measure(context, node, false));
          changing.push(await measure(context, node, true));
          context.say(`  round ${round}  steady   ${describe(steady.at(-1)!)}`);
          context.say(`  round ${round}  changing ${describe(changing.at(-1)!)}`);
        }
      } finally {
        await node.stop();
      }
      return toResult(steady, changing);
    });
  },
};

async function measure(
  { options, upstream }: BenchContext,
  node: ConfigNode,
  isChanging: boolean,
): Promise<Window> {
  const before = await node.metric('meshgate_config_revision');
  let changes = 0;
  const change = async (end: AbortSignal) => {
    changes = await changeUntil(end, node);
  };
  const { seconds } = options;
  const url = `http://127.0.0.1:${upstream.ports.small}`;
  const [window, direct] = await Promise.all([
    measureWindow(
      { url: node.url, paths: PATHS, perSecond: PER_SECOND, seconds },
      isChanging ? change : undefined,
    ),
    measureWindow({ url, paths: PATHS, perSecond: DIRECT_PER_SECOND, seconds }),
  ]);
  const applied = (await node.metric('meshgate_config_revision')) - before;
  return { ...window, changes, applied, direct };
}

let edition = 0;

/** Each has its time, and is made at it or as soon as the one before has been accepted. */
async function changeUntil(end: AbortSignal, node: ConfigNode): Promise<number> {
  const startMs = performance.now();
  let made = 0;
  let version = 0;
  while (!end.aborted) {
    version = await node.put(ANSWERING, toAnsweringRoute(`edition ${++edition}`));
    made++;
    const dueMs = startMs + (made * 60_000) / CHANGES_PER_MINUTE;
    await delay(Math.max(0, dueMs - performance.now()));
  }
  // It must not reach into the window that follows.
  await untilRuns(node, version);
  return made;
}

async function untilRuns(node: ConfigNode, version: number): Promise<void> {
  while ((await node.metric('meshgate_config_version')) !== version) await delay(20);
}

function toResult(steady: readonly Window[], changing: readonly Window[]): ScenarioResult {
  const through = toDifference(steady, changing);
  const directly = toDifference(
    steady.map(({ direct }) => direct),
    changing.map(({ direct }) => direct),
  );
  return {
    table: [
      ['', ...LATENCY_TITLES, 'changes/min', 'applied/min', 'failed'],
      toRow('steady', steady),
      toRow('changing', changing),
      toDirectRow('steady, directly', steady),
      toDirectRow('changing, directly', changing),
    ],
    notes: [
      `p99 changes by ${through} ms, and by ${directly} ms for who asks the upstream directly: the medians of the rounds' differences. p50, p99 and max are medians over the rounds. The node's threads share one core with its traffic, and changes that come while one is applied are applied together.`,
    ],
    failures: toFailures([...steady, ...changing].flatMap((window) => [window, window.direct])),
    data: { steady, changing },
  };
}

/** Of p99, in milliseconds. */
function toDifference(
  steady: readonly LatencyWindow[],
  changing: readonly LatencyWindow[],
): string {
  const differencesUs = changing.map(({ p99Us }, round) => p99Us - steady[round]!.p99Us);
  return (median(differencesUs) / 1000).toFixed(1);
}

function toDirectRow(label: string, windows: readonly Window[]): string[] {
  const direct = windows.map((window) => window.direct);
  return [label, ...toLatencyCells(direct), '', '', String(countFailed(direct))];
}

function toRow(label: string, windows: readonly Window[]): string[] {
  return [
    label,
    ...toLatencyCells(windows),
    ...(['changes', 'applied'] as const).map((what) =>
      median(windows.map((window) => (window[what] * 60) / window.seconds)).toFixed(0),
    ),
    String(countFailed(windows)),
  ];
}

function describe(window: Window): string {
  const direct = (window.direct.p99Us / 1000).toFixed(1);
  return `${describeLatencies(window)}  ${window.changes} changes  ${window.applied} applied  directly p99 ${direct} ms`;
}
