/** Composition root: the only place that builds long-lived objects and hands them to each other. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { createAdmin } from './app/admin.ts';
import { createConfiguration } from './app/configuration.ts';
import { createDataPlane, type ControlPlane } from './app/data-plane.ts';
import { DescriptorWarning, readDescriptorLimit } from './app/descriptor-limit.ts';
import { explainRequest } from './app/explanation.ts';
import { createMesh } from './app/mesh.ts';
import { createSharedConfiguration } from './app/shared-configuration.ts';
import { createWorkers, toWorkerCount } from './app/workers.ts';
import type { Config } from './gateway/config/config.ts';
import { ConfigurationError } from './gateway/config/configuration-error.ts';
import { loadConfig, type Loaded } from './gateway/config/load.ts';
import { createStickyKey } from './gateway/config/sticky-key.ts';
import { allListenersOf, inboundDoorsOf } from './gateway/doors/door-listeners.ts';
import { toListenError } from './gateway/listener/listen-error.ts';
import { Readiness } from './gateway/status/readiness.ts';
import { createMetricsPage } from './gateway/status/metrics-page.ts';
import { createStatusServer } from './gateway/status/status-server.ts';
import { DRAIN_NOTICE_MS } from './mesh/node/local-instance.ts';
import { firstEndpoints } from './mesh/service/first-endpoints.ts';
import { eventNowMs } from './mesh/transport/event-time.ts';
import type { Clock } from './plugins/sdk/plugin-context.ts';
import { standardPlugins } from './plugins/standard.ts';
import type { App, AppOptions } from './cli/app-port.ts';
import { VERSION } from './version.ts';

export type { App, AppOptions, Started } from './cli/app-port.ts';

const clock: Clock = { now: Date.now, monotonic: eventNowMs };

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
  const openFiles = readDescriptorLimit();
  const stickyKey = createStickyKey(initial.dataDir, log);
  const workerCount = toWorkerCount(initial.node.workers);
  const start = { config: initial, configFile, nodeName, clock, random, log };
  // Else it serves in this process.
  const workers =
    workerCount > 1
      ? createWorkers({
          ...start,
          count: workerCount,
          stickyKey,
          parts: () => ({ registry: plane.observability.registry, mesh, snapshots }),
        })
      : undefined;
  const plane = createDataPlane({
    ...start,
    openFiles,
    createListener: workers?.createListener,
    authority: workers?.authority,
    control: (): ControlPlane => ({
      stickyKey,
      meshSource: (service) => mesh.node.sourceOf(service),
      counters: mesh.counters,
      topology: mesh.topology,
      isOwnCheck: (service, endpoint) => mesh.sharing.isOwnCheck(service, endpoint),
      metrics: {
        backplane: () => mesh.node.backplane.status(),
        versions: () => readiness.versions(),
        droppedAuditEntries: () => admin.droppedAuditEntries(),
      },
    }),
  });
  const { listeners, snapshots, metrics, stages } = plane;
  const available = plane.accepted.limit * workerCount;
  const descriptors = new DescriptorWarning(openFiles, available, log);
  const mesh = createMesh({
    config: initial,
    nodeId: nodeName,
    version: VERSION,
    clock,
    random,
    log,
    services: () => plane.services(),
    workers: workerCount,
    inboundPort(registration) {
      const own = JSON.stringify(registration);
      const doors = inboundDoorsOf(plane.config);
      const door = doors.find((one) => JSON.stringify(one.registration) === own);
      return (door && listeners.portOf(door.listener.name)) ?? registration.inbound!.port;
    },
  });
  const status = createStatusServer(
    initial.status,
    readiness,
    workers?.metrics() ?? createMetricsPage(plane.observability.registry, clock),
  );
  const source = { first, configFile, document, env };
  const shared = createSharedConfiguration({
    ...source,
    backplane: mesh.node.backplane,
    nodeName,
    readiness,
    onSource: (source) => mesh.announceConfig(source),
    clock,
    random,
    log,
  });
  const configuration = createConfiguration({
    ...source,
    shared,
    slot: plane.slot,
    async prepareListeners(next) {
      const opened = await listeners.prepare(next.config);
      const prepared = (await workers?.prepare(next, opened)) ?? opened;
      // As at the end: callers hear of it before the door closes.
      if (await mesh.registrations.retire(next.config.registrations)) await delay(DRAIN_NOTICE_MS);
      return prepared;
    },
    onApplied(config) {
      workers?.applied(plane.config, config);
      plane.applied(config);
      mesh.sharing.update();
      descriptors.check(allListenersOf(config));
      admin.applied(config);
      if (isRegistering) register(config);
    },
    onOwner: () => admin.owned(),
    readiness,
    metrics,
    log,
  });
  readiness.workers = () => workers?.report();
  const admin = createAdmin({
    ...source,
    config: initial,
    mesh,
    tap: workers?.tap ?? plane.tap,
    shared,
    configuration,
    services: () => plane.services(),
    readiness,
    stages,
    clock,
    log,
  });

  /** Only once the doors are open and there is somewhere to pass calls on to. */
  let isRegistering = false;
  function register(config: Config): void {
    mesh.registrations.apply(config.registrations).catch((error: unknown) => {
      log.error({ err: error }, 'an instance could not be registered');
    });
  }

  return {
    async start() {
      plane.start();
      await mesh.node.start();
      await shared.start();
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
      const [silent] = await Promise.all([
        firstEndpoints(configuration.current.services.values()),
        workers?.started(),
      ]);
      if (silent.length > 0) {
        log.warn({ services: silent }, 'starts without endpoints of services not discovered yet');
      }
      plane.guard();
      const adminPort = await admin.start();
      readiness.status = 'ready';
      isRegistering = true;
      register(initial);
      return { statusPort: port, adminPort, listeners: listeners.all.map(({ facts }) => facts) };
    },

    reload() {
      if (readiness.status !== 'ready') return;
      plane.observability.reopen();
      workers?.reopen();
      configuration.reload();
    },

    roll() {
      if (workers === undefined) log.info({ workers: 1 }, 'there are no workers to be replaced');
      else if (readiness.status === 'ready') void workers.roll();
    },

    async stop() {
      readiness.status = 'draining';
      configuration.freeze();
      // Callers hear of it before a door closes.
      if (await mesh.registrations.drain()) await delay(DRAIN_NOTICE_MS);
      workers?.stopping();
      plane.closeTunnels();
      await listeners.drain();
      await workers?.stop();
      await mesh.registrations.leave();
      await mesh.stopSharing();
      // Services let go of their discovery, which then has something to save.
      await Promise.all([configuration.stop(), plane.stop(), shared.stop()]);
      await Promise.all([mesh.node.stop(), admin.stop(), status.stop()]);
    },

    rejectionUnhandled(reason) {
      metrics.rejectionUnhandled();
      log.error({ err: reason }, 'a promise was rejected and nobody handled it');
    },

    explain: (question) =>
      explainRequest(question, {
        ...source,
        surroundings: plane.surroundings,
        snapshots,
        node: mesh.node,
        stages,
        clock,
      }),

    config: initial,
  };
}
