/** The body of an HTTP/1 request, over node:http's IncomingMessage. */
import { IncomingMessage, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { sameName } from '../../../plugins/sdk/header-fields.ts';
import type { BodySink, BodySource } from '../../../mesh/transport/body-source.ts';
import { isTooSlow } from '../body-pace.ts';
import { isLittleLeft } from '../http1-leftover.ts';
import { clientGone } from '../request-refusals.ts';

/** A request that knows its body, so that its listeners need no closures. */
export class Http1Request extends IncomingMessage {
  source: Http1Body | undefined = undefined;
  /** It asked for another protocol and does not get it. */
  declinedUpgrade = false;
  /** What `headers` gave. */
  asked: IncomingHttpHeaders | undefined = undefined;
}

/** None of the fields that node:http asks for. */
const NO_FIELDS: IncomingHttpHeaders = Object.freeze({});

// All are in `rawHeaders`, which is what we read. node:http itself asks for three, and would make
// a dictionary of all of them for each request.
Object.defineProperty(Http1Request.prototype, 'headers', {
  get(this: Http1Request): IncomingHttpHeaders {
    return (this.asked ??= fieldsForNode(this.rawHeaders));
  },
});

/** By the length of their names. */
const FIELDS_FOR_NODE = new Map([
  [6, 'expect'],
  [14, 'content-length'],
  [17, 'transfer-encoding'],
] as const);

function fieldsForNode(raw: readonly string[]): IncomingHttpHeaders {
  let found = NO_FIELDS;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const wanted = FIELDS_FOR_NODE.get(name.length as 6);
    if (wanted === undefined || !sameName(name, wanted)) continue;
    if (found === NO_FIELDS) found = {};
    const before = found[wanted];
    found[wanted] = before === undefined ? raw[i + 1]! : `${before}, ${raw[i + 1]!}`;
  }
  return found;
}

export class Http1Body implements BodySource {
  readonly length: number | undefined;
  readonly #request: Http1Request;
  readonly #response: ServerResponse;
  #sink: BodySink | undefined = undefined;
  #failure: Error | undefined = undefined;
  #received = 0;
  #paused = false;
  #waitedSeconds = 0;
  #started = false;
  #cancelled = false;
  #owes100: boolean;

  /** `length` undefined: chunked. `expectContinue`: 100 is sent when the body starts. */
  constructor(
    request: Http1Request,
    response: ServerResponse,
    length: number | undefined,
    expectContinue: boolean,
  ) {
    this.#request = request;
    this.#response = response;
    this.length = length;
    this.#owes100 = expectContinue;
  }

  start(sink: BodySink): void {
    this.#started = true;
    if (this.#failure !== undefined) {
      sink.onError(this.#failure);
      return;
    }
    this.#sink = sink;
    if (this.#owes100 && !this.#response.headersSent) {
      this.#owes100 = false;
      this.#response.writeContinue();
    }
    const request = this.#request;
    request.source = this;
    request.on('data', onData).on('end', onEnd).on('error', onError);
  }

  pause(): void {
    this.#paused = true;
    this.#request.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#request.resume();
  }

  cancel(): void {
    this.#sink = undefined;
    this.#cancelled = true;
    if (this.keepsConnection) this.#request.resume();
    else if (this.#started) this.#request.pause();
  }

  /** Somebody still wants what is to come. */
  get flowing(): boolean {
    return this.#started && !this.#cancelled && this.#failure === undefined;
  }

  get complete(): boolean {
    return this.#request.complete;
  }

  /** What is unread is so little that it can be dropped and the connection go on. */
  get keepsConnection(): boolean {
    if (this.#request.complete) return true;
    // Nobody knows whether the client will still send it (RFC 9110 §10.1.1).
    if (this.#owes100 || this.#failure !== undefined) return false;
    return isLittleLeft(this.length, this.#received);
  }

  /**
   * Once a second. False: it comes too slowly. It is nobody's fault but the client's only while
   * it is waited for, and a body whose answer has begun is one half of a conversation.
   */
  keepsPace(minBytesPerSecond: number): boolean {
    if (!this.flowing || this.#paused || this.complete || this.#response.headersSent) return true;
    return !isTooSlow(this.#received, ++this.#waitedSeconds, minBytesPerSecond);
  }

  /** Lets what still comes be read and dropped. */
  discard(): void {
    this.#sink = undefined;
    this.#cancelled = true;
    this.#request.resume();
  }

  /** Ends the body with an error, now or when it is started. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onError(error);
  }

  /** For the request's listeners alone. */
  received(chunk: Buffer): void {
    this.#received += chunk.length;
    this.#sink?.onData(chunk);
  }

  /** For the request's listeners alone. */
  ended(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    const trailers = this.#request.rawTrailers;
    sink?.onEnd(trailers.length === 0 ? undefined : trailers);
  }
}

function onData(this: Http1Request, chunk: Buffer): void {
  this.source!.received(chunk);
}

function onEnd(this: Http1Request): void {
  this.source!.ended();
}

function onError(this: Http1Request, error: Error): void {
  this.source!.fail(clientGone(error));
}
