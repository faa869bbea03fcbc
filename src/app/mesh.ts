/** This node's part in the mesh, as its configuration asks for it. */
import type { Config } from '../gateway/config/config.ts';
import { createBackplane } from '../gateway/config/create-backplane.ts';
import type { RegistrationConfig } from '../gateway/config/mesh-config.ts';
import { RegistrationSet } from '../gateway/registration/registration-set.ts';
import type { RedisBackplane } from '../mesh/backplane/redis/redis-backplane.ts';
import { createMeshNode, type MeshNode } from '../mesh/node/mesh-node.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';

export interface MeshOptions {
  readonly config: Config;
  readonly nodeId: string;
  readonly version: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly inboundPort: (registration: RegistrationConfig) => number;
}

export interface Mesh {
  readonly node: MeshNode;
  readonly registrations: RegistrationSet;
  /** Undefined: the backplane is embedded. */
  readonly redis: RedisBackplane | undefined;
}

export function createMesh(options: MeshOptions): Mesh {
  const { config, nodeId, version, clock, random, log, inboundPort } = options;
  const { zone } = config.node;
  const { backplane, redis, destination } = createBackplane(config, { clock, random, log });
  const startedAt = new Date(clock.now()).toISOString();
  const node = createMeshNode({
    backplane,
    nodeId,
    dataDir: config.dataDir,
    describe: () => ({ name: nodeId, version, startedAt, ...(zone !== undefined && { zone }) }),
    clock,
    random,
    log,
  });
  const registrations = new RegistrationSet({
    backplane,
    destination,
    nodeId,
    zone,
    inboundPort,
    monotonic: () => clock.monotonic(),
    random,
    log,
  });
  return { node, registrations, redis };
}
