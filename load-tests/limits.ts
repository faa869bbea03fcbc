/**
 * Limits across nodes: how often four nodes ask Redis, and how much they let through together.
 *
 * `node load-tests/limits.ts` prints a table and then the same as JSON; needs redis-server.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RedisProcess } from '../test/redis/redis-process.ts';
import type { NodeReport, NodeTask } from './limits-task.ts';
import { describeMachine } from './machine.ts';

type Scenario = Pick<NodeTask, 'name' | 'mode' | 'points' | 'keys' | 'perSecond'>;

interface Result extends Scenario {
  readonly requests: number;
  /** As Redis counted them. */
  readonly callsPerRequest: number;
  readonly admitted: number;
  /** What could be admitted: by key, the limit or what was asked for. */
  readonly admissible: number;
  /** Sum over the keys of what was admitted beyond the limit. */
  readonly over: number;
  readonly waitedShare: number;
  readonly waitP99Ms: number;
  readonly fallbacks: number;
}

const NODES = 4;
const DURATION_MS = 5_000;
/** Longer than a run: what is admitted is of one window. */
const WINDOW_MS = 600_000;
const START_DELAY_MS = 1_500;

const SCENARIOS: readonly Scenario[] = [
  { name: 'far from the limit', mode: 'leased', points: 1e9, keys: 1, perSecond: 2_000 },
  { name: 'far from the limit', mode: 'exact', points: 1e9, keys: 1, perSecond: 2_000 },
  { name: 'twice the limit', mode: 'leased', points: 20_000, keys: 1, perSecond: 2_000 },
  { name: 'twice the limit', mode: 'exact', points: 20_000, keys: 1, perSecond: 2_000 },
  { name: 'twice the limit, 200 keys', mode: 'leased', points: 100, keys: 200, perSecond: 2_000 },
  { name: '5 points, 200 keys', mode: 'leased', points: 5, keys: 200, perSecond: 500 },
];

const NODE = fileURLToPath(new URL('limits-node.ts', import.meta.url));

async function runNode(task: NodeTask): Promise<NodeReport> {
  const child = fork(NODE, { stdio: 'inherit' });
  child.send(task);
  const [report] = (await once(child, 'message')) as [NodeReport];
  child.disconnect();
  await once(child, 'exit');
  return report;
}

async function measure(redis: RedisProcess, scenario: Scenario, index: number): Promise<Result> {
  await redis.admin.config('RESETSTAT');
  const task: NodeTask = {
    ...scenario,
    name: `${index} ${scenario.name}`,
    redisPort: redis.port,
    nodes: NODES,
    windowMs: WINDOW_MS,
    durationMs: DURATION_MS,
    startAt: Date.now() + START_DELAY_MS,
  };
  const reports = await Promise.all(Array.from({ length: NODES }, () => runNode(task)));
  const calls = await scriptCalls(redis);
  const { points, keys } = scenario;
  const requests = sum(reports.map((report) => report.requests));
  const byKey = Array.from({ length: keys }, (_, key) =>
    sum(reports.map(({ admitted }) => admitted[key]!)),
  );
  const waitsMs = reports.flatMap((report) => report.waitsMs).sort((a, b) => a - b);
  return {
    ...scenario,
    requests,
    callsPerRequest: calls / requests,
    admitted: sum(byKey),
    admissible: Math.min(points * keys, requests),
    over: sum(byKey.map((admitted) => Math.max(0, admitted - points))),
    waitedShare: waitsMs.length / requests,
    waitP99Ms: waitsMs[Math.floor(waitsMs.length * 0.99)] ?? 0,
    fallbacks: sum(reports.map((report) => report.fallbacks)),
  };
}

async function scriptCalls(redis: RedisProcess): Promise<number> {
  const stats = await redis.admin.info('commandstats');
  return sum([...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].map(([, n]) => Number(n)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function toRow(result: Result): string {
  const cells = [
    result.name,
    result.mode,
    result.points,
    result.requests,
    result.callsPerRequest.toFixed(4),
    result.admitted,
    `${((100 * result.admitted) / result.admissible).toFixed(1)}%`,
    result.over,
    `${(100 * result.waitedShare).toFixed(2)}%`,
    result.waitP99Ms.toFixed(1),
    result.fallbacks,
  ];
  return `| ${cells.join(' | ')} |`;
}

const HEAD = `| load | mode | limit | requests | Redis calls/request | admitted | of admissible | over the limit | waited | p99 wait ms | fallbacks |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |`;

const redis = await RedisProcess.start();
try {
  const results: Result[] = [];
  console.log(HEAD);
  for (const [index, scenario] of SCENARIOS.entries()) {
    const result = await measure(redis, scenario, index);
    results.push(result);
    console.log(toRow(result));
  }
  console.log(JSON.stringify({ machine: describeMachine({}), nodes: NODES, results }, null, 2));
} finally {
  await redis.stop();
}
