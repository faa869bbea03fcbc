/** Keeps the gateway at what its configuration file says, and tells whoever has to know. */
import { extname } from 'node:path';
import type { CompiledSnapshot } from '../gateway/config/compile.ts';
import type { Config } from '../gateway/config/config.ts';
import { toDataDirFailure } from '../gateway/config/file-failure.ts';
import { inTurns } from '../gateway/config/in-turns.ts';
import type { ConfigIssue } from '../gateway/config/issue.ts';
import { createLastGoodKeeper } from '../gateway/config/last-good.ts';
import { createConfigLoader } from '../gateway/config/load-in-thread.ts';
import type { ConfigOwner, Loaded, LoadResult } from '../gateway/config/load.ts';
import { createPaced } from '../gateway/config/paced.ts';
import { Reloader, type ReloaderDependencies } from '../gateway/config/reloader.ts';
import type { SnapshotSlot } from '../gateway/config/snapshot-slot.ts';
import {
  canonicalPieces,
  SHARED_KEYS,
  type SharedDocument,
} from '../gateway/config/versions/shared-document.ts';
import type { Attempt } from '../gateway/config/versions/version-choice.ts';
import { watchConfig } from '../gateway/config/watch.ts';
import type { GatewayMetrics } from '../gateway/status/gateway-metrics.ts';
import type { Readiness } from '../gateway/status/readiness.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import { toSharedPart, type SharedConfiguration } from './shared-configuration.ts';

export interface ConfigurationOptions {
  /** What the file said when the program was started. */
  readonly first: Loaded;
  readonly configFile: string;
  /** In place of what is in the file, which then is not watched. */
  readonly document: string | undefined;
  /** What all nodes run, where the file leaves it to them. */
  readonly shared: SharedConfiguration;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly slot: SnapshotSlot;
  readonly prepareListeners: ReloaderDependencies['prepareListeners'];
  /** Once a configuration is in force. */
  readonly onApplied: (config: Config) => void;
  /** It has been found, by a file that says otherwise what runs already, whose the shared part is. */
  readonly onOwner: () => void;
  readonly readiness: Readiness;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
}

export interface Configuration {
  /** The snapshot that serves; there is one once started. */
  readonly current: CompiledSnapshot;
  /**
   * Applies the file and the newest version, and from then on each change of them. Rejects where
   * the file was refused.
   */
  start(): Promise<void>;
  /** Applies the file now, where there is one. */
  reload(): void;
  /** Applies nothing more. */
  freeze(): void;
  /** Lets go of everything. */
  stop(): Promise<void>;
  /**
   * Everything that is wrong with a document, were it the newest version: with this node's file,
   * environment and plugins. Warnings alone: it can be run.
   */
  check(candidate: SharedDocument): Promise<readonly ConfigIssue[]>;
}

/** Checked within some ten milliseconds. */
const SMALL_CHARACTERS = 128 * 1024;
/** What it has read of a large one takes room. */
const CHECKER_IDLE_MS = 60_000;
/** In place of a file's name in its issues. */
const CANDIDATE = 'configuration';

/** For the thread that loads configurations; `.js` in the package. */
const STANDARD_PLUGINS = new URL(`../plugins/standard${extname(import.meta.url)}`, import.meta.url);

/** From one version to the next that is put in force: of a hundred changes in a second, five are what traffic pays for. */
const VERSION_REST_MS = 200;

