/** A space as its watchers see it: follows the revisions, and tells views, many changes at once. */
import type { SpaceView } from './backplane.ts';
import type { Delta, FullRead } from './delta.ts';
import type { Schedule } from './schedule.ts';
import { SpaceRecords } from './space-records.ts';
import { DEBOUNCE_MS } from './timing.ts';

export type ViewListener = (view: SpaceView) => void;

/** `gap`: revisions between, or their content, are missing. `other-epoch`: only a full read helps. */
export type DeltaVerdict = 'applied' | 'old' | 'gap' | 'other-epoch';

interface Watcher {
  readonly listener: ViewListener;
  /** Nothing was told yet, or something was lost since. */
  isBroken: boolean;
}

export class ViewFeed {
  #records = new SpaceRecords();
  #epoch: string | undefined;
  #revision = 0;
  readonly #watchers = new Set<Watcher>();
  readonly #schedule: Schedule;
  /** Set while views rest after one. */
  #callOff: (() => void) | undefined;
  /** Something changed meanwhile. */
  #hasMore = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** Undefined until the first full read. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  get revision(): number {
    return this.#revision;
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  add(listener: ViewListener): () => void {
    const watcher: Watcher = { listener, isBroken: true };
    this.#watchers.add(watcher);
    if (this.#epoch !== undefined) {
      queueMicrotask(() => {
        if (watcher.isBroken) this.#tell([watcher]);
      });
    }
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.stop();
    };
  }

  /** Ends a wait to tell; listeners hear no more until the next change. */
  stop(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#hasMore = false;
  }

  apply({ epoch, revision, changes }: Delta): DeltaVerdict {
    if (epoch !== this.#epoch) return 'other-epoch';
    if (revision <= this.#revision) return 'old';
    if (revision !== this.#revision + 1 || changes === undefined) return 'gap';
    for (const change of changes) {
      if (change.type === 'put') this.#records.put(change.kind, change.record);
      else this.#records.remove(change.kind, change.id);
    }
    this.#revision = revision;
    this.#tellSoon();
    return 'applied';
  }

  /**
   * A full read in the same epoch and no further back skipped over revisions, which is as
   * good as having heard them.
   */
  replace({ epoch, revision, records }: FullRead): void {
    if (epoch !== this.#epoch || revision < this.#revision) {
      for (const watcher of this.#watchers) watcher.isBroken = true;
    }
    this.#records = new SpaceRecords(records);
    this.#epoch = epoch;
    this.#revision = revision;
    this.#tellSoon();
  }

  /** A lone change at once; what comes within 100 ms of a view is told together at their end. */
  #tellSoon(): void {
    if (this.#callOff !== undefined) {
      this.#hasMore = true;
      return;
    }
    this.#tell(this.#watchers);
    this.#rest();
  }

  #rest(): void {
    // A listener may have ended the last watch.
    if (!this.isWatched) return;
    this.#callOff = this.#schedule(DEBOUNCE_MS, () => {
      this.#callOff = undefined;
      if (!this.#hasMore) return;
      this.#hasMore = false;
      this.#tell(this.#watchers);
      this.#rest();
    });
  }

  #tell(watchers: Iterable<Watcher>): void {
    const records = this.#records.handOut();
    const epoch = this.#epoch ?? '';
    const revision = this.#revision;
    // A listener may end its own watch, or another.
    for (const watcher of watchers) {
      if (!this.#watchers.has(watcher)) continue;
      const continuous = !watcher.isBroken;
      watcher.isBroken = false;
      watcher.listener({ epoch, revision, continuous, records });
    }
  }
}
