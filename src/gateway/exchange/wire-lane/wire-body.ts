/** The body of a request on the wire lane: pushed on as it is read, kept while nobody takes it. */
import type { BodySink, BodySource } from '../../../mesh/transport/body-source.ts';
import { keep } from '../../../mesh/transport/read-memory.ts';
import { isTooSlow } from '../body-pace.ts';
import { isLittleLeft } from '../http1-leftover.ts';
import type { ChunkSink } from './wire-chunks.ts';

/** So many wait for a reader before the connection is read no further. */
const MAX_KEPT_BYTES = 16 * 1024;

export interface WireBodyOwner {
  /** Whether bytes are to be read of the connection. */
  readBody(wanted: boolean): void;
  /** Some of the answer has been given. */
  readonly isAnswerBegun: boolean;
}

export class WireBody implements BodySource, ChunkSink {
  readonly length: number | undefined;
  readonly #owner: WireBodyOwner;
  #sink: BodySink | undefined = undefined;
  /** What was read before it was wanted. */
  #kept: Buffer[] | undefined = undefined;
  #keptBytes = 0;
  #trailers: string[] | undefined = undefined;
  #failure: Error | undefined = undefined;
  /** Handed on or dropped. */
  #received = 0;
  #waitedSeconds = 0;
  #isStarted = false;
  #isPaused = false;
  #isCancelled = false;
  #isDelivering = false;
  /** All of it has been read. */
  isComplete = false;

  /** `length` undefined: chunked. */
  constructor(owner: WireBodyOwner, length: number | undefined) {
    this.#owner = owner;
    this.length = length;
  }

  start(sink: BodySink): void {
    this.#isStarted = true;
    if (this.#failure !== undefined) {
      sink.onError(this.#failure);
      return;
    }
    this.#sink = sink;
    this.#deliver();
  }

  pause(): void {
    this.#isPaused = true;
    if (!this.isComplete) this.#owner.readBody(false);
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#sink !== undefined) this.#deliver();
  }

  cancel(): void {
    this.#drop();
    if (this.isComplete) return;
    if (this.keepsConnection) this.#owner.readBody(true);
    else if (this.#isStarted) this.#owner.readBody(false);
  }

  /** Somebody still wants what is to come. */
  get isFlowing(): boolean {
    return this.#isStarted && !this.#isCancelled && this.#failure === undefined;
  }

  /** What is unread is so little that it can be dropped and the connection go on. */
  get keepsConnection(): boolean {
    if (this.isComplete) return true;
    if (this.#failure !== undefined) return false;
    return isLittleLeft(this.length, this.#received);
  }

  /**
   * Once a second. False: it comes too slowly. It is nobody's fault but the client's only while
   * it is waited for, and a body whose answer has begun is one half of a conversation.
   */
  keepsPace(minBytesPerSecond: number): boolean {
    if (!this.isFlowing || this.#isPaused || this.isComplete) return true;
    if (this.#owner.isAnswerBegun) return true;
    return !isTooSlow(this.#received, ++this.#waitedSeconds, minBytesPerSecond);
  }

  /** Lets what still comes be read and dropped. */
  discard(): void {
    this.#drop();
    if (!this.isComplete) this.#owner.readBody(true);
  }

  /** Ends the body with an error, now or when it is started. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#kept = undefined;
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onError(error);
  }

  /** For whoever reads the connection. */
  push(chunk: Buffer): void {
    const flows = this.#sink !== undefined && !this.#isPaused && this.#kept === undefined;
    if (flows || this.#isCancelled) {
      this.#received += chunk.length;
      this.#sink?.onData(keep(chunk));
      return;
    }
    (this.#kept ??= []).push(keep(chunk));
    this.#keptBytes += chunk.length;
    if (this.#keptBytes >= MAX_KEPT_BYTES) this.#owner.readBody(false);
  }

  /** For whoever reads the connection: there was the last byte. */
  finish(trailers: string[] | undefined): void {
    this.isComplete = true;
    this.#trailers = trailers;
    if (this.#sink !== undefined && !this.#isPaused && this.#kept === undefined) this.#end();
  }

  /** Pushes on what was kept, then lets more be read. */
  #deliver(): void {
    // Whoever resumes from within `onData` is served by the loop that is under way.
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    while (this.#kept !== undefined && !this.#isPaused) {
      const chunk = this.#kept.shift()!;
      this.#keptBytes -= chunk.length;
      this.#received += chunk.length;
      if (this.#kept.length === 0) this.#kept = undefined;
      // It may have had enough by any of them.
      this.#sink?.onData(chunk);
    }
    this.#isDelivering = false;
    if (this.#isPaused || this.#sink === undefined) return;
    if (this.isComplete) this.#end();
    else this.#owner.readBody(true);
  }

  #end(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onEnd(this.#trailers);
  }

  #drop(): void {
    this.#sink = undefined;
    this.#isCancelled = true;
    this.#kept = undefined;
    this.#keptBytes = 0;
  }
}
