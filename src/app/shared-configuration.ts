/** The versions that all nodes share: which one this node tries, and what it tells of it. */
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../gateway/config/config.ts';
import type { ConfigOwner, Loaded } from '../gateway/config/load.ts';
import { createConfigKeys } from '../gateway/config/versions/config-keys.ts';
import { createVersionStore } from '../gateway/config/versions/create-version-store.ts';
import { VERSIONS_FOLDER } from '../gateway/config/versions/last-known-part.ts';
import { createRollout, type Rollout } from '../gateway/config/versions/rollout.ts';
import { createRunningVersionFile } from '../gateway/config/versions/running-version.ts';
import type { SharedPart } from '../gateway/config/versions/shared-source.ts';
import { createVersionChoice, type Attempt } from '../gateway/config/versions/version-choice.ts';
import type { KnownVersion, NodeVersionStore } from '../gateway/config/versions/version-store.ts';
import type { Readiness } from '../gateway/status/readiness.ts';
import type { Backplane } from '../mesh/backplane/backplane.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';
import type { ConfigSource } from './mesh.ts';

export interface SharedConfigurationOptions {
  readonly first: Loaded;
  readonly configFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly backplane: Backplane;
  readonly nodeName: string;
  readonly readiness: Readiness;
  /** Hears where this node has its shared part from: at once, and each time that this has changed. */
  readonly onSource: (source: ConfigSource) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export interface SharedConfiguration {
  readonly versions: NodeVersionStore;
  readonly rollout: Rollout;
  /** Of what was accepted last. */
  readonly owner: ConfigOwner;
  /** After the backplane: resolves when the newest version is known, as far as it can be. */
  start(): Promise<void>;
  /** Before the backplane. */
  stop(): Promise<void>;
  /** Hears when there is another version to run. */
  onMoved(listener: () => void): void;
  next(): Attempt;
  accepted(config: Config, owner: ConfigOwner): void;
  /** The file has let go of its part, and what it had runs on: until there is a version, which may now be written. */
  released(): void;
  /** True where there is something else to try in its place. */
  refused(errors: readonly string[]): boolean;
}

/** Throws a `ConfigKeyError` where the environment has something for a key that is none. */
export function createSharedConfiguration(
  options: SharedConfigurationOptions,
): SharedConfiguration {
  const { first, configFile, env, backplane, nodeName, readiness, onSource } = options;
  const { clock, random, log } = options;
  const { dataDir } = first.config;
  const directory = join(dataDir, VERSIONS_FOLDER);
  const isShared = first.config.backplane.redis !== undefined;
  const keys = createConfigKeys({
    env,
    directory: dirname(resolve(configFile)),
    dataDir,
    isShared,
  });
  const now = (): number => clock.now();
  const versions = createVersionStore({ backplane, keys, directory, clock, random, log });
  const rollout = createRollout({ backplane, nodeName, now, random, log });
  const running = createRunningVersionFile(directory, keys, now, log);
  let kept: KnownVersion | undefined;
  const choice = createVersionChoice(
    () => versions.head(),
    () => kept,
  );
  let { owner } = first;
  let hasListeners = first.config.listeners.length > 0;
  let isReleased = false;
  let told = '';

  readiness.versions = () => {
    const refused = findRefused();
    return {
      owner,
      version: choice.runs?.version ?? 0,
      refused: refused && { version: refused.version, reason: refused.reason },
      missing: findMissing(),
    };
  };

  /** A node proxy has no routes to lose: without a key it does with what services are by default. */
  function toSource(): ConfigSource {
    if (owner === 'file') return 'file';
    return keys.isMissing && !hasListeners ? 'none' : 'shared';
  }

  onSource(toSource());

  function tell(): void {
    onSource(toSource());
    const { runs } = choice;
    const refused = findRefused();
    const state = JSON.stringify([toSource(), runs?.version, runs?.hash, refused]);
    if (state === told) return;
    told = state;
    if (refused !== undefined) rollout.refused(refused, refused.reason, runs);
    else if (toSource() !== 'shared' || runs === undefined) rollout.none();
    else rollout.applied(runs);
  }

  function findRefused(): { version: number; hash: string; reason: string } | undefined {
    if (toSource() !== 'shared') return undefined;
    const unreadable = versions.unreadable();
    if (unreadable !== undefined) return unreadable;
    if (choice.refusal === undefined) return undefined;
    const { version, reason } = choice.refusal;
    return { version: version.version, hash: version.hash, reason };
  }

  /** Without a version there is nothing to serve, which is right only where there is none. */
  function findMissing(): string | undefined {
    if (owner === 'file' || isReleased || !hasListeners) return undefined;
    if (choice.runs !== undefined) return undefined;
    if (findRefused() !== undefined) {
      return 'no version of the shared configuration that this node can run';
    }
    if (versions.head() !== undefined) return 'the shared configuration, which is being applied';
    return versions.isKnown() ? undefined : 'the backplane, which has the shared configuration';
  }

  return {
    versions,
    rollout,
    get owner() {
      return owner;
    },
    async start() {
      kept = await running.read();
      await versions.start();
      versions.onUnreadable(tell);
    },
    async stop() {
      await Promise.all([rollout.stop(), versions.close(), running.settled()]);
    },
    onMoved(listener) {
      versions.onHead(() => {
        choice.moved();
        listener();
      });
    },
    next: () => choice.next(),
    accepted(config, ofOwner) {
      owner = ofOwner;
      isReleased = false;
      hasListeners = config.listeners.length > 0;
      choice.accepted(owner === 'backplane');
      // The newest one is kept anyway.
      running.keep(choice.refusal === undefined ? undefined : choice.runs);
      tell();
    },
    released() {
      owner = 'backplane';
      isReleased = true;
      tell();
    },
    refused(errors) {
      if (owner === 'file') return false;
      const isMoreToTry = choice.refused(errors.join('\n'));
      // At once: it has to be there for the next start, however soon that comes.
      if (choice.refusal !== undefined && choice.runs !== undefined) running.keep(choice.runs);
      tell();
      return isMoreToTry;
    },
  };
}

/** What the loader is given of a version. */
export function toSharedPart(version: KnownVersion | undefined): SharedPart | undefined {
  return version && { name: `version ${version.version}`, json: version.json };
}
