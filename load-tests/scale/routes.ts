/** What 100,000 routes cost: each request, and when they are taken over. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { BenchContext } from '../bench-context.ts';
import { PROXY_CORE } from '../cores.ts';
import { toMeshgateConfig } from '../peers/meshgate.ts';
import { compareRoutes } from '../scenarios/routes.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { median } from '../statistics.ts';
import type { TakeOver } from './take-over-task.ts';

const MANY = 100_000;
const TASK = join(import.meta.dirname, 'take-over-task.ts');

export const scaleRoutes: Scenario = {
  name: 'scale-routes',
  summary: 'GET of 1 KB by one of 10 and of 100,000 routes, chosen at random.',
  run: (context) => compareRoutes(context, [10, MANY]),
};

export const scaleLoad: Scenario = {
  name: 'scale-load',
  summary:
    'A configuration file is read and checked in a thread of its own, and compiled beside traffic; no traffic here, one core for both threads and two. To read is to make plain data of the text; the rest of loading is checking it and handing it over.',

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const rows: Row[] = [];
    for (const routes of [10_000, MANY]) {
      for (const format of ['json', 'yaml'] as const) {
        const file = await writeConfig(context, routes, format);
        for (const cores of [String(PROXY_CORE), '0,1']) {
          rows.push({ routes, format, cores, rounds: await takeOver(context, file, cores) });
        }
      }
    }
    return toResult(rows);
  },
};

interface Row {
  readonly routes: number;
  readonly format: 'json' | 'yaml';
  readonly cores: string;
  readonly rounds: readonly TakeOver[];
}

async function writeConfig(
  context: BenchContext,
  routes: number,
  format: Row['format'],
): Promise<string> {
  const directory = join(context.directory, `load-${routes}`);
  await mkdir(directory, { recursive: true });
  const file = join(directory, `meshgate.${format}`);
  const { certificateFile, processes } = context;
  const site = { directory, port: 1, sparePort: 2, upstreamPort: 3, certificateFile, processes };
  const yaml = toMeshgateConfig({ routes, tls: false, body: 'small' }, site);
  await writeFile(file, format === 'yaml' ? yaml : JSON.stringify(parse(yaml)));
  return file;
}

async function takeOver(
  { processes, options }: BenchContext,
  file: string,
  cores: string,
): Promise<readonly TakeOver[]> {
  const command = [process.execPath, TASK, file, String(options.rounds)];
  // `taskset` once more: the keeper gives a process one core.
  const output = await processes.run(['taskset', '-c', cores, ...command], { core: PROXY_CORE });
  return JSON.parse(output) as readonly TakeOver[];
}

function toResult(rows: readonly Row[]): ScenarioResult {
  const middle = (rounds: readonly TakeOver[], figure: keyof TakeOver): string =>
    median(rounds.map((round) => round[figure])).toFixed(0);
  return {
    table: [
      [
        '',
        'cores',
        'read ms',
        'load ms',
        'compile ms',
        'CPU ms of the serving thread',
        'longest turn ms',
      ],
      ...rows.map(({ routes, format, cores, rounds }) => [
        `${routes.toLocaleString('en')} routes, ${format.toUpperCase()}`,
        String(cores.split(',').length),
        middle(rounds, 'readMs'),
        middle(rounds, 'loadMs'),
        middle(rounds, 'compileMs'),
        middle(rounds, 'cpuMs'),
        middle(rounds, 'longestMs'),
      ]),
    ],
    notes: [
      'Medians; loading includes reading. Where the two threads share a core, the one that loads gives way to the other.',
    ],
    failures: [],
    data: rows,
  };
}
