/** What a second worker adds. */
import { compare, type Series } from '../compare.ts';
import { median, medianRatio } from '../statistics.ts';
import { NEVER_REACHED, toWork, writeCallers } from './jwt-rs256-limit.ts';
import type { Scenario } from './scenario.ts';

const ONE = 'one worker';
const TWO = 'two workers';
/** Of a core, for each worker: load generator and upstream have enough on the rest of two cores. */
const SHARE = 0.4;

export const workers: Scenario = {
  name: 'workers',
  summary: `The work of jwt-rs256-limit over HTTPS. One worker may take ${SHARE} of a core's time; two, with their supervisor, twice that (limits by control groups): load generator and upstream, which two workers would leave no room on two cores, have the rest.`,

  async run(context) {
    const { set, file } = await writeCallers(context.directory);
    const contestants = [ONE, TWO].map((label, i) => ({
      label,
      peer: 'meshgate' as const,
      work: {
        ...toWork(set, NEVER_REACHED),
        tls: true,
        workers: i + 1,
        cores: SHARE * (i + 1),
      },
      requests: { file, order: 'cycle' as const },
      probes: [{ path: '/items/42', token: set.tokens[0]!, shows: 'a good token' }],
    }));
    const result = await compare(context, {
      contestants,
      baselines: [ONE],
      warmUp: 1 / SHARE,
    });
    return { ...result, notes: [...result.notes, ...toNotes(result.data as readonly Series[])] };
  },
};

function toNotes(series: readonly Series[]): string[] {
  const [one, two] = series;
  if (one === undefined || two === undefined) return [];
  const busy = [one, two].map(({ rounds }) => median(rounds.map((round) => round.busy)).toFixed(2));
  return [
    `Two workers carry ${medianRatio(rates(two), rates(one)).toFixed(2)} times the load of one; they took ${busy[1]} cores, the one ${busy[0]}.`,
  ];
}

function rates({ rounds }: Series): number[] {
  return rounds.map(({ requestsPerSecond }) => requestsPerSecond);
}
