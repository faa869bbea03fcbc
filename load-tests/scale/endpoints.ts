/** What ten thousand endpoints of one service cost. */
import { join } from 'node:path';
import { PROXY_CORE } from '../cores.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import type { EndpointCost } from './endpoints-task.ts';

const TASK = join(import.meta.dirname, 'endpoints-task.ts');

export const endpoints: Scenario = {
  name: 'scale-endpoints',
  summary:
    'One service of 10 and of 10,000 endpoints, by policy: a pick, and what the event loop is held up for when one endpoint comes or goes, or is ejected or returns.',

  async run({ peers, processes }) {
    if (!peers.has('meshgate')) return NOT_MEASURED;
    const command = [process.execPath, '--expose-gc', TASK];
    const output = await processes.run(command, { core: PROXY_CORE });
    return toResult(JSON.parse(output) as readonly EndpointCost[]);
  },
};

function toResult(costs: readonly EndpointCost[]): ScenarioResult {
  const rows = costs.flatMap((many, i) => {
    const few = costs[i - 1];
    if (few === undefined || few.policy !== many.policy) return [];
    return [
      [
        many.policy,
        few.pickNs.toFixed(0),
        many.pickNs.toFixed(0),
        (many.pickNs / few.pickNs).toFixed(2),
        many.changeMs.toFixed(1),
        many.refreshMs.toFixed(1),
        many.heapBytesEach.toFixed(0),
      ],
    ];
  });
  return {
    table: [
      [
        '',
        'pick ns of 10',
        'of 10,000',
        'ratio',
        'endpoint comes ms',
        'ejected ms',
        'heap bytes each',
      ],
      ...rows,
    ],
    notes: ['CPU time. From a mesh, what is heard of all instances is compared as well.'],
    failures: [],
    data: costs,
  };
}
