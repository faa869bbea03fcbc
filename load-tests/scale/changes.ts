/** What a change of one route costs, by how many routes there are. */
import { join } from 'node:path';
import { PROXY_CORE } from '../cores.ts';
import { NOT_MEASURED, type Scenario } from '../scenarios/scenario.ts';
import { median } from '../statistics.ts';
import type { ChangeCost } from './change-task.ts';

const TASK = join(import.meta.dirname, 'change-task.ts');
/** Routes, and how often one of them is changed. */
const SIZES = [
  [10, 200],
  [1_000, 40],
  [100_000, 6],
] as const;

interface Costs {
  /** Of all routes together. */
  readonly first: ChangeCost;
  readonly changes: readonly ChangeCost[];
}

export const scaleChanges: Scenario = {
  name: 'scale-changes',
  summary:
    'One route of 10, 1,000 and 100,000 is changed in the version that nodes share: it is loaded and checked in the thread for that, handed over, and compiled beside traffic, of which there is none here; one core for all threads.',

  async run({ peers, processes }) {
    if (!peers.has('meshgate')) return NOT_MEASURED;
    const rows: { readonly routes: number; readonly costs: Costs }[] = [];
    for (const [routes, changes] of SIZES) {
      const command = [process.execPath, '--expose-gc', TASK, String(routes), String(changes)];
      const output = await processes.run(command, { core: PROXY_CORE });
      rows.push({ routes, costs: JSON.parse(output) as Costs });
    }
    const middle = (changes: readonly ChangeCost[], figure: keyof ChangeCost): string =>
      median(changes.map((change) => change[figure])).toFixed(1);
    return {
      table: [
        [
          '',
          'all of them: CPU ms',
          'a change: ms',
          'CPU ms of the serving thread',
          'of the others',
          'longest turn ms',
        ],
        ...rows.map(({ routes, costs: { first, changes } }) => [
          `${routes.toLocaleString('en')} routes`,
          (first.servingMs + first.othersMs).toFixed(0),
          middle(changes, 'tookMs'),
          middle(changes, 'servingMs'),
          middle(changes, 'othersMs'),
          middle(changes, 'longestTurnMs'),
        ]),
      ],
      notes: ['Medians of the changes. The thread that loads gives way to the one that serves.'],
      failures: [],
      data: rows,
    };
  },
};
