/** Composition root: the only place that builds long-lived objects and hands them to each other. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createAdmin } from './app/admin.ts';
import { createConfiguration } from './app/configuration.ts';
import { DescriptorWarning, readDescriptorLimit } from './app/descriptor-limit.ts';
import { explainRequest } from './app/explanation.ts';
import { createMesh } from './app/mesh.ts';
import { createNodeMetrics } from './app/node-metrics.ts';
import { createObservability } from './app/observability.ts';
import { createProcessGuard } from './app/overload.ts';
import { createServiceSurroundings } from './app/service-surroundings.ts';
import { createSharedConfiguration } from './app/shared-configuration.ts';
import { createSnapshotFactory } from './app/snapshot-factory.ts';
import type { Config } from './gateway/config/config.ts';
import { ConfigurationError } from './gateway/config/configuration-error.ts';
import { loadConfig, type Loaded } from './gateway/config/load.ts';
import { createSecretNames } from './gateway/config/secret-names.ts';
import { allListenersOf, inboundDoorsOf } from './gateway/doors/door-listeners.ts';
import { createForwarder } from './gateway/forward/forward.ts';
import { ListenerSet } from './gateway/listener/listener-set.ts';
import { toListenError } from './gateway/listener/listen-error.ts';
import { createTrustedProxies } from './gateway/listener/trusted-proxies.ts';
import type { PluginEnvironment } from './gateway/pipeline/create-plugin.ts';
import { createJsonFetcher } from './gateway/pipeline/fetch-json.ts';
import { createRequestPath, requestStages } from './gateway/request-path.ts';
import { Readiness } from './gateway/status/readiness.ts';
import { createStatusServer } from './gateway/status/status-server.ts';
import { DRAIN_NOTICE_MS } from './mesh/node/local-instance.ts';
import { firstEndpoints } from './mesh/service/first-endpoints.ts';
import type { Service } from './mesh/service/service.ts';
import { createSocketBudget } from './mesh/transport/socket-budget.ts';
import type { Clock } from './plugins/sdk/plugin-context.ts';
import { standardPlugins } from './plugins/standard.ts';
import type { App, AppOptions } from './cli/app-port.ts';
import { VERSION } from './version.ts';

export type { App, AppOptions, Started } from './cli/app-port.ts';

const monotonic = (): number => performance.now();
const clock: Clock = { now: Date.now, monotonic };

/** Rejects with a `ConfigurationError` that names everything wrong with the file. */
export async function createApp(options: AppOptions): Promise<App> {
  const { configFile, document, env } = options;
  const first = await loadConfig(configFile, { catalogue: standardPlugins, env, text: document });
  if (!first.ok) throw new ConfigurationError(first.issues);
  return assemble(first, options);
}

