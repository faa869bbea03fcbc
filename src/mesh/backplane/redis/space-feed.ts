/** Keeps the view of one space current: messages for speed, the log for gaps, polls for the truth. */
import { reasonOf } from '../backplane-error.ts';
import { parseDelta } from '../delta.ts';
import type { Schedule } from '../schedule.ts';
import { pollDelayMs, retryDelayMs } from '../timing.ts';
import { ViewFeed, type ViewListener } from '../view-feed.ts';
import type { SpaceStore } from './space-store.ts';

export interface SpaceFeedOptions {
  readonly store: SpaceStore;
  readonly random: () => number;
  readonly schedule: Schedule;
  readonly onFailure: (reason: string) => void;
}

export class SpaceFeed {
  readonly #store: SpaceStore;
  readonly #view: ViewFeed;
  readonly #options: SpaceFeedOptions;
  #callOffPoll = (): void => {};
  #catchingUp = false;
  /** Something was heard while catching up, and may be missing from what was read. */
  #isBehind = false;
  #failures = 0;
  #isStopped = false;

  constructor(options: SpaceFeedOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#view = new ViewFeed(options.schedule);
  }

  get isWatched(): boolean {
    return this.#view.isWatched;
  }

  add(listener: ViewListener): () => void {
    return this.#view.add(listener);
  }

  hear(text: string): void {
    const delta = parseDelta(text);
    if (delta === undefined) return;
    const verdict = this.#view.apply(delta);
    if (verdict === 'gap' || verdict === 'other-epoch') this.catchUp();
  }

  /** One at a time; asked for meanwhile, once more. */
  catchUp(): void {
    if (this.#isStopped) return;
    if (this.#catchingUp) {
      this.#isBehind = true;
      return;
    }
    this.#catchingUp = true;
    this.#callOffPoll();
    void this.#catchUpAndPoll();
  }

  stop(): void {
    this.#isStopped = true;
    this.#callOffPoll();
    this.#view.stop();
  }

  async #catchUpAndPoll(): Promise<void> {
    const { random, schedule, onFailure } = this.#options;
    let delayMs: number;
    try {
      do {
        this.#isBehind = false;
        await this.#readMissing();
        // It may have been set while waiting.
      } while (this.#isBehind && !this.#isStopped);
      this.#failures = 0;
      delayMs = pollDelayMs(random);
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === 1) onFailure(reasonOf(error));
      delayMs = retryDelayMs(this.#failures, random);
    }
    this.#catchingUp = false;
    if (!this.#isStopped) this.#callOffPoll = schedule(delayMs, () => this.catchUp());
  }

  async #readMissing(): Promise<void> {
    const { epoch, revision } = await this.#store.position();
    if (this.#isStopped) return;
    if (epoch === this.#view.epoch) {
      if (revision === this.#view.revision) return;
      if (revision > this.#view.revision && (await this.#replay(revision))) return;
    }
    const before = this.#view.revision;
    const read = await this.#store.readAll();
    if (this.#isStopped) return;
    // What was heard on the other connection while this one was waited for is newer. Without
    // that, a lower revision is a store that has lost some.
    const isOvertaken = this.#view.revision > before && read.revision < this.#view.revision;
    if (isOvertaken && read.epoch === this.#view.epoch) this.#isBehind = true;
    else this.#view.replace(read);
  }

  /** True where the log had all that was missing. */
  async #replay(revision: number): Promise<boolean> {
    for (const delta of await this.#store.changesAfter(this.#view.revision)) {
      const verdict = this.#view.apply(delta);
      if (verdict === 'gap' || verdict === 'other-epoch') return false;
    }
    return this.#view.revision >= revision;
  }
}
