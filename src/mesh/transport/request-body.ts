/** Sends a request's body: counted against its declared length, at the upstream's pace, however it is framed. */
import type { BodySink, BodySource } from './body-source.ts';

export interface RequestBodyOwner {
  /** A piece or the end was handed over, or the upstream took what was waiting. */
  onBodyProgress(): void;
  /** It broke off, or was not as long as declared: the request can never be complete. */
  onBodyFailed(message: string, cause: unknown): void;
}

export abstract class RequestBody implements BodySink {
  protected readonly owner: RequestBodyOwner;
  /** As declared, in bytes. */
  protected readonly length: number | undefined;
  readonly #source: BodySource;
  #sentBytes = 0;
  #isStarted = false;
  /** Nothing more is wanted of the source. */
  #isOver = false;
  /** All of it has been handed over. */
  isSent = false;
  /** The source is held back because the upstream does not read. */
  isBlocked = false;

  constructor(owner: RequestBodyOwner, source: BodySource) {
    this.owner = owner;
    this.#source = source;
    this.length = source.length;
  }

  /** Returns false where the upstream is slow: it is waited for `onDrain`. */
  protected abstract write(chunk: Uint8Array): boolean;

  /** After the last piece. Throws where the trailers cannot be sent. */
  protected abstract finish(trailers: readonly string[] | undefined): void;

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
    // An empty chunk would be the last-chunk of HTTP/1.1; empty DATA frames of HTTP/2 count as a
    // flood with some peers (CVE-2019-9518).
    if (this.#isOver || chunk.length === 0) return;
    this.#sentBytes += chunk.length;
    if (this.length !== undefined && this.#sentBytes > this.length) {
      this.#fail(`the body is longer than its declared ${this.length} bytes`, undefined);
      return;
    }
    const becomesBlocked = !this.write(chunk) && !this.isBlocked;
    if (becomesBlocked) this.isBlocked = true;
    this.owner.onBodyProgress();
    if (becomesBlocked) this.#source.pause();
  }

  onEnd(trailers: readonly string[] | undefined): void {
    if (this.#isOver) return;
    if (this.length !== undefined && this.#sentBytes < this.length) {
      this.#fail(
        `the body ended after ${this.#sentBytes} of its declared ${this.length} bytes`,
        undefined,
      );
      return;
    }
    try {
      this.finish(trailers);
    } catch (error) {
      this.#fail('the trailers cannot be sent', error);
      return;
    }
    this.#isOver = true;
    this.isSent = true;
    this.isBlocked = false;
    this.owner.onBodyProgress();
  }

  onError(error: Error): void {
    if (this.#isOver) return;
    // It has ended by itself, so there is nothing to cancel.
    this.#isOver = true;
    this.owner.onBodyFailed('the body broke off', error);
  }

  /** There is room again. */
  onDrain(): void {
    if (!this.isBlocked) return;
    this.isBlocked = false;
    this.owner.onBodyProgress();
    if (!this.#isOver) this.#source.resume();
  }

  #fail(message: string, cause: unknown): void {
    this.cancel();
    this.owner.onBodyFailed(message, cause);
  }
}
