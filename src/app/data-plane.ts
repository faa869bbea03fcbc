/** What serves: listeners, the request path, services and plugins. In the main process, or in each worker. */
import { dirname, resolve } from 'node:path';
import type { Config } from '../gateway/config/config.ts';
import type { ServiceSurroundings } from '../gateway/config/create-service.ts';
import { createSecretNames } from '../gateway/config/secret-names.ts';
import { SnapshotSlot } from '../gateway/config/snapshot-slot.ts';
import type { PathStage } from '../gateway/exchange/stage.ts';
import { createForwarder } from '../gateway/forward/forward.ts';
import { ListenerSet, type ListenerSetOptions } from '../gateway/listener/listener-set.ts';
import { createListener, type ListenerDeps } from '../gateway/listener/listener.ts';
import type { SharedCertificates } from '../gateway/listener/shared-certificates.ts';
import { createTrustedProxies } from '../gateway/listener/trusted-proxies.ts';
import type { Tap } from '../gateway/observe/tap.ts';
import type { PluginEnvironment } from '../gateway/pipeline/create-plugin.ts';
import { createJsonFetcher } from '../gateway/pipeline/fetch-json.ts';
import { createRequestPath, requestStages } from '../gateway/request-path.ts';
import type { GatewayMetrics } from '../gateway/status/gateway-metrics.ts';
import type { Service, ServiceEnvironment } from '../mesh/service/service.ts';
import type { TopologyRecorder } from '../mesh/topology/recorder.ts';
import { createSocketBudget, type SocketShare } from '../mesh/transport/socket-budget.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';
import { standardPlugins } from '../plugins/standard.ts';
import { VERSION } from '../version.ts';
import { createNodeMetrics, type NodeMetricsSources } from './node-metrics.ts';
import { watchHeapGrowth } from './heap-growth.ts';
import { createObservability, type Observability } from './observability.ts';
import { createProcessGuard } from './overload.ts';
import { createServiceSurroundings } from './service-surroundings.ts';
import {
  createSnapshotFactory,
  type SnapshotFactory,
  type SnapshotFactoryOptions,
} from './snapshot-factory.ts';

/** What it is told, and asks, of the control plane; of another process, where it is one. */
export interface ControlPlane extends Pick<ServiceSurroundings, 'stickyKey' | 'meshSource'> {
  readonly counters: PluginEnvironment['counters'];
  readonly topology: Pick<TopologyRecorder, 'edgeTo'>;
  readonly isOwnCheck: NonNullable<ServiceEnvironment['isOwnCheck']>;
  readonly metrics: Pick<NodeMetricsSources, 'backplane' | 'versions' | 'droppedAuditEntries'>;
}

/** What a process that has its connections from another has beside what all have. */
export type OwnListenerDeps = Pick<ListenerDeps, 'acceptor' | 'ticketKeys'>;

