/** Deadlines of everything that waits for Redis: all equally long, so they fall due in the order they came. */
import { DeadlineTimer } from '../transport/deadline-timer.ts';

export interface Waiting {
  /** Set by whoever ends the waiting, so that nothing falls due any more. */
  isSettled: boolean;
  /** `isSettled` is set already. */
  onDue(): void;
}

const COMPACTED_AT = 1_024;

interface Entry {
  readonly waiting: Waiting;
  readonly dueAtMs: number;
}

/** The timer looks at arrived bytes before it fires: after a stall the answer may be there. */
export class AnswerDeadlines {
  readonly #withinMs: number;
  readonly #timer: DeadlineTimer;
  #entries: Entry[] = [];
  /** Those before it are done with. */
  #first = 0;
  #isClosed = false;

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
    this.#timer = new DeadlineTimer({
      deadlineMs: () => this.#nextDueMs(),
      onDeadline: () => {
        this.#expire(performance.now());
        this.#timer.watch();
      },
    });
  }

  add(waiting: Waiting): void {
    if (this.#isClosed) {
      settle(waiting);
      return;
    }
    this.#entries.push({ waiting, dueAtMs: performance.now() + this.#withinMs });
    this.#timer.watch();
  }

  /** All that waits falls due. */
  close(): void {
    this.#isClosed = true;
    this.#timer.stop();
    this.#expire(Infinity);
  }

  #nextDueMs(): number {
    this.#passSettled();
    return this.#entries[this.#first]?.dueAtMs ?? Infinity;
  }

  #expire(nowMs: number): void {
    for (;;) {
      this.#passSettled();
      const entry = this.#entries[this.#first];
      if (entry === undefined || entry.dueAtMs > nowMs) return;
      settle(entry.waiting);
    }
  }

  #passSettled(): void {
    while (this.#entries[this.#first]?.waiting.isSettled === true) this.#first++;
    if (this.#first === this.#entries.length) {
      this.#entries.length = 0;
      this.#first = 0;
    } else if (this.#first > COMPACTED_AT && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}

function settle(waiting: Waiting): void {
  waiting.isSettled = true;
  waiting.onDue();
}
