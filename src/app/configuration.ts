/** Keeps the gateway at what its configuration file says, and tells whoever has to know. */
import { extname } from 'node:path';
import type { CompiledSnapshot } from '../gateway/config/compile.ts';
import type { Config } from '../gateway/config/config.ts';
import { createLastGoodKeeper } from '../gateway/config/last-good.ts';
import { loadConfigInThread } from '../gateway/config/load-in-thread.ts';
import type { Loaded } from '../gateway/config/load.ts';
import { Reloader, type PreparedListeners } from '../gateway/config/reloader.ts';
import { watchConfig } from '../gateway/config/watch.ts';
import type { GatewayMetrics } from '../gateway/status/gateway-metrics.ts';
import type { Readiness } from '../gateway/status/readiness.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';

export interface ConfigurationOptions {
  /** What the file said when the program was started. */
  readonly first: Loaded;
  readonly configFile: string;
  /** Applied again whenever it changes; else what was loaded first stays for good. */
  readonly isWatched: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly compile: (config: Config, revision: number, hash: string) => Promise<CompiledSnapshot>;
  readonly prepareListeners: (config: Config) => Promise<PreparedListeners>;
  /** Once a configuration is in force. */
  readonly onApplied: (config: Config) => void;
  readonly readiness: Readiness;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
}

export interface Configuration {
  /** The snapshot that serves; there is one once started. */
  readonly current: CompiledSnapshot;
  /** Applies the file, and from then on each change of it. Rejects where it was refused. */
  start(): Promise<void>;
  /** Applies the file now, where there is one. */
  reload(): void;
  /** Applies nothing more. */
  freeze(): void;
  /** Lets go of everything. */
  stop(): Promise<void>;
}

/** For the thread that loads configurations; `.js` in the package. */
const STANDARD_PLUGINS = new URL(`../plugins/standard${extname(import.meta.url)}`, import.meta.url);

export function createConfiguration(options: ConfigurationOptions): Configuration {
  const { first, configFile, isWatched, env, readiness, metrics, log } = options;
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
    compile: options.compile,
    prepareListeners: options.prepareListeners,
    onApplied(config, hash, revision) {
      readiness.configHash = hash;
      reloaded(revision);
      log.info({ revision, hash, routes: config.routes.length }, 'configuration applied');
      warnOfRestart(first.config, config, log);
      lastGood.keep(config.dataDir, { hash, config });
      options.onApplied(config);
    },
    onUnchanged() {
      reloaded(readiness.revision);
      log.info({ revision: readiness.revision }, 'the configuration is what runs already');
    },
    onRefused(errors) {
      readiness.lastReload = { successful: false, at: new Date().toISOString(), errors };
      metrics.configRefused();
      // At the start whoever asked for it is told.
      if (readiness.revision === 0) return;
      log.error({ errors }, 'the configuration was refused; the one before stays in force');
    },
  });

  function reloaded(revision: number): void {
    readiness.revision = revision;
    readiness.lastReload = { successful: true, at: new Date().toISOString(), errors: [] };
    metrics.configApplied(revision);
  }

  return {
    get current() {
      return reloader.current;
    },
    async start() {
      // First: a change while the rest starts must not be missed.
      if (isWatched) await watcher.start();
      if (await reloader.apply()) return;
      watcher.stop();
      throw new Error(readiness.lastReload?.errors.join('\n') ?? 'the configuration was refused');
    },
    reload() {
      if (isWatched) void reloader.apply();
    },
    freeze() {
      watcher.stop();
      reloader.freeze();
    },
    async stop() {
      reloader.stop();
      await lastGood.settled();
    },
  };
}

/** What is read once, at start. */
function warnOfRestart(initial: Config, config: Config, log: Log): void {
  for (const key of ['node', 'dataDir', 'backplane', 'admin', 'status', 'telemetry'] as const) {
    if (JSON.stringify(initial[key]) !== JSON.stringify(config[key])) {
      log.warn({ key }, 'this part of the configuration takes effect at the next start');
    }
  }
}
