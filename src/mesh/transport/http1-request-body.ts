/** Sends a request's body: framed, counted against its declared length, at the upstream's pace. */
import type { Socket } from 'node:net';
import type { BodySink, BodySource } from './body-source.ts';
import { toChunkedEnd, toChunkStart } from './http1-request-writer.ts';

export interface RequestBodyOwner {
  /** A piece or the end was written, or the upstream took what was waiting. */
  onBodyProgress(): void;
  /** It broke off, or was not as long as declared: the request can never be complete. */
  onBodyFailed(message: string, cause: unknown): void;
}

export class RequestBody implements BodySink {
  readonly #owner: RequestBodyOwner;
  readonly #socket: Socket;
  readonly #source: BodySource;
  readonly #length: number | undefined;
  #sentBytes = 0;
  #isStarted = false;
  /** Nothing more is wanted of the source. */
  #isOver = false;
  /** All of it has been handed to the socket. */
  isSent = false;
  /** The source is held back because the upstream does not read. */
  isBlocked = false;

  constructor(owner: RequestBodyOwner, socket: Socket, source: BodySource) {
    this.#owner = owner;
    this.#socket = socket;
    this.#source = source;
    this.#length = source.length;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Corked, so that what is at hand leaves in one packet with the head before it. */
  start(): void {
    if (this.#isStarted || this.#isOver) return;
    this.#isStarted = true;
    this.#socket.cork();
    this.#source.start(this);
    this.#socket.uncork();
  }

  /** Sends no more. A source that was never started stays whole, for another try. */
  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isStarted) this.#source.cancel();
  }

  onData(chunk: Uint8Array): void {
    // An empty chunk would be the last-chunk.
    if (this.#isOver || chunk.length === 0) return;
    this.#sentBytes += chunk.length;
    if (this.#length !== undefined && this.#sentBytes > this.#length) {
      this.#fail(`the body is longer than its declared ${this.#length} bytes`, undefined);
      return;
    }
    const hasRoom =
      this.#length === undefined ? this.#writeChunk(chunk) : this.#socket.write(chunk);
    const becomesBlocked = !hasRoom && !this.isBlocked;
    if (becomesBlocked) this.isBlocked = true;
    this.#owner.onBodyProgress();
    if (becomesBlocked) this.#source.pause();
  }

  onEnd(trailers: readonly string[] | undefined): void {
    if (this.#isOver) return;
    if (this.#length === undefined) {
      let end: string;
      try {
        end = toChunkedEnd(trailers);
      } catch (error) {
        this.#fail('the trailers cannot be sent', error);
        return;
      }
      this.#socket.write(end, 'latin1');
    } else if (this.#sentBytes < this.#length) {
      this.#fail(
        `the body ended after ${this.#sentBytes} of its declared ${this.#length} bytes`,
        undefined,
      );
      return;
    }
    this.#isOver = true;
    this.isSent = true;
    this.isBlocked = false;
    this.#owner.onBodyProgress();
  }

  onError(error: Error): void {
    if (this.#isOver) return;
    // It has ended by itself, so there is nothing to cancel.
    this.#isOver = true;
    this.#owner.onBodyFailed('the body broke off', error);
  }

  /** The socket has room again. */
  onDrain(): void {
    if (!this.isBlocked) return;
    this.isBlocked = false;
    this.#owner.onBodyProgress();
    if (!this.#isOver) this.#source.resume();
  }

  #writeChunk(chunk: Uint8Array): boolean {
    const socket = this.#socket;
    socket.cork();
    socket.write(toChunkStart(chunk.length), 'latin1');
    socket.write(chunk);
    const hasRoom = socket.write('\r\n', 'latin1');
    socket.uncork();
    return hasRoom;
  }

  #fail(message: string, cause: unknown): void {
    this.cancel();
    this.#owner.onBodyFailed(message, cause);
  }
}
