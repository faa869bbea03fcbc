/** Composition root: the only place that builds long-lived objects and hands them to each other. */
import { randomBytes } from 'node:crypto';
import { hostname, totalmem } from 'node:os';
import { dirname, extname, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { createOverloadGuard } from './gateway/admission/overload.ts';
import { compileSnapshot, type CompiledSnapshot } from './gateway/config/compile.ts';
import type { Config } from './gateway/config/config.ts';
import type { ServiceConfig } from './gateway/config/service-config.ts';
import { ConfigurationError } from './gateway/config/configuration-error.ts';
import { createService } from './gateway/config/create-service.ts';
import { KeyedPool } from './gateway/config/keyed-pool.ts';
import { createLastGoodKeeper } from './gateway/config/last-good.ts';
import { loadConfigInThread } from './gateway/config/load-in-thread.ts';
import { loadConfig, type Loaded } from './gateway/config/load.ts';
import { Reloader } from './gateway/config/reloader.ts';
import { watchConfig } from './gateway/config/watch.ts';
import { createStickyKey, readStickyKey } from './gateway/config/sticky-key.ts';
import { explain } from './gateway/explain/explain.ts';
import { toExplainRequest } from './gateway/explain/question.ts';
import { createForwarder } from './gateway/forward/forward.ts';
import { ListenerSet } from './gateway/listener/listener-set.ts';
import { toListenError } from './gateway/listener/listen-error.ts';
import { createTrustedProxies } from './gateway/listener/trusted-proxies.ts';
import { createAccessLog } from './gateway/observe/create-access-log.ts';
import { createObserver } from './gateway/observe/create-observer.ts';
import { createRequestMetrics } from './gateway/observe/request-metrics.ts';
import { createTracing } from './gateway/observe/tracing.ts';
import { createPlugin, type PluginEnvironment } from './gateway/pipeline/create-plugin.ts';
import { createJsonFetcher } from './gateway/pipeline/fetch-json.ts';
import type { PluginInstance } from './gateway/pipeline/hooks.ts';
import { createRequestPath, requestStages } from './gateway/request-path.ts';
import { reasonOf } from './gateway/rescue/rescue.ts';
import { createHealthLog } from './gateway/observe/health-log.ts';
import { createGatewayMetrics } from './gateway/status/gateway-metrics.ts';
import { Readiness } from './gateway/status/readiness.ts';
import { createStatusServer } from './gateway/status/status-server.ts';
import { createMemoryCounters } from './mesh/limits/memory-counters.ts';
import { firstEndpoints } from './mesh/service/first-endpoints.ts';
import type { Service, ServiceEnvironment } from './mesh/service/service.ts';
import type { Clock, Log } from './plugins/sdk/plugin-context.ts';
import { standardPlugins } from './plugins/standard.ts';
import type { App, AppOptions } from './cli/app-port.ts';
import { VERSION } from './version.ts';

export type { App, AppOptions, Started } from './cli/app-port.ts';

const now = Date.now;
const monotonic = (): number => performance.now();
const clock: Clock = { now, monotonic };

/** Above this the event loop is too late to serve anybody well, and 503 is the better answer. */
const MAX_LOOP_DELAY_MS = 150;
/** Share of the memory that the process may have (the machine's, or its container's) before it sheds load. */
const MAX_MEMORY_SHARE = 0.85;

/** For the thread that loads configurations; `.js` in the package. */
const STANDARD_PLUGINS = new URL(`./plugins/standard${extname(import.meta.url)}`, import.meta.url);

/** Rejects with a `ConfigurationError` that names everything wrong with the file. */
export async function createApp({ configFile, env, log }: AppOptions): Promise<App> {
  const first = await loadConfig(configFile, { catalogue: standardPlugins, env });
  if (!first.ok) throw new ConfigurationError(first.issues);
  return assemble(first, configFile, env, log);
}

function assemble(first: Loaded, configFile: string, env: AppOptions['env'], log: Log): App {
  const initial = first.config;
  const nodeName = initial.node.name ?? `${hostname()}-${randomBytes(3).toString('hex')}`;
  const random = Math.random;
  const registry = new Registry();
  const readiness = new Readiness();
  const fetcher = createJsonFetcher();
  const trusted = createTrustedProxies(initial.trustedProxies);
  const accessLog = createAccessLog(initial, log);
  const { tracing: traces } = initial.telemetry;
  const tracing =
    traces === undefined
      ? undefined
      : createTracing({ ...traces, nodeName, version: VERSION, log });
  const requestMetrics = createRequestMetrics(registry);
  const overload = createOverloadGuard({
    maxLoopDelayMs: MAX_LOOP_DELAY_MS,
    maxRssBytes: Math.min(totalmem(), process.constrainedMemory() || Infinity) * MAX_MEMORY_SHARE,
  });

  const services = new KeyedPool<Service>((service) => {
    service.stop().catch((error: unknown) => log.warn({ err: error }, 'a service stopped badly'));
  });
  const plugins = new KeyedPool<PluginInstance>(({ name, hooks }) => {
    Promise.try(() => hooks.close?.()).catch((error: unknown) => {
      log.warn({ plugin: name, reason: reasonOf(error) }, 'a plugin failed to close');
    });
  });
  const gatewayMetrics = createGatewayMetrics(registry, {
    version: VERSION,
    nodeVersion: process.versions.node,
    services: () => reloader.current.services.values(),
    connections: () =>
      listeners.all.map(({ facts, connections }) => ({
        listener: facts.name,
        count: connections,
      })),
    certificates: () =>
      listeners.all
        .flatMap(({ certificates }) => certificates)
        .map(({ name, expiresAtMs }) => ({
          name,
          expirySeconds: (expiresAtMs - clock.now()) / 1000,
        })),
    droppedLogLines: () => accessLog?.writer.dropped ?? 0,
  });
  const serviceEnvironment: ServiceEnvironment = {
    monotonic,
    now,
    random,
    zone: initial.node.zone,
    onRetry: (service, reason) => gatewayMetrics.retried(service, reason),
    onEjection: (service, reason) => gatewayMetrics.ejected(service, reason),
    onHealthEvent: createHealthLog(log),
  };
  const stickyKey = createStickyKey(initial.dataDir, log);
  const pluginEnvironment: PluginEnvironment = {
    catalogue: standardPlugins,
    log,
    registry,
    counters: createMemoryCounters({ clock }),
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
    currentSnapshot: () => reloader.current,
    forwarder,
    observer: createObserver({
      clock,
      random,
      log,
      metrics: requestMetrics,
      accessLog,
      tracing,
    }),
    overload,
    clock,
    random,
    isTrustedProxy: trusted.trusts,
  });
  const listeners = new ListenerSet({
    dataDir: initial.dataDir,
    trusts: trusted.trusts,
    deps: { door, log, clock },
    log,
  });
  const status = createStatusServer(initial.status, readiness, registry);

  function compile(
    config: Config,
    revision: number,
    hash: string,
    makeService = (service: ServiceConfig): Service =>
      createService(service, serviceEnvironment, log, stickyKey),
  ): Promise<CompiledSnapshot> {
    return compileSnapshot(
      config,
      { revision, hash },
      {
        services,
        plugins,
        createService(service) {
          const made = makeService(service);
          made.start();
          return made;
        },
        createPlugin: (entry, scope) => createPlugin(entry, scope, pluginEnvironment),
        cellsOf: (route) => requestMetrics.cellsOf(route),
        pause: nextTurn,
        monotonic,
      },
    );
  }

  const lastGood = createLastGoodKeeper((error) => {
    log.warn({ err: error }, 'the applied configuration could not be kept in the data directory');
  });
  let pending: Loaded | undefined = first;
  const watcher = watchConfig({ files: first.files, log, onChange: () => void reloader.apply() });
  const reloader = new Reloader({
    log,
    async load() {
      const known = pending;
      pending = undefined;
      if (known !== undefined) return known;
      const loaded = await loadConfigInThread(configFile, {
        catalogue: { module: STANDARD_PLUGINS, name: 'standardPlugins' },
        env,
      });
      watcher.watch(loaded.files);
      return loaded;
    },
    compile,
    prepareListeners: (config) => listeners.prepare(config),
    onApplied(config, hash, revision) {
      trusted.update(config.trustedProxies);
      readiness.configHash = hash;
      reloaded(revision);
      log.info({ revision, hash, routes: config.routes.length }, 'configuration applied');
      warnOfRestart(initial, config, log);
      lastGood.keep(config.dataDir, { hash, config });
    },
    onUnchanged() {
      reloaded(readiness.revision);
      log.info({ revision: readiness.revision }, 'the configuration is what runs already');
    },
    onRefused(errors) {
      readiness.lastReload = { successful: false, at: new Date().toISOString(), errors };
      gatewayMetrics.configRefused();
      // At the start whoever asked for it is told.
      if (readiness.revision === 0) return;
      log.error({ errors }, 'the configuration was refused; the one before stays in force');
    },
  });

  function reloaded(revision: number): void {
    readiness.revision = revision;
    readiness.lastReload = { successful: true, at: new Date().toISOString(), errors: [] };
    gatewayMetrics.configApplied(revision);
  }

  return {
    async start() {
      accessLog?.writer.start();
      // First: a change while the rest starts must not be missed.
      await watcher.start();
      if (!(await reloader.apply())) {
        watcher.stop();
        throw new Error(readiness.lastReload?.errors.join('\n') ?? 'the configuration was refused');
      }
      await firstEndpoints(reloader.current.services.values());
      // From here on: that starting keeps the event loop busy says nothing about load.
      overload.start();
      const { port } = await status.start().catch((error: unknown) => {
        throw toListenError(error as NodeJS.ErrnoException, { name: 'status', ...initial.status });
      });
      readiness.status = 'ready';
      return {
        statusPort: port,
        listeners: listeners.all.map(({ facts }) => facts),
      };
    },

    async stop() {
      readiness.status = 'draining';
      watcher.stop();
      reloader.freeze();
      forwarder.closeTunnels();
      await listeners.drain();
      reloader.stop();
      overload.stop();
      await Promise.all([
        status.stop(),
        fetcher.close(),
        tracing?.stop(),
        accessLog?.writer.close(),
        lastGood.settled(),
      ]);
    },

    rejectionUnhandled(reason) {
      gatewayMetrics.rejectionUnhandled();
      log.error({ err: reason }, 'a promise was rejected and nobody handled it');
    },

    async explain(question) {
      // Nothing may be sent anywhere, or left behind in the data directory.
      const silent = { ...serviceEnvironment, isOwnCheck: () => false };
      const key = (): Uint8Array => readStickyKey(initial.dataDir) ?? randomBytes(32);
      const snapshot = await compile(initial, 1, first.hash, (service) =>
        createService(service, silent, log, key),
      );
      try {
        await firstEndpoints(snapshot.services.values());
        const stages = requestStages(overload, random);
        return await explain(toExplainRequest(question, initial), snapshot, stages, clock);
      } finally {
        snapshot.lease.supersede();
      }
    },

    config: initial,
  };
}

/** What is read once, at start. */
function warnOfRestart(initial: Config, config: Config, log: Log): void {
  for (const key of ['node', 'dataDir', 'status', 'telemetry'] as const) {
    if (JSON.stringify(initial[key]) !== JSON.stringify(config[key])) {
      log.warn({ key }, 'this part of the configuration takes effect at the next start');
    }
  }
}
