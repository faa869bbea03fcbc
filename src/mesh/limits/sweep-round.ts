/** Clears ended windows as others open, of all limiters in turn: no timer, and no key kept for good. */
import type { KeyWindow, KeyWindows } from './key-windows.ts';

/** Ended windows cleared for each one opened: two, so that clearing always gains on opening. */
const SWEPT_PER_OPENING = 2;

export class SweepRound {
  readonly #all: KeyWindows[] = [];
  /** Where each stands in `#all`. */
  readonly #places = new Map<KeyWindows, number>();
  #next = 0;
  #evictionsOfRemoved = 0;

  add(windows: KeyWindows): void {
    this.#places.set(windows, this.#all.length);
    this.#all.push(windows);
  }

  remove(windows: KeyWindows): void {
    const place = this.#places.get(windows);
    if (place === undefined) return;
    this.#places.delete(windows);
    this.#evictionsOfRemoved += windows.evictions;
    const last = this.#all.pop()!;
    if (last === windows) return;
    this.#all[place] = last;
    this.#places.set(last, place);
  }

  /** Opens a window of one that was added. */
  open(windows: KeyWindows, key: string, nowMs: number): KeyWindow {
    const window = windows.open(key, nowMs);
    windows.sweep(nowMs, SWEPT_PER_OPENING);
    // And the next in turn: one that no request reaches any more would keep its keys.
    this.#next = this.#next + 1 < this.#all.length ? this.#next + 1 : 0;
    this.#all[this.#next]?.sweep(nowMs, SWEPT_PER_OPENING);
    return window;
  }

  /** Keys held by all. */
  get keys(): number {
    return this.#all.reduce((sum, windows) => sum + windows.size, 0);
  }

  /** Of those too that were removed. */
  get evictions(): number {
    return this.#all.reduce((sum, { evictions }) => sum + evictions, this.#evictionsOfRemoved);
  }
}
