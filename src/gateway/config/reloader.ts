/** Keeps the running snapshot at what the configuration file says: all of a change, or nothing of it. */
import { reasonOf } from '../../mesh/backplane/backplane-error.ts';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { CompiledSnapshot } from './compile.ts';
import type { Config } from './config.ts';
import { listIssues, toClippedLine, toIssueLines } from './issue-list.ts';
import type { LoadResult } from './load.ts';

export interface ReloaderDependencies {
  /** Reads and checks the file. */
  readonly load: () => Promise<LoadResult>;
  readonly compile: (config: Config, revision: number, hash: string) => Promise<CompiledSnapshot>;
  /** Opens what the configuration adds; rejects, with nothing opened, where it cannot. */
  readonly prepareListeners: (config: Config) => Promise<PreparedListeners>;
  readonly onApplied: (config: Config, hash: string, revision: number) => void;
  /** The file is good, and says what runs already. */
  readonly onUnchanged: () => void;
  /** The configuration was refused; a line for each error, as far as anybody would read. */
  readonly onRefused: (errors: readonly string[]) => void;
  readonly log: Log;
}

export interface PreparedListeners {
  /** Lets the new listeners serve and the removed ones drain. */
  commit(): void;
  rollback(): Promise<void>;
}

export class Reloader {
  readonly #dependencies: ReloaderDependencies;
  #current: CompiledSnapshot | undefined;
  #revision = 0;
  #running: Promise<boolean> | undefined;
  #again = false;
  #frozen = false;

  constructor(dependencies: ReloaderDependencies) {
    this.#dependencies = dependencies;
  }

  /** The snapshot that serves; there is one from the first successful `apply` on. */
  get current(): CompiledSnapshot {
    if (this.#current === undefined) throw new Error('no configuration has been applied yet');
    return this.#current;
  }

  /**
   * Applies the file as it is now; resolves to whether it was accepted. One at a time: what
   * changes meanwhile is looked at once more afterwards.
   */
  apply(): Promise<boolean> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#applyUntilSettled();
    return this.#running;
  }

  /** Applies nothing more: what is under way opens no door on a node that is closing its own. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Lets go of the last snapshot. */
  stop(): void {
    this.freeze();
    this.#current?.lease.supersede();
  }

  async #applyUntilSettled(): Promise<boolean> {
    let accepted: boolean;
    do {
      this.#again = false;
      accepted = await this.#applyOnce();
    } while (this.#again && !this.#frozen);
    // Here and not in a `finally` of the caller's: a change between the two would be lost.
    this.#running = undefined;
    return accepted;
  }

  async #applyOnce(): Promise<boolean> {
    const { load, log, onRefused, onUnchanged } = this.#dependencies;
    try {
      const loaded = await load();
      if (!loaded.ok) {
        onRefused(toIssueLines(listIssues(loaded.issues, loaded.unlisted)));
        return false;
      }
      for (const warning of toIssueLines(listIssues(loaded.warnings, loaded.unlisted)))
        log.warn({}, warning);
      if (loaded.hash === this.#current?.hash) onUnchanged();
      else await this.#swap(loaded.config, loaded.hash);
      return true;
    } catch (error) {
      if (this.#frozen) return false;
      onRefused([toClippedLine(reasonOf(error))]);
      return false;
    }
  }

  async #swap(config: Config, hash: string): Promise<void> {
    const { compile, prepareListeners, onApplied } = this.#dependencies;
    const revision = this.#revision + 1;
    const snapshot = await compile(config, revision, hash);
    let listeners: PreparedListeners;
    try {
      this.#assertWanted();
      listeners = await prepareListeners(config);
      if (this.#frozen) await listeners.rollback();
      this.#assertWanted();
    } catch (error) {
      snapshot.lease.supersede();
      throw error;
    }
    const previous = this.#current;
    // The one assignment: every exchange that begins from here on sees the new snapshot.
    this.#current = snapshot;
    this.#revision = revision;
    listeners.commit();
    previous?.lease.supersede();
    onApplied(config, hash, revision);
  }

  #assertWanted(): void {
    if (this.#frozen) throw new Error('the node is stopping');
  }
}
