/** What limiters of one name and window share: kept while one of them is in use, or a window is open. */
import type { KeyWindows } from './key-windows.ts';
import type { SweepRound } from './sweep-round.ts';

interface Entry<Store> {
  readonly id: string;
  readonly store: Store;
  users: number;
}

/** Unused stores looked at whenever one is taken or given back: two, so that clearing gains on taking. */
const LOOKED_AT = 2;
/** Ended windows cleared in one look: it may be in a turn with many others. */
const SWEPT_PER_LOOK = 1_000;

/**
 * A reload closes a limiter's plugin and makes another for the same name, which must find the
 * counts. So what is not used any more stays until its windows have ended: only then is it the
 * same as new.
 */
export class LimiterStores<Store extends { readonly windows: KeyWindows }> {
  readonly #round: SweepRound;
  readonly #monotonic: () => number;
  readonly #entries = new Map<string, Entry<Store>>();
  /** Unused; the one that was looked at last stands last. */
  readonly #unused = new Set<Entry<Store>>();

  constructor(round: SweepRound, monotonic: () => number) {
    this.#round = round;
    this.#monotonic = monotonic;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** To be given back by `release`. */
  hold(id: string, create: () => Store): Store {
    this.#clear();
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { id, store: create(), users: 0 };
      this.#entries.set(id, entry);
      this.#round.add(entry.store.windows);
    }
    entry.users++;
    this.#unused.delete(entry);
    return entry.store;
  }

  release(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || --entry.users > 0) return;
    this.#unused.add(entry);
    this.#letGoIfEnded(entry);
    this.#clear();
  }

  #clear(): void {
    let looks = 0;
    for (const entry of this.#unused) {
      if (looks++ === LOOKED_AT) return;
      if (this.#letGoIfEnded(entry)) continue;
      this.#unused.delete(entry);
      this.#unused.add(entry);
    }
  }

  #letGoIfEnded(entry: Entry<Store>): boolean {
    const { windows } = entry.store;
    windows.sweep(this.#monotonic(), SWEPT_PER_LOOK);
    if (windows.size > 0) return false;
    this.#unused.delete(entry);
    this.#entries.delete(entry.id);
    this.#round.remove(windows);
    return true;
  }
}
