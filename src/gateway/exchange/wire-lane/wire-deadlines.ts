/** What may take too long on a connection of the wire lane; looked at from time to time, so that a request sets no timer. */
import type { Socket } from 'node:net';
import { Http1Idleness } from '../http1-idleness.ts';
import type { Http1Limits } from '../http1-surroundings.ts';

type Timeouts = Pick<Http1Limits, 'headerTimeoutMs' | 'idleTimeoutMs'>;

/** Times are of the monotonic clock, in milliseconds. */
export class WireDeadlines {
  readonly #socket: Socket;
  readonly #timeouts: Timeouts;
  readonly #idleness: Http1Idleness;
  /** Infinity: no head has begun. */
  #headDueMs = Infinity;
  #isWatched = false;

  constructor(socket: Socket, timeouts: Timeouts, nowMs: number) {
    this.#socket = socket;
    this.#timeouts = timeouts;
    this.#idleness = new Http1Idleness(socket, nowMs);
    this.#headDueMs = nowMs + timeouts.headerTimeoutMs;
  }

  headBegun(nowMs: number): void {
    if (this.#headDueMs === Infinity) this.#headDueMs = nowMs + this.#timeouts.headerTimeoutMs;
  }

  headRead(): void {
    this.#headDueMs = Infinity;
  }

  /** See `Http1Idleness`. */
  idleFor(nowMs: number): number {
    return this.#idleness.lasts(nowMs);
  }

  /** What a connection without an answer due is late with. */
  findLate(nowMs: number): 'head' | 'request' | undefined {
    if (this.#headDueMs !== Infinity) return nowMs >= this.#headDueMs ? 'head' : undefined;
    return this.idleFor(nowMs) >= this.#timeouts.idleTimeoutMs ? 'request' : undefined;
  }

  /** Has the socket tell ('timeout') if the client reads nothing: it knows what has left of a write. */
  watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#socket.setTimeout(this.#timeouts.idleTimeoutMs);
  }

  unwatch(): void {
    if (!this.#isWatched) return;
    this.#isWatched = false;
    this.#socket.setTimeout(0);
  }
}