function assemble(first: Loaded, { configFile, document, env, log }: AppOptions): App {
  const initial = first.config;
  const nodeName = initial.node.name ?? `${hostname()}-${randomBytes(3).toString('hex')}`;
  const random = Math.random;
  const readiness = new Readiness();
  const fetcher = createJsonFetcher();
  const trusted = createTrustedProxies(initial.trustedProxies);
  const secrets = createSecretNames(() => applied, standardPlugins);
  const seen = { config: initial, nodeName, version: VERSION, clock, random, log, secrets };
  const observability = createObservability(seen);
  const { registry, requestMetrics, observer, tap } = observability;
  const overload = createProcessGuard();
  const gatewayMetrics = createNodeMetrics(registry, {
    services: servicesInUse,
    listeners: () => listeners.all,
    expiries: () => listeners.expiries,
    backplane: () => mesh.node.backplane.status(),
    versions: () => readiness.versions(),
    droppedLogLines: observability.droppedLogLines,
    droppedAuditEntries: () => admin.droppedAuditEntries(),
    clock,
  });
  const openFiles = readDescriptorLimit();
  const sockets = createSocketBudget(openFiles);
  const descriptors = new DescriptorWarning(openFiles, sockets.accepted.limit, log);
  const mesh = createMesh({
    config: initial,
    nodeId: nodeName,
    version: VERSION,
    clock,
    random,
    log,
    services: servicesInUse,
    inboundPort(registration) {
      const own = JSON.stringify(registration);
      const door = inboundDoorsOf(applied).find((one) => JSON.stringify(one.registration) === own);
      return (door && listeners.portOf(door.listener.name)) ?? registration.inbound!.port;
    },
  });
  const surroundings = createServiceSurroundings({
    config: initial,
    mesh,
    metrics: gatewayMetrics,
    sockets: sockets.connected,
    monotonic,
    now: Date.now,
    random,
    log,
  });
  const pluginEnvironment: PluginEnvironment = {
    catalogue: standardPlugins,
    log,
    registry,
    counters: mesh.counters,
    clock,
    random,
    fetchJson: (url, options) => fetcher.fetchJson(url, options),
    configDir: dirname(resolve(configFile)),
  };

  const forwarder = createForwarder({
    monotonic,
    random,
    onMirrorLost(service, reason) {
      gatewayMetrics.mirrorLost(service);
      log.debug({ service, reason }, 'a mirrored request was lost');
    },
  });
  const door = createRequestPath({
    currentSnapshot: () => configuration.current,
    forwarder,
    observer,
    overload,
    clock,
    random,
    isTrustedProxy: trusted.trusts,
  });
  const listeners = new ListenerSet({
    dataDir: initial.dataDir,
    trusts: trusted.trusts,
    deps: { door, log, clock, sockets: sockets.accepted },
    log,
  });
  const status = createStatusServer(initial.status, readiness, registry);

  const snapshots = createSnapshotFactory({
    surroundings,
    pluginEnvironment,
    requestMetrics,
    gatewayMetrics,
    monotonic,
    log,
  });
  const { onDemand } = snapshots;
  const source = { first, configFile, document, env };
  const shared = createSharedConfiguration({
    ...source,
    backplane: mesh.node.backplane,
    nodeName,
    readiness,
    clock,
    random,
    log,
  });
  const configuration = createConfiguration({
    ...source,
    shared,
    compile: snapshots.compile,
    async prepareListeners(config) {
      const prepared = await listeners.prepare(config);
      // As at the end: callers hear of it before the door closes.
      if (await mesh.registrations.retire(config.registrations)) await delay(DRAIN_NOTICE_MS);
      return prepared;
    },
    onApplied(config) {
      applied = config;
      mesh.sharing.update();
      trusted.update(config.trustedProxies);
      descriptors.check(allListenersOf(config));
      admin.applied(config);
      if (isRegistering) register(config);
    },
    onOwner: () => admin.owned(),
    readiness,
    metrics: gatewayMetrics,
    log,
  });

  function servicesInUse(): Service[] {
    // The probes answer before anything has been applied.
    if (readiness.revision === 0) return [];
    const known = configuration.current.services;
    const others = onDemand.services.filter(
      ({ name, endpoints }) => endpoints.length > 0 && !known.has(name),
    );
    return [...known.values(), ...others];
  }

  const stages = requestStages(overload, random);
  const admin = createAdmin({
    ...source,
    config: initial,
    mesh,
    tap,
    shared,
    configuration,
    services: servicesInUse,
    readiness,
    stages,
    clock,
    log,
  });

  /** The configuration in force. */
  let applied = initial;
  /** Only once the doors are open and there is somewhere to pass calls on to. */
  let isRegistering = false;
  function register(config: Config): void {
    mesh.registrations.apply(config.registrations).catch((error: unknown) => {
      log.error({ err: error }, 'an instance could not be registered');
    });
  }

  return {
    async start() {
      observability.start();
      await mesh.node.start();
      await shared.start();
      onDemand.start();
      // First of the doors: it tells that the node is starting, and where it cannot be had nothing is applied.
      const { port } = await status.start().catch((error: unknown) => {
        const place = { name: 'status', own: 'status', ...initial.status } as const;
        throw toListenError(error as NodeJS.ErrnoException, place);
      });
      await configuration.start().catch(async (error: unknown) => {
        await status.stop();
        throw error;
      });
      mesh.startSharing();
      const silent = await firstEndpoints(configuration.current.services.values());
      if (silent.length > 0) {
        log.warn({ services: silent }, 'starts without endpoints of services not discovered yet');
      }
      // From here on: that starting keeps the event loop busy says nothing about load.
      overload.start();
      const adminPort = await admin.start();
      readiness.status = 'ready';
      isRegistering = true;
      register(initial);
      return { statusPort: port, adminPort, listeners: listeners.all.map(({ facts }) => facts) };
    },

    reload() {
      if (readiness.status !== 'ready') return;
      observability.reopen();
      configuration.reload();
    },

    async stop() {
      readiness.status = 'draining';
      configuration.freeze();
      // Callers hear of it before a door closes.
      if (await mesh.registrations.drain()) await delay(DRAIN_NOTICE_MS);
      forwarder.closeTunnels();
      await listeners.drain();
      await mesh.registrations.leave();
      overload.stop();
      await mesh.stopSharing();
      // Services let go of their discovery, which then has something to save.
      await Promise.all([configuration.stop(), onDemand.stop(), shared.stop()]);
      await Promise.all([
        mesh.node.stop(),
        admin.stop(),
        status.stop(),
        fetcher.close(),
        observability.stop(),
      ]);
    },

    rejectionUnhandled(reason) {
      gatewayMetrics.rejectionUnhandled();
      log.error({ err: reason }, 'a promise was rejected and nobody handled it');
    },

    explain: (question) =>
      explainRequest(question, {
        ...source,
        surroundings,
        snapshots,
        node: mesh.node,
        stages,
        clock,
      }),

    config: initial,
  };
}
