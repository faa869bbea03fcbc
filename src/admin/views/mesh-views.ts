/** What the admin API shows of the mesh: read when asked for, and kept for an outage of the backplane. */
import type { Backplane } from '../../mesh/backplane/backplane.ts';
import type { Schedule } from '../../mesh/backplane/schedule.ts';
import type { Registry } from '../../mesh/registry/registry.ts';
import { readTopology } from '../../mesh/topology/topology.ts';
import { createLastKnown, type LastKnown } from './last-known.ts';
import { readNodes, type MeshNode } from './mesh-nodes.ts';
import { readServices, type ServiceEndpoints } from './mesh-services.ts';
import { toMeshEdge, type MeshEdge } from './mesh-topology.ts';

export interface MeshViews {
  readonly services: LastKnown<readonly ServiceEndpoints[]>;
  readonly nodes: LastKnown<readonly MeshNode[]>;
  readonly topology: LastKnown<readonly MeshEdge[]>;
  /** Keeps something known even where nobody asks. */
  start(): void;
  stop(): void;
}

/** What is shown in an outage is at most that much older than the outage. */
const REFRESH_MS = 60_000;

export function createMeshViews(options: {
  readonly registry: Registry;
  readonly backplane: Backplane;
  readonly monotonic: () => number;
  readonly schedule: Schedule;
}): MeshViews {
  const { registry, backplane, monotonic, schedule } = options;
  const services = createLastKnown(() => readServices(registry, backplane), monotonic);
  const nodes = createLastKnown(() => readNodes(backplane), monotonic);
  const topology = createLastKnown(
    async () => (await readTopology(backplane)).map(toMeshEdge),
    monotonic,
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
