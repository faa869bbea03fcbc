/** Long-lived objects that successive snapshots share: made on first use, closed when the last user lets go. */

interface Entry<T> {
  readonly value: T;
  users: number;
}

/** What a snapshot must give back when it is retired. */
export interface Holding<T> {
  readonly key: string;
  readonly value: T;
}

/**
 * A reload must not restart what did not change: a service keeps its connections and a plugin its
 * caches as long as the same key, which is made of its whole configuration, is asked for again.
 */
export class KeyedPool<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #close: (value: T) => void;

  constructor(close: (value: T) => void) {
    this.#close = close;
  }

  hold(key: string, create: () => T): Holding<T> {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { value: create(), users: 0 };
      this.#entries.set(key, entry);
    }
    entry.users++;
    return { key, value: entry.value };
  }

  /** As `hold`, of something that somebody else holds, whose holding this is. */
  share(holding: Holding<T>): Holding<T> {
    const entry = this.#entries.get(holding.key);
    if (entry?.value !== holding.value) throw new Error('what nobody holds cannot be shared');
    entry.users++;
    return holding;
  }

  release(holding: Holding<T>): void {
    const entry = this.#entries.get(holding.key);
    if (entry === undefined || --entry.users > 0) return;
    this.#entries.delete(holding.key);
    this.#close(entry.value);
  }

  get size(): number {
    return this.#entries.size;
  }
}
