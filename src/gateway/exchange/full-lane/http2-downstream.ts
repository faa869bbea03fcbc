/** Sends one answer over an HTTP/2 stream. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { keep } from '../../../mesh/transport/read-memory.ts';
import type { HeaderFields } from '../../../plugins/sdk/header-fields.ts';
import { bodyTooSlow } from '../body-pace.ts';
import { AnswerFraming, lengthAtOnce } from '../answer-framing.ts';
import { GOING_AWAY } from '../going-away.ts';
import type { Http2Body } from './http2-body.ts';
import type { Downstream, DownstreamObserver } from '../lane.ts';

const DOWNSTREAM = Symbol('http2Downstream');
type AnswerStream = ServerHttp2Stream & { [DOWNSTREAM]?: Http2Downstream };

type Phase = 'waiting' | 'sending' | 'ended' | 'over' | 'tunnel';

/** What the connection must know of its streams. */
export interface Http2StreamOwner {
  readonly idleTimeoutMs: number;
  /** The exchange is over; the stream has closed. */
  closed(downstream: Http2Downstream): void;
}

export class Http2Downstream implements Downstream {
  readonly #framing = new AnswerFraming();
  observer: DownstreamObserver | undefined = undefined;
  readonly #stream: AnswerStream;
  readonly #owner: Http2StreamOwner;
  readonly #body: Http2Body | undefined;
  readonly #headOnly: boolean;
  #phase: Phase = 'waiting';
  #hearsDrain = false;
  #aborted = false;
  /** The head's fields, until they are sent. */
  #unsent: string[] | undefined = undefined;
  #trailers: readonly string[] | undefined = undefined;

  constructor(
    stream: ServerHttp2Stream,
    owner: Http2StreamOwner,
    body: Http2Body | undefined,
    headOnly: boolean,
  ) {
    this.#stream = stream;
    this.#owner = owner;
    this.#body = body;
    this.#headOnly = headOnly;
    this.#stream[DOWNSTREAM] = this;
    // A reset is told by 'close'; unheard, 'error' would be thrown.
    stream.on('error', ignore).on('close', onClose);
  }

