/** Whether the store answers, since when, and how long ago it last did. */
import type { BackplaneStatus } from '../backplane.ts';

export class ConnectionState {
  readonly #monotonic: () => number;
  readonly #listeners = new Set<() => void>();
  #connected = false;
  #sinceMs: number;
  #answeredAtMs: number;
  #reason: string | undefined;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
    this.#sinceMs = this.#answeredAtMs = monotonic();
  }

  status(): BackplaneStatus {
    const stalenessMs = this.#connected ? 0 : this.#monotonic() - this.#answeredAtMs;
    const reason = this.#connected ? undefined : this.#reason;
    return { connected: this.#connected, sinceMs: this.#sinceMs, stalenessMs, reason };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  answered(): void {
    this.#answeredAtMs = this.#monotonic();
    // Of an outage that is over; the next one may have another.
    this.#reason = undefined;
    this.#turn(true);
  }

  lost(): void {
    this.#turn(false);
  }

  failed(reason: string): void {
    this.#reason = reason;
  }

  #turn(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    this.#sinceMs = this.#monotonic();
    for (const listener of this.#listeners) listener();
  }
}
