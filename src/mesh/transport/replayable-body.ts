/** A body that several tries may read: what has been pushed is kept, as long as it is little. */
import type { BodySink, BodySource } from './body-source.ts';

/** More than this is not kept, and the body cannot be sent a second time (semantics: retries). */
const REPLAY_MAX_BYTES = 64 * 1024;

/**
 * Stands between one `BodySource` and the tries that send it, one after the other. `open()`
 * gives each try a source of its own that first replays what earlier tries have read. Once all
 * of it is kept, tries may send it side by side.
 */
export class ReplayableBody implements BodySink {
  readonly #source: BodySource;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #started = false;
  /** The reader at work wants no more for now. */
  #held = false;
  #overflowed = false;
  #ended = false;
  #trailers: readonly string[] | undefined;
  #error: Error | undefined;
  #reader: Reader | undefined;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** A further try can still send the whole body. */
  get replayable(): boolean {
    return !this.#overflowed && this.#error === undefined;
  }

  /** All of it was read and is kept. */
  get isWhole(): boolean {
    return this.#ended && this.replayable;
  }

  /** A source for the next try; the previous one hears no more, unless it has heard all. */
  open(): BodySource {
    if (this.isWhole) return new Copy(this.#kept, this.#trailers, this.#source.length);
    this.#reader?.cancel();
    return (this.#reader = new Reader(this, this.#source.length));
  }

  /** No further try will come: reads no more from the client. */
  cancel(): void {
    this.#reader = undefined;
    this.#kept = [];
    if (!this.#ended && this.#error === undefined) this.#source.cancel();
  }

  /** No further try will come: what is kept for it may go. */
  commit(): void {
    this.#overflowed = true;
    this.#kept = [];
  }

  onData(chunk: Uint8Array): void {
    const sink = this.#reader?.sink;
    if (sink === undefined) {
      // Between two tries: a chunk that was on its way when the source was told to pause. A retry
      // is decided already, so it is kept whatever its size, or the next try would miss it.
      if (!this.#overflowed) this.#keep(chunk);
      this.#source.pause();
      return;
    }
    if (!this.#overflowed) {
      if (this.#keptBytes + chunk.length > REPLAY_MAX_BYTES) this.commit();
      else this.#keep(chunk);
    }
    sink.onData(chunk);
  }

  #keep(chunk: Uint8Array): void {
    this.#keptBytes += chunk.length;
    this.#kept.push(chunk);
  }

  onEnd(trailers: readonly string[] | undefined): void {
    this.#ended = true;
    this.#trailers = trailers;
    this.#reader?.sink?.onEnd(trailers);
  }

  onError(error: Error): void {
    this.#error = error;
    this.#reader?.sink?.onError(error);
  }

  /** Replays to a reader what is there already, then lets the source flow. */
  attach(reader: Reader): void {
    const { sink } = reader;
    if (sink === undefined) return;
    this.#held = false;
    for (const chunk of this.#kept) sink.onData(chunk);
    // What was replayed may have ended the try.
    if (reader !== this.#reader) return;
    if (this.#error !== undefined) sink.onError(this.#error);
    else if (this.#ended) sink.onEnd(this.#trailers);
    else if (!this.#started) {
      this.#started = true;
      this.#source.start(this);
    } else if (!this.#held) this.#source.resume();
  }

  /** Holds the client back while the try that reads is slow, or between two tries. */
  hold(reader: Reader): void {
    if (reader !== this.#reader) return;
    this.#held = true;
    if (this.#started && !this.#ended) this.#source.pause();
  }

  release(reader: Reader): void {
    if (reader !== this.#reader) return;
    this.#held = false;
    if (this.#started && !this.#ended) this.#source.resume();
  }

  detach(reader: Reader): void {
    if (reader !== this.#reader) return;
    this.hold(reader);
    this.#reader = undefined;
  }
}

class Reader implements BodySource {
  readonly length: number | undefined;
  sink: BodySink | undefined;
  readonly #body: ReplayableBody;

  constructor(body: ReplayableBody, length: number | undefined) {
    this.#body = body;
    this.length = length;
  }

  start(sink: BodySink): void {
    this.sink = sink;
    this.#body.attach(this);
  }

  pause(): void {
    this.#body.hold(this);
  }

  resume(): void {
    this.#body.release(this);
  }

  /** The try is over; the client's body waits for the next one. */
  cancel(): void {
    this.sink = undefined;
    this.#body.detach(this);
  }
}

/** The whole body, for one try. */
class Copy implements BodySource {
  readonly length: number | undefined;
  readonly #chunks: readonly Uint8Array[];
  readonly #trailers: readonly string[] | undefined;
  #isCancelled = false;

  constructor(
    chunks: readonly Uint8Array[],
    trailers: readonly string[] | undefined,
    length: number | undefined,
  ) {
    this.#chunks = chunks;
    this.#trailers = trailers;
    this.length = length;
  }

  start(sink: BodySink): void {
    for (const chunk of this.#chunks) {
      if (this.#isCancelled) return;
      sink.onData(chunk);
    }
    if (!this.#isCancelled) sink.onEnd(this.#trailers);
  }

  /** It is 64 KiB at most, which the sink has to take at once, as it takes what is replayed. */
  pause(): void {}
  resume(): void {}

  cancel(): void {
    this.#isCancelled = true;
  }
}