export interface DataPlaneOptions {
  /** What the node was started with. */
  readonly config: Config;
  readonly configFile: string;
  readonly nodeName: string;
  /** Processes that share the node's limits. Default 1. */
  readonly workers?: number;
  /** Called when first needed: each of the two planes asks the other. */
  readonly control: () => ControlPlane;
  /** In place of listeners that serve here. */
  readonly createListener?: ListenerSetOptions['create'] | undefined;
  /** Of listeners that serve here; default: they listen themselves. */
  readonly listenerDeps?: (key: string) => OwnListenerDeps;
  /** In a worker: as in `ServiceSurroundings`. */
  readonly follow?: ServiceSurroundings['follow'];
  /** With workers: they follow the services made here. */
  readonly authority?: SnapshotFactoryOptions['authority'];
  readonly openFiles: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export interface DataPlane {
  readonly slot: SnapshotSlot;
  readonly listeners: ListenerSet;
  readonly snapshots: SnapshotFactory;
  readonly surroundings: ServiceSurroundings;
  readonly stages: readonly PathStage[];
  readonly observability: Observability;
  readonly tap: Tap;
  readonly metrics: GatewayMetrics;
  /** Connections that may be open at once. */
  readonly accepted: SocketShare;
  /** The configuration in force. */
  readonly config: Config;
  /** Those that are called now. */
  services(): Service[];
  applied(config: Config): void;
  start(): void;
  /** From then on load is shed; before, that starting keeps the event loop busy says nothing. */
  guard(): void;
  closeTunnels(): void;
  /** Lets go of everything; its listeners have been drained. */
  stop(): Promise<void>;
}

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const {
    config: initial,
    configFile,
    nodeName,
    workers = 1,
    control,
    clock,
    random,
    log,
  } = options;
  let applied = initial;
  let endHeapWatch: (() => void) | undefined;
  const monotonic = (): number => clock.monotonic();
  const fetcher = createJsonFetcher();
  const trusted = createTrustedProxies(initial.trustedProxies);
  const secrets = createSecretNames(() => applied, standardPlugins);
  const seen = { config: initial, nodeName, version: VERSION, clock, random, log, secrets };
  const observability = createObservability({ ...seen, isShared: workers > 1 });
  const { registry, requestMetrics, observer, tap } = observability;
  const overload = createProcessGuard(workers);
  const sockets = createSocketBudget(options.openFiles);
  const metrics = createNodeMetrics(registry, {
    services,
    droppedLogLines: observability.droppedLogLines,
    listeners: () => listeners.all,
    expiries: () => listeners.expiries,
    backplane: () => control().metrics.backplane(),
    versions: () => control().metrics.versions(),
    droppedAuditEntries: () => control().metrics.droppedAuditEntries(),
    clock,
  });
  const surroundings = createServiceSurroundings({
    config: initial,
    control,
    workers,
    follow: options.follow,
    metrics,
    sockets: sockets.connected,
    monotonic,
    now: () => clock.now(),
    random,
    log,
  });
  const pluginEnvironment: PluginEnvironment = {
    catalogue: standardPlugins,
    log,
    registry,
    get counters() {
      return control().counters;
    },
    clock,
    random,
    fetchJson: (url, fetching) => fetcher.fetchJson(url, fetching),
    configDir: dirname(resolve(configFile)),
  };
  const snapshots = createSnapshotFactory({
    surroundings,
    pluginEnvironment,
    requestMetrics,
    gatewayMetrics: metrics,
    authority: options.authority,
    monotonic,
    log,
  });
  const { onDemand } = snapshots;
  const slot = new SnapshotSlot(snapshots.compile);
  const forwarder = createForwarder({
    monotonic,
    random,
    onMirrorLost(service, reason) {
      metrics.mirrorLost(service);
      log.debug({ service, reason }, 'a mirrored request was lost');
    },
  });
  const door = createRequestPath({
    currentSnapshot: () => slot.current,
    forwarder,
    observer,
    overload,
    clock,
    random,
    isTrustedProxy: trusted.trusts,
  });
  const deps = { door, log, clock, sockets: sockets.accepted };
  const serving: ListenerSetOptions['create'] = (key, one, certificates: SharedCertificates) =>
    createListener(one, { ...deps, certificates, ...options.listenerDeps?.(key) });
  const listeners = new ListenerSet({
    dataDir: initial.dataDir,
    trusts: trusted.trusts,
    create: options.createListener ?? serving,
    log,
  });

  function services(): Service[] {
    // The probes answer before anything has been applied.
    if (slot.revision === 0) return [];
    const known = slot.current.services;
    const others = snapshots
      .undeclared()
      .filter(({ name, endpoints }) => endpoints.length > 0 && !known.has(name));
    return [...known.values(), ...others];
  }

  return {
    slot,
    listeners,
    snapshots,
    surroundings,
    stages: requestStages(overload, random),
    observability,
    tap,
    metrics,
    accepted: sockets.accepted,
    get config() {
      return applied;
    },
    services,
    applied(config) {
      applied = config;
      trusted.update(config.trustedProxies);
    },
    start() {
      endHeapWatch = watchHeapGrowth();
      observability.start();
      onDemand.start();
    },
    guard: () => overload.start(),
    closeTunnels: () => forwarder.closeTunnels(),
    async stop() {
      overload.stop();
      endHeapWatch?.();
      slot.empty();
      await Promise.all([onDemand.stop(), fetcher.close()]);
      await observability.stop();
    },
  };
}
