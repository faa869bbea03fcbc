/** What a second worker adds. */
import { compare, type Series } from '../compare.ts';
import { median, medianRatio } from '../statistics.ts';
import { NEVER_REACHED, toWork, writeCallers } from './jwt-rs256-limit.ts';
import type { Scenario } from './scenario.ts';

const ONE = 'one worker';
const TWO = 'two workers';

export const workers: Scenario = {
  name: 'workers',
  summary:
    'The work of jwt-rs256-limit over HTTPS: one worker on a core of its own, with the load generator and the upstream on the other; then two, which share both cores with them.',

  async run(context) {
    const { set, file } = await writeCallers(context.directory);
    const contestants = [ONE, TWO].map((label, i) => ({
      label,
      peer: 'meshgate' as const,
      work: { ...toWork(set, NEVER_REACHED), tls: true, workers: i + 1 },
      requests: { file, order: 'cycle' as const },
      probes: [{ path: '/items/42', token: set.tokens[0]!, shows: 'a good token' }],
    }));
    const result = await compare(context, { contestants, baselines: [ONE] });
    return { ...result, notes: [...result.notes, ...toNotes(result.data as readonly Series[])] };
  },
};

function toNotes(series: readonly Series[]): string[] {
  const [one, two] = series;
  if (one === undefined || two === undefined) return [];
  const rate = medianRatio(rates(two), rates(one));
  const busy = median(two.rounds.map((round) => round.busy));
  const perCore = medianRatio(
    two.rounds.map((round) => round.requestsPerSecond / round.busy),
    one.rounds.map((round) => round.requestsPerSecond / round.busy),
  );
  return [
    `Two workers carry ${rate.toFixed(2)} times the load of one, with ${busy.toFixed(2)} of the two cores: load generator and upstream have the rest. For each core that they have they carry ${perCore.toFixed(2)} times as much as one worker, so with two cores of their own it would be ${(2 * perCore).toFixed(2)} times.`,
  ];
}

function rates({ rounds }: Series): number[] {
  return rounds.map(({ requestsPerSecond }) => requestsPerSecond);
}
