/** The open windows of one limiter's keys: fixed length, bounded in number, ended by a clock that is handed in. */

/** A key's window from its first request on. */
export interface KeyWindow {
  readonly key: string;
  /** On the clock of the `nowMs` that opened it. */
  readonly endsAtMs: number;
  /** Points known to be spent. */
  spent: number;
}

/** A window in line for its end; `next` is the one that was opened after it. */
interface Queued extends KeyWindow {
  next: Queued | undefined;
}

/**
 * All windows have one length and the clock never goes back, so the order in which they
 * were opened is the order in which they end: one queue serves expiry and eviction, and no
 * key needs a timer. A queue of its own rather than the Map's order, since a Map that is
 * emptied from the front walks over its dead entries each time.
 */
export class KeyWindows {
  readonly #windowMs: number;
  readonly #maxKeys: number;
  readonly #onClosed: (key: string) => void;
  readonly #windows = new Map<string, Queued>();
  #oldest: Queued | undefined;
  #newest: Queued | undefined;
  #evictions = 0;

  /** `onClosed` hears of every key whose window ended, was evicted, or makes room for a new one. */
  constructor(windowMs: number, maxKeys: number, onClosed: (key: string) => void = () => {}) {
    this.#windowMs = windowMs;
    this.#maxKeys = maxKeys;
    this.#onClosed = onClosed;
  }

  /** Keys held, those included whose window has ended but was not swept yet. */
  get size(): number {
    return this.#windows.size;
  }

  /** Windows that were closed before their end, to stay within `maxKeys`. */
  get evictions(): number {
    return this.#evictions;
  }

  /** A key's window, undefined where none is open. */
  find(key: string, nowMs: number): KeyWindow | undefined {
    const window = this.#windows.get(key);
    return window !== undefined && window.endsAtMs > nowMs ? window : undefined;
  }

  /** Opens a key's window, for a key that has none open. */
  open(key: string, nowMs: number): KeyWindow {
    const before = this.#windows.get(key);
    if (before !== undefined) this.#close(before);
    else if (this.#windows.size >= this.#maxKeys) this.#evictOldest();
    const window: Queued = { key, endsAtMs: nowMs + this.#windowMs, spent: 0, next: undefined };
    this.#windows.set(key, window);
    if (this.#newest === undefined) this.#oldest = window;
    else this.#newest.next = window;
    this.#newest = window;
    return window;
  }

  /** Closes windows that have ended, the oldest first, at most so many; memory is all that it is for. */
  sweep(nowMs: number, atMost: number): void {
    for (let i = 0; i < atMost; i++) {
      const oldest = this.#oldest;
      if (oldest === undefined || oldest.endsAtMs > nowMs) return;
      this.#dequeue(oldest);
      if (this.#isCurrent(oldest)) this.#close(oldest);
    }
  }

  #evictOldest(): void {
    let oldest = this.#oldest;
    // Windows that were closed to be opened anew are still in line.
    while (oldest !== undefined && !this.#isCurrent(oldest)) {
      this.#dequeue(oldest);
      oldest = this.#oldest;
    }
    if (oldest === undefined) return;
    this.#dequeue(oldest);
    this.#close(oldest);
    this.#evictions++;
  }

  #isCurrent(window: Queued): boolean {
    return this.#windows.get(window.key) === window;
  }

  #dequeue(oldest: Queued): void {
    this.#oldest = oldest.next;
    if (this.#oldest === undefined) this.#newest = undefined;
  }

  #close(window: Queued): void {
    this.#windows.delete(window.key);
    this.#onClosed(window.key);
  }
}
