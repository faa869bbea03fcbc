/** What the admin API shows of the mesh: read when asked for, and kept for an outage of the backplane. */
import type { Backplane } from '../../mesh/backplane/backplane.ts';
import type { Schedule } from '../../mesh/backplane/schedule.ts';
import type { Registry } from '../../mesh/registry/registry.ts';
import { readReports, type NodeReport } from '../../mesh/topology/topology.ts';
import { createLastKnown, type LastKnown } from './last-known.ts';
import { readNodes, type MeshNode } from './mesh-nodes.ts';
import { readServices, type ServiceEndpoints } from './mesh-services.ts';
import { toCoverage, type NodeCoverage } from './node-coverage.ts';

/** What nodes told, and who of them did. */
export interface MeshView<Item> {
  readonly items: readonly Item[];
  readonly nodes: NodeCoverage;
}

export interface MeshViews {
  readonly services: LastKnown<MeshView<ServiceEndpoints>>;
  readonly nodes: LastKnown<MeshView<MeshNode>>;
  readonly topology: LastKnown<MeshView<NodeReport>>;
  /** Keeps something known even where nobody asks. */
  start(): void;
  stop(): void;
}

/** What is shown in an outage is at most that much older than the outage. */
const REFRESH_MS = 60_000;

export function createMeshViews(options: {
  readonly registry: Registry;
  readonly backplane: Backplane;
  /** Names of nodes that fell silent. */
  readonly lostNodes: () => readonly string[];
  readonly monotonic: () => number;
  readonly schedule: Schedule;
}): MeshViews {
  const { registry, backplane, lostNodes, monotonic, schedule } = options;

  /** Beside the nodes that there are; `tellerOf` where an item is the word of one node alone. */
  function createView<Item>(
    read: () => Promise<readonly Item[]>,
    tellerOf?: (item: Item) => string,
  ): LastKnown<MeshView<Item>> {
    return createLastKnown(async () => {
      const [items, nodes] = await Promise.all([read(), readNodes(backplane)]);
      const live = nodes.map(({ name }) => name);
      const told = tellerOf === undefined ? live : items.map(tellerOf);
      return { items, nodes: toCoverage({ told, live, lost: lostNodes() }) };
    }, monotonic);
  }

  const services = createView(() => readServices(registry, backplane));
  const nodes = createView(() => readNodes(backplane));
  const topology = createView(
    () => readReports(backplane),
    ({ node }) => node,
  );
  let isStopped = false;
  let callOff = (): void => {};

  async function refresh(): Promise<void> {
    // Whoever asks next is told what went wrong.
    await Promise.allSettled([services.get(), nodes.get(), topology.get()]);
    if (!isStopped) callOff = schedule(REFRESH_MS, () => void refresh());
  }

  return {
    services,
    nodes,
    topology,
    start: () => void refresh(),
    stop() {
      isStopped = true;
      callOff();
    },
  };
}