export function createConfiguration(options: ConfigurationOptions): Configuration {
  const { first, configFile, document, shared, env, readiness, metrics, log } = options;
  const lastGood = createLastGoodKeeper((error) => {
    const reason = toDataDirFailure(error, first.config.dataDir);
    log.warn({ reason }, 'the applied configuration could not be kept in the data directory');
  });
  const isWatched = document === undefined;
  const catalogue = { module: STANDARD_PLUGINS, name: 'standardPlugins' };
  const loader = createConfigLoader(catalogue);
  // Apart: a large one that is merely looked at must not keep waiting what is to be run.
  const checker = createConfigLoader(catalogue, CHECKER_IDLE_MS);
  let pending: Loaded | undefined = first;
  let attempt: Attempt = { version: undefined, isStopgap: false };
  let loaded: Loaded = first;
  /** Of what runs. */
  let owner: ConfigOwner | undefined;
  let watched = first.files.join('\0');
  const watcher = watchConfig({ files: first.files, log, onChange: () => void reloader.apply() });

  async function load(): Promise<LoadResult> {
    attempt = shared.next();
    const known = pending;
    pending = undefined;
    if (known !== undefined && (known.owner === 'file' || attempt.version === undefined)) {
      return known;
    }
    const part = toSharedPart(attempt.version);
    const result = await loader.load(configFile, { env, text: document, shared: part });
    // Every version of a busy fleet is loaded from the same file: to look around for it costs some too.
    if (result.files.join('\0') !== watched) watcher.watch(result.files);
    watched = result.files.join('\0');
    if (!result.ok || result.owner === 'file' || owner !== 'file' || part !== undefined)
      return result;
    // Without a version there is nothing to go on with, and traffic would be without routes until there is one.
    shared.released();
    options.onOwner();
    return { ok: false, issues: [toReleasedIssue(configFile)], files: result.files };
  }

  const reloader = new Reloader({
    log,
    async load() {
      const result = await load();
      if (result.ok) loaded = result;
      return result;
    },
    slot: options.slot,
    prepareListeners: options.prepareListeners,
    onApplied(config, hash, revision) {
      readiness.configHash = hash;
      readiness.sharedHash = loaded.sharedHash;
      owned(config);
      reloaded(revision);
      const { version } = readiness.versions();
      log.info(
        { revision, hash, routes: config.routes.length, ...(version > 0 && { version }) },
        'configuration applied',
      );
      warnOfRestart(first.config, config, log);
      lastGood.keep(config.dataDir, { hash, config });
      options.onApplied(config);
    },
    onUnchanged() {
      readiness.sharedHash = loaded.sharedHash;
      owned(loaded.config);
      options.onOwner();
      reloaded(readiness.revision);
      log.info({ revision: readiness.revision }, 'the configuration is what runs already');
    },
    onRefused(errors) {
      // What stands in for a refused version is not what anybody waits to hear of.
      if (!attempt.isStopgap) {
        readiness.lastReload = { successful: false, at: new Date().toISOString(), errors };
        metrics.configRefused();
      }
      const isMoreToTry = shared.refused(errors);
      // At the start whoever asked for it is told.
      if (readiness.revision > 0 || isMoreToTry) {
        const version = attempt.version?.version;
        log.error(
          { errors, version },
          'the configuration was refused; the one before stays in force',
        );
      }
      if (isMoreToTry) void reloader.apply();
    },
  });

  function owned(config: Config): void {
    ({ owner } = loaded);
    shared.accepted(config, owner);
    // A version is to be in force within a second, whenever it comes.
    loader.keepReady(owner === 'backplane');
  }

  const versions = createPaced(() => reloader.apply(), VERSION_REST_MS);

  function reloaded(revision: number): void {
    readiness.revision = revision;
    metrics.configApplied(revision);
    if (attempt.isStopgap) metrics.configRefused();
    else readiness.lastReload = { successful: true, at: new Date().toISOString(), errors: [] };
  }

  return {
    get current() {
      return reloader.current;
    },
    async start() {
      // First: a change while the rest starts must not be missed.
      if (isWatched) await watcher.start();
      shared.onMoved(() => {
        // It is of no use to a node whose file has all of it.
        if (shared.owner === 'backplane') versions.want();
      });
      if (await reloader.apply()) return;
      watcher.stop();
      throw new Error(readiness.lastReload?.errors.join('\n') ?? 'the configuration was refused');
    },
    reload() {
      if (isWatched) void reloader.apply();
    },
    freeze() {
      watcher.stop();
      versions.cancel();
      reloader.freeze();
    },
    async stop() {
      reloader.stop();
      await Promise.all([loader.close(), checker.close(), lastGood.settled()]);
    },
    async check(candidate) {
      let json = '';
      await inTurns(canonicalPieces(candidate), (piece) => (json += piece));
      const part = { name: CANDIDATE, json };
      const looker = json.length <= SMALL_CHARACTERS ? loader : checker;
      const { ok, issues } = await looker.check(configFile, { env, text: document, shared: part });
      const own = issues.filter(({ file }) => file === CANDIDATE);
      // Else it is the file that keeps it from being looked at.
      return ok || own.some(({ severity }) => severity === 'error') ? own : issues;
    },
  };
}

function toReleasedIssue(file: string): ConfigIssue {
  return {
    severity: 'error',
    file,
    line: 1,
    column: 1,
    path: '',
    message: `the file has none of ${SHARED_KEYS.join(', ')} any more, and no version of them has been applied: what it had stays in force until then`,
    hint: 'meshgate apply FILE writes one; to remove them all, write `routes: []`',
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
