/** The body of an HTTP/2 request, over its stream. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { BodySink, BodySource } from '../../../mesh/transport/body-source.ts';
import { isTooSlow } from '../body-pace.ts';
import { clientGone } from '../request-refusals.ts';
import type { Http2Budget } from './http2-budget.ts';

const BODY = Symbol('http2Body');
type BodyStream = ServerHttp2Stream & { [BODY]?: Http2Body };

export class Http2Body implements BodySource {
  readonly length: number | undefined;
  readonly #stream: BodyStream;
  readonly #budget: Http2Budget;
  #sink: BodySink | undefined = undefined;
  #trailers: readonly string[] | undefined = undefined;
  #owes100: boolean;
  #listening = false;
  #failure: Error | undefined = undefined;
  #received = 0;
  #paused = false;
  #waitedSeconds = 0;
  /** The client has sent all of it. */
  complete = false;

  constructor(
    stream: BodyStream,
    length: number | undefined,
    expectContinue: boolean,
    budget: Http2Budget,
  ) {
    this.#stream = stream;
    this.length = length;
    this.#owes100 = expectContinue;
    this.#budget = budget;
    stream[BODY] = this;
    // They do not wait to be read as data does, and may all have come before anybody starts.
    stream.on('trailers', onTrailers);
  }

  start(sink: BodySink): void {
    const stream = this.#stream;
    if (this.#failure !== undefined || stream.destroyed || stream.closed) {
      sink.onError(this.#failure ?? clientGone());
      return;
    }
    this.#sink = sink;
    if (this.#owes100 && !stream.headersSent) stream.additionalHeaders({ ':status': 100 });
    this.#owes100 = false;
    this.#listen();
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#stream.resume();
  }

  /** The rest is not drained: the stream's window closes, and its end resets it. */
  cancel(): void {
    this.#sink = undefined;
    this.#stream.pause();
  }

  /** The stream has closed. */
  gone(): void {
    this.fail(clientGone());
  }

  /** Ends the body with an error, now or when it is started. */
  fail(error: Error): void {
    if (this.complete || this.#failure !== undefined) return;
    this.#failure = error;
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onError(error);
  }

  /**
   * Once a second. False: it comes too slowly, as `Http1Body` has it. A body without a length is a
   * stream here, such as gRPC's, and may be silent for as long as the idle time.
   */
  keepsPace(minBytesPerSecond: number): boolean {
    if (this.#sink === undefined || this.#paused || this.complete) return true;
    if (this.length === undefined || this.#stream.headersSent) return true;
    return !isTooSlow(this.#received, ++this.#waitedSeconds, minBytesPerSecond);
  }

  /** For the stream's listeners alone. */
  received(chunk: Buffer): void {
    this.#received += chunk.length;
    this.#budget.used(chunk.length);
    this.#sink?.onData(chunk);
  }

  /** For the stream's listeners alone. */
  trailed(trailers: readonly string[]): void {
    this.#trailers = trailers;
  }

  /** For the stream's listeners alone. */
  ended(): void {
    // node ends the readable side of a reset stream as if the client had ended it.
    if (this.#stream.aborted || this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR) {
      this.gone();
      return;
    }
    this.complete = true;
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onEnd(this.#trailers);
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#stream.on('data', onData).on('end', onEnd);
  }
}

function onData(this: BodyStream, chunk: Buffer): void {
  this[BODY]!.received(chunk);
}

function onEnd(this: BodyStream): void {
  this[BODY]!.ended();
}

function onTrailers(
  this: BodyStream,
  _fields: unknown,
  _flags: number,
  raw: readonly string[],
): void {
  this[BODY]!.trailed(raw);
}
