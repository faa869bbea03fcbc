/** What a second worker adds. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare, type Series } from '../compare.ts';
import { median, medianRatio } from '../statistics.ts';
import { createTokens, type TokenSet } from '../tokens.ts';
import type { Work } from '../peers/peer.ts';
import type { Scenario } from './scenario.ts';

const CALLERS = 1000;
const NEVER_REACHED = 1_000_000_000;
const ONE = 'one worker';
const TWO = 'two workers';

export const workers: Scenario = {
  name: 'workers',
  summary:
    'The work of jwt-rs256-limit over HTTPS: one worker on a core of its own, with the load generator and the upstream on the other; then two, which share both cores with them.',

  async run(context) {
    const set = await createTokens(context.directory, CALLERS);
    const file = join(context.directory, 'tokens');
    await writeFile(file, set.tokens.map((token) => `/items/42\t${token}\n`).join(''));
    const contestants = [ONE, TWO].map((label, i) => ({
      label,
      peer: 'meshgate' as const,
      work: toWork(set, i + 1),
      requests: { file, order: 'cycle' as const },
      probes: [{ path: '/items/42', token: set.tokens[0]!, shows: 'a good token' }],
    }));
    const result = await compare(context, { contestants, baselines: [ONE] });
    return { ...result, notes: [...result.notes, ...toNotes(result.data as readonly Series[])] };
  },
};

function toWork({ work }: TokenSet, count: number): Work {
  const tokens = { ...work, limit: NEVER_REACHED };
  return { routes: 1, tls: true, body: 'small', tokens, workers: count };
}

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
