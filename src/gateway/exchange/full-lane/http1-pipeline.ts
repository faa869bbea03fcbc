/** Requests of one HTTP/1 connection that came before the answers to those before them had left. */
import type { Socket } from 'node:net';

/**
 * So many may wait before the connection is read no further. What one read has brought is parsed
 * whole, so that in the end it is 64 KiB of requests that a client can have wait. Not at once, for
 * a client that leaves is not noticed while nothing is read.
 */
const MAX_WAITING = 16;

export class Http1Pipeline {
  readonly #socket: Socket;
  #waiting: (() => void)[] = [];
  #held = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    // node:http resumes the socket after each message, whoever has paused it.
    socket.on('resume', () => {
      if (this.#held) socket.pause();
    });
  }

  /** Nothing more is read of the connection. */
  get held(): boolean {
    return this.#held;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** `serve` is called when its turn has come. */
  add(serve: () => void): void {
    this.#waiting.push(serve);
    if (this.#held || this.#waiting.length < MAX_WAITING) return;
    this.#held = true;
    this.#socket.pause();
  }

  /** Whose turn it is now. */
  next(): (() => void) | undefined {
    const serve = this.#waiting.shift();
    if (this.#held && this.#waiting.length < MAX_WAITING / 2) {
      this.#held = false;
      this.#socket.resume();
    }
    return serve;
  }

  clear(): void {
    this.#waiting = [];
  }
}
