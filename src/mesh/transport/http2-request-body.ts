/** Sends a request's body over a stream: at the upstream's pace, counted against its declared length. */
import type { ClientHttp2Stream } from 'node:http2';
import type { BodySink, BodySource } from './body-source.ts';
import { toTrailerFields } from './http2-request-fields.ts';

export interface Http2BodyOwner {
  /** A piece was handed over, all of it was, or the upstream took what was waiting. */
  onBodyProgress(): void;
  /** It broke off, or was not as long as declared: the request can never be complete. */
  onBodyFailed(message: string, cause: unknown): void;
}

export class Http2RequestBody implements BodySink {
  readonly #owner: Http2BodyOwner;
  readonly #stream: ClientHttp2Stream;
  readonly #source: BodySource;
  readonly #length: number | undefined;
  #sentBytes = 0;
  #isStarted = false;
  /** Nothing more is wanted of the source. */
  #isOver = false;
  #trailers: readonly string[] | undefined;
  /** All of it has been handed to the stream. */
  isSent = false;
  /** The source is held back because the upstream does not read. */
  isBlocked = false;

  constructor(owner: Http2BodyOwner, stream: ClientHttp2Stream, source: BodySource) {
    this.#owner = owner;
    this.#stream = stream;
    this.#source = source;
    this.#length = source.length;
  }

  start(): void {
    if (this.#isStarted || this.#isOver) return;
    this.#isStarted = true;
    this.#source.start(this);
  }

  /** Sends no more. A source that was never started stays whole, for another try. */
  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isStarted) this.#source.cancel();
  }

  onData(chunk: Uint8Array): void {
    // Empty DATA frames count as a flood with some peers (CVE-2019-9518).
    if (this.#isOver || chunk.length === 0) return;
    this.#sentBytes += chunk.length;
    if (this.#length !== undefined && this.#sentBytes > this.#length) {
      this.#fail(`the body is longer than its declared ${this.#length} bytes`, undefined);
      return;
    }
    const becomesBlocked = !this.#stream.write(chunk) && !this.isBlocked;
    if (becomesBlocked) this.isBlocked = true;
    this.#owner.onBodyProgress();
    if (becomesBlocked) this.#source.pause();
  }

  onEnd(trailers: readonly string[] | undefined): void {
    if (this.#isOver) return;
    if (this.#length !== undefined && this.#sentBytes < this.#length) {
      this.#fail(
        `the body ended after ${this.#sentBytes} of its declared ${this.#length} bytes`,
        undefined,
      );
      return;
    }
    this.#isOver = true;
    this.#trailers = trailers;
    this.isSent = true;
    this.isBlocked = false;
    this.#stream.end();
    this.#owner.onBodyProgress();
  }

  onError(error: Error): void {
    if (this.#isOver) return;
    // It has ended by itself, so there is nothing to cancel.
    this.#isOver = true;
    this.#owner.onBodyFailed('the body broke off', error);
  }

  /** The stream has room again. */
  onDrain(): void {
    if (!this.isBlocked) return;
    this.isBlocked = false;
    this.#owner.onBodyProgress();
    if (!this.#isOver) this.#source.resume();
  }

  /** The last DATA frame is out and the stream waits for trailers; without any it just ends. */
  sendTrailers(): void {
    try {
      this.#stream.sendTrailers(toTrailerFields(this.#trailers));
    } catch (error) {
      this.#owner.onBodyFailed('the trailers cannot be sent', error);
    }
  }

  #fail(message: string, cause: unknown): void {
    this.cancel();
    this.#owner.onBodyFailed(message, cause);
  }
}
