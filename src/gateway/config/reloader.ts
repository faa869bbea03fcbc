/** Keeps the running snapshot at what the configuration file says: all of a change, or nothing of it. */
import { reasonOf } from '../../mesh/backplane/backplane-error.ts';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { CompiledSnapshot } from './compile.ts';
import type { Config } from './config.ts';
import type { NumberedConfig, PreparedListeners, SnapshotSlot } from './snapshot-slot.ts';
import { listIssues, toClippedLine, toIssueLines } from './issue-list.ts';
import type { LoadResult } from './load.ts';

export interface ReloaderDependencies {
  /** Reads and checks the file. */
  readonly load: () => Promise<LoadResult>;
  /** Where the snapshot that serves is. */
  readonly slot: SnapshotSlot;
  /** Opens what the configuration adds; rejects, with nothing opened, where it cannot. */
  readonly prepareListeners: (next: NumberedConfig) => Promise<PreparedListeners>;
  readonly onApplied: (config: Config, hash: string, revision: number) => void;
  /** The file is good, and says what runs already. */
  readonly onUnchanged: () => void;
  /** The configuration was refused; a line for each error, as far as anybody would read. */
  readonly onRefused: (errors: readonly string[]) => void;
  readonly log: Log;
}

export class Reloader {
  readonly #dependencies: ReloaderDependencies;
  #running: Promise<boolean> | undefined;
  #again = false;
  #frozen = false;

  constructor(dependencies: ReloaderDependencies) {
    this.#dependencies = dependencies;
  }

  /** The snapshot that serves; there is one from the first successful `apply` on. */
  get current(): CompiledSnapshot {
    return this.#dependencies.slot.current;
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
    this.#dependencies.slot.empty();
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
      if (loaded.hash === this.#dependencies.slot.hash) onUnchanged();
      else await this.#swap(loaded.config, loaded.hash);
      return true;
    } catch (error) {
      if (this.#frozen) return false;
      onRefused([toClippedLine(reasonOf(error))]);
      return false;
    }
  }

  async #swap(config: Config, hash: string): Promise<void> {
    const { slot, prepareListeners, onApplied } = this.#dependencies;
    const next = { config, hash, revision: slot.revision + 1 };
    const prepared = await slot.prepare(next, () => {
      // The node closes its own doors already.
      this.#assertWanted();
      return prepareListeners(next);
    });
    if (this.#frozen) await prepared.rollback();
    this.#assertWanted();
    prepared.commit();
    onApplied(config, hash, next.revision);
  }

  #assertWanted(): void {
    if (this.#frozen) throw new Error('the node is stopping');
  }
}
