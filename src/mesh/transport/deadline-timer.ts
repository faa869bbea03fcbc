/** One timer for all deadlines of a connection, however often they move. */
import { performance } from 'node:perf_hooks';

/** Knows its present deadline, and what to do once it has passed. */
export interface DeadlineOwner {
  /** On the clock of `performance.now()`, in milliseconds; Infinity for none. */
  deadlineMs(): number;
  onDeadline(): void;
}

/**
 * A deadline that moves later, as each request and each piece of a body moves it, costs
 * nothing: the timer fires at the old time, asks again and sleeps on. So a busy connection
 * sets a timer about once a timeout, not once a request.
 */
export class DeadlineTimer {
  readonly #owner: DeadlineOwner;
  readonly #onTimer = (): void => this.#check();
  readonly #onTurn = (): void => this.#decide();
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #firesAtMs = Infinity;

  constructor(owner: DeadlineOwner) {
    this.#owner = owner;
  }

  /** To be called whenever the deadline may have become earlier. */
  watch(): void {
    const deadlineMs = this.#owner.deadlineMs();
    if (deadlineMs < this.#firesAtMs) this.#arm(deadlineMs, performance.now());
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#timer = undefined;
    this.#turn = undefined;
    // Nothing is earlier, so a late `watch` arms nothing.
    this.#firesAtMs = -Infinity;
  }

  #arm(deadlineMs: number, nowMs: number): void {
    clearTimeout(this.#timer);
    this.#firesAtMs = deadlineMs;
    const delayMs = Math.max(1, Math.ceil(deadlineMs - nowMs));
    this.#timer = setTimeout(this.#onTimer, Math.min(delayMs, MAX_DELAY_MS));
    // The socket keeps the process alive, its deadlines need not.
    this.#timer.unref();
  }

  #check(): void {
    this.#timer = undefined;
    this.#firesAtMs = Infinity;
    const deadlineMs = this.#owner.deadlineMs();
    const nowMs = performance.now();
    if (deadlineMs > nowMs) {
      if (deadlineMs !== Infinity) this.#arm(deadlineMs, nowMs);
      return;
    }
    // Timers run before sockets are read: after a stall the awaited bytes may be here already,
    // and one turn of the loop lets them be heard.
    this.#turn = setImmediate(this.#onTurn);
  }

  #decide(): void {
    this.#turn = undefined;
    if (this.#owner.deadlineMs() <= performance.now()) this.#owner.onDeadline();
    this.watch();
  }
}

/** setTimeout takes more for 1 ms; the timer asks again when it fires. */
const MAX_DELAY_MS = 2_147_483_647;
