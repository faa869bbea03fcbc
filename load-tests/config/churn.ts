/** Whether requests notice that the configuration is changed all the time. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import { runConstantRate } from '../constant-rate.ts';
import { startRedis } from '../mesh/redis.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { median, percentile } from '../statistics.ts';
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
const LEAST_SECONDS = 10;
const PATHS = Array.from({ length: ROUTES }, (_, i) => `/service-${i}/items/42`);

interface Window {
  readonly seconds: number;
  readonly changes: number;
  /** Configurations that it put in force: what comes while one is applied is applied with the next. */
  readonly applied: number;
  readonly failed: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

export const configChurn: Scenario = {
  name: 'config-churn',
  summary: `GET of 1 KB at ${PER_SECOND.toLocaleString('en')} requests a second, by ${ROUTES} routes that a Meshgate has of Redis, while ${CHANGES_PER_MINUTE.toLocaleString('en')} changes a minute are made by its own admin API. Latency is counted from when a request was due.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const redis = await startRedis(context);
    if (redis === undefined) return { ...NOT_MEASURED, notes: ['Not measured: no redis-server.'] };
    const node = await startConfigNode(context, 'node', redis.url, newFleetKey());
    const steady: Window[] = [];
    const changing: Window[] = [];
    try {
      const first = toSharedDocument(ROUTES, context.upstream.ports.small, 'first');
      const version = await node.put('/v1/config', first);
      await untilRuns(node, version);
      await measureWindow(context, node, true);
      for (let round = 1; round <= context.options.rounds; round++) {
        steady.push(await measureWindow(context, node, false));
        changing.push(await measureWindow(context, node, true));
        context.say(`  round ${round}  steady   ${describe(steady.at(-1)!)}`);
        context.say(`  round ${round}  changing ${describe(changing.at(-1)!)}`);
      }
    } finally {
      await node.stop();
      await redis.stop();
    }
    return toResult(steady, changing);
  },
};

async function measureWindow(
  { options }: BenchContext,
  node: ConfigNode,
  isChanging: boolean,
): Promise<Window> {
  const before = await node.metric('meshgate_config_revision');
  const seconds = Math.max(LEAST_SECONDS, options.seconds);
  const end = new AbortController();
  const load = runConstantRate({
    url: node.url,
    paths: PATHS,
    perSecond: PER_SECOND,
    seconds,
    connections: 64,
  }).finally(() => end.abort());
  const changing = isChanging ? changeUntil(end.signal, node) : Promise.resolve(0);
  const [{ latenciesUs, failed }, changes] = await Promise.all([load, changing]);
  return {
    seconds,
    changes,
    applied: (await node.metric('meshgate_config_revision')) - before,
    failed,
    p50Us: percentile(latenciesUs, 0.5),
    p99Us: percentile(latenciesUs, 0.99),
    maxUs: percentile(latenciesUs, 1),
  };
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
  const failed = [...steady, ...changing].reduce((sum, window) => sum + window.failed, 0);
  const differenceUs = median(changing.map(({ p99Us }, round) => p99Us - steady[round]!.p99Us));
  return {
    table: [
      ['', 'p50 ms', 'p99 ms', 'max ms', 'changes/min', 'applied/min', 'failed'],
      toRow('steady', steady),
      toRow('changing', changing),
    ],
    notes: [
      `p99 changes by ${(differenceUs / 1000).toFixed(1)} ms: the median of the rounds' differences. p50, p99 and max are medians over the rounds. The node's threads share one core with its traffic, and changes that come while one is applied are applied together.`,
    ],
    failures: failed === 0 ? [] : [`${failed} requests failed`],
    data: { steady, changing },
  };
}

function toRow(label: string, windows: readonly Window[]): string[] {
  const inMs = (value: (window: Window) => number) =>
    (median(windows.map(value)) / 1000).toFixed(1);
  return [
    label,
    inMs(({ p50Us }) => p50Us),
    inMs(({ p99Us }) => p99Us),
    inMs(({ maxUs }) => maxUs),
    ...(['changes', 'applied'] as const).map((what) =>
      median(windows.map((window) => (window[what] * 60) / window.seconds)).toFixed(0),
    ),
    String(windows.reduce((total, window) => total + window.failed, 0)),
  ];
}

function describe({ p50Us, p99Us, maxUs, changes, applied, failed }: Window): string {
  const [p50, p99, max] = [p50Us, p99Us, maxUs].map((us) => (us / 1000).toFixed(1));
  return `p50 ${p50} ms  p99 ${p99} ms  max ${max} ms  ${changes} changes  ${applied} applied  ${failed} failed`;
}
