/** How long an accepted change of the configuration takes until every node serves by it. */
import type { BenchContext } from '../bench-context.ts';
import { LOOK_MS, pauseBetween, toMs, untilAnswered } from '../mesh/change-watch.ts';
import { withRedis } from '../mesh/redis.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import {
  ANSWERING,
  newFleetKey,
  startConfigNode,
  toAnsweringRoute,
  toSharedDocument,
  type ConfigNode,
} from './config-node.ts';

const NODES = 3;
const SIZES = [10, 1_000];
/** Of each size. */
const CHANGES = 100;

interface Measured {
  readonly routes: number;
  /** From the request to its answer: checked, and written. */
  readonly acceptedMs: readonly number[];
  /** From the answer until the last node served by it; 0 where all did already. */
  readonly liveMs: readonly number[];
  /** From the request until the last node served by it. */
  readonly allMs: readonly number[];
}

export const configPropagation: Scenario = {
  name: 'config-propagation',
  summary: `One route after another is changed by the admin API of one of ${NODES} Meshgates, each a process of its own, on one Redis. Each node is asked every ${LOOK_MS} ms until it answers by the change.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    return withRedis(context, async (redis) => {
      const key = newFleetKey();
      const nodes = await Promise.all(
        Array.from({ length: NODES }, (_, i) =>
          startConfigNode(context, `node-${i}`, redis.url, key),
        ),
      );
      try {
        const measured: Measured[] = [];
        for (const routes of SIZES) measured.push(await measure(context, nodes, routes));
        return toResult(measured);
      } finally {
        await Promise.all(nodes.map((node) => node.stop()));
      }
    });
  },
};

async function measure(
  context: BenchContext,
  nodes: readonly ConfigNode[],
  routes: number,
): Promise<Measured> {
  const first = `first of ${routes}`;
  await nodes[0]!.put('/v1/config', toSharedDocument(routes, context.upstream.ports.small, first));
  await Promise.all(nodes.map((node) => untilLive(node, first)));
  // Each checks once before it is measured: its thread for that is started by the first change.
  for (const node of nodes) await node.put(ANSWERING, toAnsweringRoute(`by ${node.name}`));
  const measured = {
    routes,
    acceptedMs: [] as number[],
    liveMs: [] as number[],
    allMs: [] as number[],
  };
  for (let change = 0; change < CHANGES; change++) {
    await pauseBetween(50, 250);
    const wanted = `${routes}-${change}`;
    const startMs = performance.now();
    const live = nodes.map(async (node) => {
      await untilLive(node, wanted);
      return performance.now();
    });
    await nodes[change % nodes.length]!.put(ANSWERING, toAnsweringRoute(wanted));
    const acceptedAtMs = performance.now();
    const liveAtMs = Math.max(...(await Promise.all(live)));
    measured.acceptedMs.push(acceptedAtMs - startMs);
    measured.liveMs.push(Math.max(0, liveAtMs - acceptedAtMs));
    measured.allMs.push(liveAtMs - startMs);
  }
  context.say(
    `  ${routes} routes: accepted → live p50 ${toMs(measured.liveMs, 0.5)}, p99 ${toMs(measured.liveMs, 0.99)} ms`,
  );
  return measured;
}

function untilLive(node: ConfigNode, wanted: string): Promise<void> {
  return untilAnswered(node, '/answering', ({ body }) => body === wanted);
}

function toResult(measured: readonly Measured[]): ScenarioResult {
  return {
    table: [
      [
        'routes',
        'asked → accepted p50 ms',
        'p99 ms',
        'accepted → live on all p50 ms',
        'p99 ms',
        'asked → live on all p50 ms',
        'p99 ms',
      ],
      ...measured.map(({ routes, acceptedMs, liveMs, allMs }) => [
        routes.toLocaleString('en'),
        ...[acceptedMs, liveMs, allMs].flatMap((values) => [toMs(values, 0.5), toMs(values, 0.99)]),
      ]),
    ],
    notes: [
      `${CHANGES} changes of each size; all nodes share one core, and Redis another with this measurement.`,
    ],
    failures: [],
    data: measured,
  };
}
