/** Several proxies, or one at several tasks, measured in turn under the same load. */
import { emptyAccessLog, startPeer, type BenchContext, type StartedPeer } from './bench-context.ts';
import { toComparisonTable } from './comparison-table.ts';
import { readCpuTime } from './measure.ts';
import type { PeerName, Work } from './peers/peer.ts';
import type { Probe } from './probe.ts';
import type { ScenarioResult } from './scenarios/scenario.ts';
import { countErrors, runLoad, type LoadResult, type RequestFile } from './wrk.ts';

export interface Contestant {
  readonly label: string;
  readonly peer: PeerName;
  readonly work: Work;
  readonly requests?: RequestFile;
  /** Further field lines of each request, such as `Origin: https://a.test`. */
  readonly fields?: readonly string[];
  /** What it must show before it is measured. Default: that it answers. */
  readonly probes?: readonly Probe[];
}

export interface Comparison {
  readonly contestants: readonly Contestant[];
  /** Labels of those that the others are held against. */
  readonly baselines: readonly string[];
  /** How many times as long they are warmed up as usual, such as those that have a part of a core. Default: 1. */
  readonly warmUp?: number;
}

export interface Measurement {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** CPU time of the proxy per request. */
  readonly userUs: number;
  readonly systemUs: number;
  readonly cpuUs: number;
  /** Share of its core that the proxy has used. */
  readonly busy: number;
  readonly requests: number;
  readonly errors: number;
}

export interface Series {
  readonly label: string;
  readonly rounds: Measurement[];
}

const CONNECTIONS = 64;

export async function compare(
  context: BenchContext,
  { contestants, baselines, warmUp = 1 }: Comparison,
): Promise<ScenarioResult> {
  const present = contestants.filter(({ peer }) => context.peers.has(peer));
  const entries: { contestant: Contestant; running: StartedPeer; series: Series }[] = [];
  try {
    for (const contestant of present) {
      const { peer, work, probes = [{ path: '/' }] } = contestant;
      const running = await startPeer(context, peer, work, probes);
      entries.push({ contestant, running, series: { label: contestant.label, rounds: [] } });
      await load(context, contestant, running, context.options.warmUpSeconds * warmUp);
    }
    for (let round = 1; round <= context.options.rounds; round++) {
      for (const { contestant, running, series } of entries) {
        const measurement = await measure(context, contestant, running);
        series.rounds.push(measurement);
        context.say(`  round ${round}  ${contestant.label.padEnd(14)} ${describe(measurement)}`);
      }
    }
  } finally {
    for (const { running } of entries) await running.stop();
  }
  return toResult(
    entries.map(({ series }) => series),
    contestants,
    baselines,
  );
}

async function measure(
  context: BenchContext,
  contestant: Contestant,
  running: StartedPeer,
): Promise<Measurement> {
  await load(context, contestant, running, context.options.settleSeconds);
  const before = await readCpuTime(running.pids);
  const result = await load(context, contestant, running, context.options.seconds);
  const after = await readCpuTime(running.pids);
  await emptyAccessLog(running);
  const { requests, durationUs, p50Us, p99Us, maxUs } = result;
  const userUs = ((after.userMs - before.userMs) * 1000) / requests;
  const systemUs = ((after.systemMs - before.systemMs) * 1000) / requests;
  const cpuUs = userUs + systemUs;
  return {
    requestsPerSecond: (requests * 1e6) / durationUs,
    p50Us,
    p99Us,
    maxUs,
    userUs,
    systemUs,
    cpuUs,
    busy: (cpuUs * requests) / durationUs,
    requests,
    errors: countErrors(result),
  };
}

function load(
  { processes }: BenchContext,
  { requests, fields: own = [] }: Contestant,
  { url, host, fields: theirs = [] }: StartedPeer,
  seconds: number,
): Promise<LoadResult> {
  const fields = [...theirs, ...own];
  return runLoad(processes, { url, host, fields, connections: CONNECTIONS, seconds, requests });
}

function toResult(
  series: readonly Series[],
  contestants: readonly Contestant[],
  baselines: readonly string[],
): ScenarioResult {
  const measured = new Set(series.map(({ label }) => label));
  return {
    table: toComparisonTable(series, baselines),
    notes: contestants
      .filter(({ label }) => !measured.has(label))
      .map(({ label, peer }) => `${label}: not measured, ${peer} was left out or is not there.`),
    failures: series.flatMap(({ label, rounds }) => {
      const errors = rounds.reduce((sum, round) => sum + round.errors, 0);
      return errors === 0 ? [] : [`${label}: ${errors} requests failed`];
    }),
    data: series,
  };
}

function describe({ requestsPerSecond, cpuUs, p99Us, busy, errors }: Measurement): string {
  const failed = errors === 0 ? '' : `  ${errors} FAILED`;
  const rate = `${requestsPerSecond.toFixed(0).padStart(7)}/s`;
  const cost = `${cpuUs.toFixed(1).padStart(6)} µs CPU  ${(busy * 100).toFixed(0).padStart(3)}% busy`;
  return `${rate}  ${cost}  p99 ${(p99Us / 1000).toFixed(2)} ms${failed}`;
}
