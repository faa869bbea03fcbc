/** What may take too long on a connection of the wire lane; looked at from time to time, so that a request sets no timer. */
import type { Socket } from 'node:net';

export interface WireTimeouts {
  /** To a whole head, from its first byte or from the connection's beginning. */
  readonly headerTimeoutMs: number;
  /** Between two requests, and for a client that does not read. */
  readonly idleTimeoutMs: number;
}

/** Times are of the monotonic clock, in milliseconds. */
export class WireDeadlines {
  readonly #socket: Socket;
  readonly #timeouts: WireTimeouts;
  /** Infinity: no head has begun. */
  #headDueMs: number;
  #idleSinceMs: number;
  #bytesSeen = 0;
  #isWatched = false;

  constructor(socket: Socket, timeouts: WireTimeouts, nowMs: number) {
    this.#socket = socket;
    this.#timeouts = timeouts;
    this.#idleSinceMs = nowMs;
    this.#headDueMs = nowMs + timeouts.headerTimeoutMs;
  }

  headBegun(nowMs: number): void {
    if (this.#headDueMs === Infinity) this.#headDueMs = nowMs + this.#timeouts.headerTimeoutMs;
  }

  headRead(): void {
    this.#headDueMs = Infinity;
  }

  /** No answer is due any more. */
  rest(nowMs: number): void {
    this.#idleSinceMs = nowMs;
  }

  /** Since an answer was due or a byte was seen to have come. */
  idleFor(nowMs: number): number {
    const { bytesRead } = this.#socket;
    if (bytesRead !== this.#bytesSeen) {
      this.#bytesSeen = bytesRead;
      this.#idleSinceMs = nowMs;
    }
    return nowMs - this.#idleSinceMs;
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
