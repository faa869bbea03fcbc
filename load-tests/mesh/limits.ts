/** How often nodes that share a rate limit ask Redis, and how much they let through together. */
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { BenchContext } from '../bench-context.ts';
import { PROXY_CORE } from '../cores.ts';
import type { Scenario, ScenarioResult } from '../scenarios/scenario.ts';
import { percentile } from '../statistics.ts';
import type { NodeReport, NodeTask } from './limit-task.ts';
import { withRedis } from './redis.ts';

const NODE = fileURLToPath(new URL('limit-node.ts', import.meta.url));
const NODES = 4;
const DURATION_MS = 5_000;
/** Longer than a run: all that is admitted is of one window. */
const WINDOW_MS = 600_000;
const START_DELAY_MS = 1_500;

type Load = Pick<NodeTask, 'mode' | 'points' | 'keys' | 'perSecond'>;

/** Far from the limit, twice the limit, 20 requests a second of each key at each node, and few points. */
const LOADS: readonly Load[] = [
  { mode: 'leased', points: 1_000_000, keys: 1, perSecond: 2_000 },
  { mode: 'exact', points: 1_000_000, keys: 1, perSecond: 2_000 },
  { mode: 'leased', points: 20_000, keys: 1, perSecond: 2_000 },
  { mode: 'exact', points: 20_000, keys: 1, perSecond: 2_000 },
  { mode: 'leased', points: 200, keys: 100, perSecond: 2_000 },
  { mode: 'leased', points: 5, keys: 100, perSecond: 250 },
];

interface Measured extends Load {
  readonly requests: number;
  /** Scripts that Redis ran. */
  readonly calls: number;
  readonly admitted: number;
  /** Of each key the limit, or what was asked for where that is less. */
  readonly admissible: number;
  /** Summed over the keys: points admitted beyond the limit. */
  readonly over: number;
  readonly fallbacks: number;
  /** Of requests that waited at all. */
  readonly waited: number;
  readonly waitP99Ms: number;
}

export const limits: Scenario = {
  name: 'mesh-limits',
  summary: `${NODES} nodes, each a process of its own, share limits in one Redis for ${DURATION_MS / 1000} s of one window. Every node sends its requests at a steady rate, over all keys in turn.`,

  run: (context) =>
    withRedis(context, async (redis) => {
      const admin = new Redis(redis.url);
      try {
        const measured: Measured[] = [];
        for (const [index, load] of LOADS.entries()) {
          measured.push(await measure(context, admin, redis.url, `limit-${index}`, load));
          context.say(`  ${JSON.stringify(measured.at(-1))}`);
        }
        return toResult(measured);
      } finally {
        admin.disconnect();
      }
    }),
};

async function measure(
  { processes }: BenchContext,
  admin: Redis,
  redisUrl: string,
  name: string,
  load: Load,
): Promise<Measured> {
  await admin.config('RESETSTAT');
  const task: NodeTask = {
    ...load,
    name,
    redisUrl,
    nodes: NODES,
    windowMs: WINDOW_MS,
    durationMs: DURATION_MS,
    startAt: Date.now() + START_DELAY_MS,
  };
  const command = [process.execPath, NODE, JSON.stringify(task)];
  const outputs = await Promise.all(
    Array.from({ length: NODES }, () => processes.run(command, { core: PROXY_CORE })),
  );
  const calls = scriptCalls(await admin.info('commandstats'));
  const reports = outputs.map((output) => JSON.parse(output) as NodeReport);
  const { points, keys } = load;
  const requests = sum(reports.map((report) => report.requests));
  const byKey = Array.from({ length: keys }, (_, key) =>
    sum(reports.map(({ admitted }) => admitted[key]!)),
  );
  const waitsMs = reports.flatMap((report) => report.waitsMs);
  return {
    ...load,
    requests,
    calls,
    admitted: sum(byKey),
    admissible: Math.min(points, requests / keys) * keys,
    over: sum(byKey.map((admitted) => Math.max(0, admitted - points))),
    fallbacks: sum(reports.map((report) => report.fallbacks)),
    waited: waitsMs.length,
    waitP99Ms: percentile(waitsMs, 0.99),
  };
}

function scriptCalls(commandStats: string): number {
  const calls = commandStats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g);
  return sum([...calls].map(([, count]) => Number(count)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function toPercent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function toResult(measured: readonly Measured[]): ScenarioResult {
  return {
    table: [
      [
        'mode',
        'limit a key',
        'keys',
        'requests/s a node',
        'questions/request',
        'waited',
        'p99 of who waited ms',
        'admitted',
        'over the limit',
        'fallbacks',
      ],
      ...measured.map((one) => [
        one.mode,
        one.points.toLocaleString('en'),
        String(one.keys),
        one.perSecond.toLocaleString('en'),
        (one.calls / one.requests).toFixed(4),
        toPercent(one.waited / one.requests),
        one.waitP99Ms.toFixed(1),
        toPercent(one.admitted / one.admissible),
        String(one.over),
        String(one.fallbacks),
      ]),
    ],
    notes: [
      '"Questions" as Redis counted them. "Admitted" of what the limit allows and was asked for; what is missing was in some hand when the run ended. A fallback is a request that had no answer within 20 ms; what it admits is not counted in Redis.',
    ],
    failures: [],
    data: measured,
  };
}
