/** For how long nothing has happened on an HTTP/1 connection without an answer due; looked at from time to time. */
import type { Socket } from 'node:net';

/** Times are of the monotonic clock, in milliseconds. */
export class Http1Idleness {
  readonly #socket: Socket;
  #sinceMs = 0;
  #bytesSeen = 0;

  constructor(socket: Socket, nowMs: number) {
    this.#socket = socket;
    this.#sinceMs = nowMs;
  }

  /**
   * Milliseconds since a byte was seen to have come: none of a request has been seen yet by the first
   * look after its answer, so that an answer need not look at the clock.
   */
  lasts(nowMs: number): number {
    const { bytesRead } = this.#socket;
    if (bytesRead !== this.#bytesSeen) {
      this.#bytesSeen = bytesRead;
      this.#sinceMs = nowMs;
    }
    return nowMs - this.#sinceMs;
  }
}
