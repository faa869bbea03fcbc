/** Whether the number of routes costs anything. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare, type Contestant } from '../compare.ts';
import type { BenchContext } from '../bench-context.ts';
import type { Scenario, ScenarioResult } from './scenario.ts';

const COUNTS = [10, 1000, 10_000];

export const routes: Scenario = {
  name: 'routes',
  summary: 'GET of 1 KB by one of 10, 1,000 and 10,000 routes, chosen at random.',

  run: (context) => compareRoutes(context, COUNTS),
};

/** The first count is what the others are held against. */
export async function compareRoutes(
  context: BenchContext,
  counts: readonly number[],
): Promise<ScenarioResult> {
  const contestants = counts.map(async (count): Promise<Contestant> => {
    const file = join(context.directory, `paths-${count}`);
    const paths = Array.from({ length: count }, (_, i) => `/service-${i}/items/42`);
    await writeFile(file, `${paths.join('\n')}\n`);
    return {
      label: `${count} routes`,
      peer: 'meshgate',
      work: { routes: count, tls: false, body: 'small' },
      requests: { file, order: 'random' },
      probes: [
        { path: paths.at(-1)! },
        { path: `/service-${count}/items/42`, status: 404, shows: 'a path without a route' },
      ],
    };
  });
  return compare(context, {
    contestants: await Promise.all(contestants),
    baselines: [`${counts[0]} routes`],
  });
}
