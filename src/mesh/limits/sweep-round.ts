/** Clears ended windows as others open, of all limiters in turn: no timer, and no key kept for good. */
import type { KeyWindow, KeyWindows } from './key-windows.ts';

/** Ended windows cleared for each one opened: two, so that clearing always gains on opening. */
const SWEPT_PER_OPENING = 2;

export class SweepRound {
  readonly #all: KeyWindows[] = [];
  #next = 0;

  add(windows: KeyWindows): void {
    this.#all.push(windows);
  }

  /** Opens a window of one that was added. */
  open(windows: KeyWindows, key: string, nowMs: number): KeyWindow {
    const window = windows.open(key, nowMs);
    windows.sweep(nowMs, SWEPT_PER_OPENING);
    // And the next in turn: one that no request reaches any more would keep its keys.
    this.#next = (this.#next + 1) % this.#all.length;
    this.#all[this.#next]!.sweep(nowMs, SWEPT_PER_OPENING);
    return window;
  }

  /** Keys held by all. */
  get keys(): number {
    return this.#all.reduce((sum, windows) => sum + windows.size, 0);
  }

  get evictions(): number {
    return this.#all.reduce((sum, windows) => sum + windows.evictions, 0);
  }
}
