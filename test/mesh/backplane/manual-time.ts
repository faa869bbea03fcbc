/** Time that passes when the test says so. */
import type { Schedule } from '../../../src/mesh/backplane/schedule.ts';

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

export class ManualTime {
  #nowMs = 1_000_000;
  #timers: Timer[] = [];

  readonly monotonic = (): number => this.#nowMs;

  readonly schedule: Schedule = (delayMs, run) => {
    const timer = { dueMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Delays of what waits, the shortest first. */
  get delaysMs(): readonly number[] {
    return this.#timers.map(({ dueMs }) => dueMs - this.#nowMs).toSorted((a, b) => a - b);
  }

  /** Runs what is due on the way, in order, each at its time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.dueMs - b.dueMs);
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = next.dueMs;
      next.run();
    }
    this.#nowMs = endMs;
  }
}