  informational(status: number, headers: readonly string[]): void {
    if (this.#phase !== 'waiting' || status === 100 || status === 101 || this.#dead) return;
    try {
      this.#stream.additionalHeaders({ ':status': status, ...toFieldRecord(headers) });
    } catch {
      // An interim answer that cannot be said in HTTP/2 is not missed.
    }
  }

  head(status: number, _reason: string, headers: HeaderFields, length?: number): void {
    if (this.#phase !== 'waiting') return;
    this.#phase = 'sending';
    this.#unsent = this.#toLines(status, headers.raw, length);
    // An answer that ends with its head ends in the same tick, and must be one frame: a gRPC
    // client takes `grpc-status` of a head for its trailers only where END_STREAM is on it.
    process.nextTick(flushHead, this);
  }

  retract(): boolean {
    if (this.#phase !== 'sending' || this.#unsent === undefined || this.#dead) return false;
    this.#unsent = undefined;
    this.#phase = 'waiting';
    return true;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#phase !== 'sending' || this.#framing.isBodiless || chunk.length === 0) return true;
    if (this.#framing.isExceededBy(chunk)) {
      this.abort();
      return true;
    }
    this.#framing.bytesSent += chunk.length;
    this.flushHead();
    if (this.#stream.write(keep(chunk))) return true;
    if (!this.#hearsDrain) {
      this.#hearsDrain = true;
      this.#stream.on('drain', onDrain).on('timeout', onTimeout);
    }
    this.#stream.setTimeout(this.#owner.idleTimeoutMs);
    return false;
  }

  end(trailers?: readonly string[]): void {
    if (this.#phase !== 'sending') return;
    if (this.#framing.isShort) {
      this.abort();
      return;
    }
    if (trailers !== undefined) this.flushHead();
    this.#phase = 'ended';
    if (this.#unsent !== undefined) {
      this.#respond(true);
      this.#letGoOfBody();
      return;
    }
    this.#trailers = trailers;
    this.#stream.end();
    if (this.#framing.isBodiless) this.#letGoOfBody();
  }

  answer(status: number, headers: readonly string[], body: Uint8Array | string | undefined): void {
    if (this.#phase !== 'waiting') return;
    this.#phase = 'ended';
    this.#unsent = this.#toLines(status, headers, lengthAtOnce(status, this.#headOnly, body));
    const hasBody = this.#framing.announced > 0;
    if (!this.#respond(!hasBody)) return;
    if (hasBody) {
      this.#framing.bytesSent = this.#framing.announced;
      this.#stream.end(body);
    }
    this.#letGoOfBody();
  }

  /** Streams have nothing to do with each other. */
  closeAfter(): void {}

  abort(): void {
    if (this.#phase === 'over') return;
    this.#aborted = true;
    if (!this.#dead) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  upgrade(_status: number, _reason: string, headers: readonly string[]): Duplex {
    const lines: string[] = [':status', '200'];
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!.toLowerCase();
      // RFC 8441 §5: these belong to the HTTP/1.1 handshake.
      if (name === 'connection' || name === 'upgrade' || name === 'sec-websocket-accept') continue;
      lines.push(name, headers[i + 1]!);
    }
    this.#phase = 'tunnel';
    if (!this.#dead) this.#stream.respond(lines);
    return this.#stream;
  }

  /** Once a second. */
  second(minBodyRate: number): void {
    if (this.#body?.keepsPace(minBodyRate) === false) this.#body.fail(bodyTooSlow());
  }

  /** Tells a tunnel to take its leave. */
  drain(): void {
    if (this.#phase === 'tunnel') this.#stream.emit(GOING_AWAY);
  }

  /** Sends the head without waiting for what comes next. */
  flushHead(): void {
    if (this.#unsent !== undefined) this.#respond(false);
  }

  /** For the stream's listeners alone, as are those below. */
  closed(): void {
    const wasTunnel = this.#phase === 'tunnel';
    const complete = this.#complete;
    this.#phase = 'over';
    this.#owner.closed(this);
    if (!wasTunnel) this.observer?.onClosed(complete, this.#framing.bytesSent);
    this.#body?.gone();
  }

  drained(): void {
    if (this.#phase === 'over' || this.#dead) return;
    this.#stream.setTimeout(0);
    if (this.#phase === 'sending') this.observer?.onDrain();
  }

  sendTrailers(): void {
    try {
      this.#stream.sendTrailers(toFieldRecord(this.#trailers ?? []));
    } catch {
      // Trailers that HTTP/2 cannot carry: without them the answer is not complete.
      this.abort();
      return;
    }
    // node sends them by setImmediate, so they go before this.
    if (this.#body?.complete === false) setImmediate(letGo, this.#stream);
  }

  get #dead(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  get #complete(): boolean {
    const stream = this.#stream;
    return (
      this.#phase === 'ended' &&
      !this.#aborted &&
      stream.writableFinished &&
      stream.rstCode === constants.NGHTTP2_NO_ERROR
    );
  }

  #toLines(status: number, headers: readonly string[], length: number | undefined): string[] {
    const lines: string[] = [':status', String(status), ...headers];
    const said = this.#framing.settle(status, this.#headOnly, length);
    if (said !== undefined) lines.push('content-length', String(said));
    return lines;
  }

  /** False: the answer cannot be said in HTTP/2, or nobody is there; it is broken off. */
  #respond(endStream: boolean): boolean {
    const stream = this.#stream;
    const lines = this.#unsent!;
    this.#unsent = undefined;
    if (this.#dead) return false;
    const streaming = !this.#framing.isBodiless && this.#phase === 'sending';
    try {
      // Waiting for trailers also keeps node from saying END_STREAM for an answer that is
      // aborted: it ends the writable side before it resets the stream.
      stream.respond(lines, { endStream, waitForTrailers: streaming });
    } catch {
      this.abort();
      return false;
    }
    if (streaming) stream.on('wantTrailers', onWantTrailers);
    return true;
  }

  /** RFC 9113 §8.1: an answer without the whole request is followed by RST_STREAM(NO_ERROR). */
  #letGoOfBody(): void {
    if (this.#body?.complete === false) letGo(this.#stream);
  }
}

function ignore(): void {}

/** As node wants interim answers and trailers. Without a prototype: an upstream may name a field `constructor`. */
function toFieldRecord(lines: readonly string[]): Record<string, string[]> {
  const record = Object.create(null) as Record<string, string[]>;
  for (let i = 0; i < lines.length; i += 2) {
    (record[lines[i]!.toLowerCase()] ??= []).push(lines[i + 1]!);
  }
  return record;
}

function flushHead(downstream: Http2Downstream): void {
  downstream.flushHead();
}

function onClose(this: AnswerStream): void {
  this[DOWNSTREAM]!.closed();
}

function onDrain(this: AnswerStream): void {
  this[DOWNSTREAM]!.drained();
}

/** The client has taken nothing for the idle time. */
function onTimeout(this: AnswerStream): void {
  this[DOWNSTREAM]!.abort();
}

function onWantTrailers(this: AnswerStream): void {
  this[DOWNSTREAM]!.sendTrailers();
}

function letGo(stream: AnswerStream): void {
  if (stream.destroyed) return;
  if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
  // What has come of the body and was not read would keep node from ever emitting 'close'.
  stream.resume();
}
