/** This node's part in the mesh: its backplane, what it finds there, and what it says of itself. */
import { join } from 'node:path';
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';
import type { Backplane, Json } from '../backplane/backplane.ts';
import type { Schedule } from '../backplane/schedule.ts';
import type { EndpointSource } from '../discovery/endpoint-source.ts';
import { createMeshSource, type MeshSource } from '../discovery/mesh.ts';
import { createReaper } from '../registry/reaper.ts';
import { createRegistry, type Registry } from '../registry/registry.ts';
import { createPresence } from './presence.ts';

export interface MeshNodeOptions {
  readonly backplane: Backplane;
  /** Of this node alone, among all that share the backplane. */
  readonly nodeId: string;
  /** Where what was last known is kept, for a start while the backplane is away; default: nowhere. */
  readonly dataDir?: string | undefined;
  /** What others are told of this node; undefined: it is not listed among the nodes. */
  readonly describe: (() => Json) | undefined;
  readonly clock: Clock;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
}

export interface MeshNode {
  readonly backplane: Backplane;
  readonly nodeId: string;
  readonly registry: Registry;
  /** Names of all nodes that are alive, this one's among them. */
  readonly liveNodes: readonly string[];
  /** What each of them says of itself. */
  readonly descriptions: readonly Json[];
  /** Names of nodes that fell silent in the last minutes and did not say goodbye. */
  readonly lostNodes: readonly string[];
  /** Describes this node to the others at once, where the description has changed. */
  announce(): Promise<void>;
  /** The endpoints of a service as they are registered. */
  sourceOf(service: string): EndpointSource;
  /**
   * Resolves when the backplane was reached, or could not be: it is tried for until `stop`.
   * Rejects only where trying again would not help.
   */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createMeshNode(options: MeshNodeOptions): MeshNode {
  const { backplane, nodeId, dataDir, describe, clock, random, log, schedule } = options;
  const monotonic = (): number => clock.monotonic();
  const registry = createRegistry(backplane);
  const reaper = createReaper({ backplane, registry, monotonic, random, log, schedule });
  const presence =
    describe && createPresence({ backplane, nodeId, describe, monotonic, random, log, schedule });
  const sources = new Set<MeshSource>();
  const directory = dataDir === undefined ? undefined : join(dataDir, 'last-known');

  return {
    backplane,
    nodeId,
    registry,
    get liveNodes() {
      return presence?.nodes ?? [nodeId];
    },
    get descriptions() {
      return presence?.descriptions ?? [];
    },
    get lostNodes() {
      return presence?.lost ?? [];
    },
    async announce() {
      await presence?.announce();
    },
    sourceOf(service) {
      const made = createMeshSource({ service, registry, directory, log, monotonic, schedule });
      sources.add(made);
      return {
        start: (listener) => made.start(listener),
        stop() {
          made.stop();
          void made.settled().then(() => sources.delete(made));
        },
      };
    },
    async start() {
      await backplane.start();
      reaper.start();
      // Nobody waits for it: with a store that is away it takes a second.
      void presence?.start();
    },
    async stop() {
      reaper.stop();
      await presence?.stop();
      await Promise.all(Array.from(sources, (source) => source.settled()));
      await backplane.close();
    },
  };
}
