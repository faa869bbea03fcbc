/** This node's part in the mesh, as its configuration asks for it. */
import type { Config } from '../gateway/config/config.ts';
import { createBackplane } from '../gateway/config/create-backplane.ts';
import type { RegistrationConfig } from '../gateway/config/mesh-config.ts';
import { createLimitDesk, type LimitDesk } from '../gateway/worker/limits/limit-desk.ts';
import { RegistrationSet } from '../gateway/registration/registration-set.ts';
import type { Json } from '../mesh/backplane/backplane.ts';
import { createHealthSharing, type HealthSharing } from '../mesh/health/health-sharing.ts';
import type { HeldCounters } from '../mesh/limits/held-limiter.ts';
import { MemoryWindows } from '../mesh/limits/memory-windows.ts';
import { createMemoryCounters } from '../mesh/limits/memory-counters.ts';
import { RedisWindows } from '../mesh/limits/redis-windows.ts';
import { createSharedCounters } from '../mesh/limits/shared-counters.ts';
import { createTopologyPublisher } from '../mesh/topology/publisher.ts';
import { createTopologyRecorder, type TopologyRecorder } from '../mesh/topology/recorder.ts';
import {
  readLoopbackId,
  toAdminAddress,
  toAdminValue,
  type AdminAddress,
} from '../mesh/node/admin-address.ts';
import type { Destination } from '../mesh/node/advertised-host.ts';
import { createMeshNode, type MeshNode } from '../mesh/node/mesh-node.ts';
import type { Service } from '../mesh/service/service.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';

/**
 * Where a node has services, routes, consumers, plugins and certificates from: `none` for a node
 * proxy that has no key to read versions with.
 */
export type ConfigSource = 'shared' | 'file' | 'none';

export interface MeshOptions {
  readonly config: Config;
  readonly nodeId: string;
  readonly version: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Those that are called now. */
  readonly services: () => Iterable<Service>;
  readonly inboundPort: (registration: RegistrationConfig) => number;
  /** Processes that serve for this node. Default 1: this one. */
  readonly workers?: number | undefined;
}

export interface Mesh {
  /** Of health and weights, with the other nodes. */
  readonly sharing: HealthSharing;
  readonly node: MeshNode;
  readonly registrations: RegistrationSet;
  /** Of rate limits; those of all gateways together, where there is a Redis. */
  readonly counters: HeldCounters;
  /** By which workers count with all others. */
  readonly limits: LimitDesk;
  /** Counts calls for what the mesh draws of itself. */
  readonly topology: TopologyRecorder;
  /** Tells and hears what nodes share; to be called once there are services. */
  startSharing(): void;
  /** Tells the other nodes where this one has its shared part from, where that has changed. */
  announceConfig(source: ConfigSource): void;
  /** Tells the other nodes where the admin API of this one is, once it is open. */
  announceAdmin(bound: Destination): Promise<void>;
  stopSharing(): Promise<void>;
}

export function createMesh(options: MeshOptions): Mesh {
  const { config, nodeId, version, clock, random, log, services, inboundPort } = options;
  const { workers = 1 } = options;
  const { zone } = config.node;
  const { backplane, redis, destination } = createBackplane(config, { clock, random, log });
  const startedAt = new Date(clock.now()).toISOString();
  let configSource: ConfigSource = 'none';
  let admin: AdminAddress | undefined;
  const node = createMeshNode({
    backplane,
    nodeId,
    dataDir: config.dataDir,
    describe: () => ({
      name: nodeId,
      version,
      started_at: startedAt,
      config: configSource,
      gateway: config.listeners.length > 0,
      ...(zone !== undefined && { zone }),
      ...(admin !== undefined && { admin: toAdminValue(admin) }),
    }),
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
  const sharing = createHealthSharing({
    backplane,
    nodeId,
    liveNodes: () => node.liveNodes,
    services,
    monotonic: () => clock.monotonic(),
    random,
    log,
  });
  const monotonic = (): number => clock.monotonic();
  const gateways = (): number => Math.max(1, node.descriptions.filter(isGateway).length);
  const sharers = (): number => gateways() * workers;
  const windows =
    redis === undefined
      ? new MemoryWindows({ monotonic })
      : new RedisWindows(redis, config.backplane.namespace);
  // Where this process serves all there is, its memory alone is the shortest way.
  const counters: HeldCounters & { close?(): void } =
    redis === undefined && workers === 1
      ? createMemoryCounters({ clock })
      : createSharedCounters({ windows, clock, random, log, liveNodes: sharers });
  const topology = createTopologyRecorder();
  const publisher = createTopologyPublisher({
    backplane,
    nodeId,
    source: sourceOf(config),
    recorder: topology,
    monotonic: () => clock.monotonic(),
    random,
    log,
  });
  return {
    node,
    registrations,
    sharing,
    counters,
    limits: createLimitDesk({ windows, sharers }),
    topology,
    startSharing() {
      sharing.start();
      publisher.start();
    },
    announceConfig(source) {
      if (source === configSource) return;
      configSource = source;
      void node.announce();
    },
    async announceAdmin(bound) {
      admin = await toAdminAddress(bound, destination, readLoopbackId());
      // Nobody waits for it: with a store that is away it takes a second.
      void node.announce();
    },
    async stopSharing() {
      counters.close?.();
      await Promise.all([sharing.stop(), publisher.stop()]);
    },
  };
}

/** Limits are of routes, which node proxies have none of. */
function isGateway(description: Json): boolean {
  return (description as { readonly gateway?: Json } | null)?.gateway === true;
}

/** Who calls, as the mesh draws it: the application beside a node proxy, or a gateway. */
function sourceOf({ listeners, registrations }: Config): string {
  const [first] = registrations;
  return listeners.length > 0 || first === undefined ? 'gateway' : first.service;
}
