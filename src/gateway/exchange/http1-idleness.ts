/** For how long nothing has happened on an HTTP/1 connection without an answer due; looked at from time to time. */
import type { Socket } from 'node:net';

/** Times are of the monotonic clock, in milliseconds. */
export class Http1Idleness {
  readonly #socket: Socket;
  #sinceMs: number;
  #bytesSeen = 0;

  constructor(socket: Socket, nowMs: number) {
    this.#socket = socket;
    this.#sinceMs = nowMs;
  }

  /** No answer is due any more. */
  rest(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** Milliseconds since an answer was due or a byte was seen to have come. */
  lasts(nowMs: number): number {
    const { bytesRead } = this.#socket;
    if (bytesRead !== this.#bytesSeen) {
      this.#bytesSeen = bytesRead;
      this.#sinceMs = nowMs;
    }
    return nowMs - this.#sinceMs;
  }
}
