/** Sends one answer over HTTP/1, by node:http's ServerResponse. */
import { STATUS_CODES, ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Duplex } from 'node:stream';
import { keep } from '../../../mesh/transport/read-memory.ts';
import type { HeaderFields } from '../../../plugins/sdk/header-fields.ts';
import { sameName } from '../../../plugins/sdk/header-fields.ts';
import type { Http1Body, Http1Request } from './http1-body.ts';
import { AnswerFraming, lengthAtOnce } from '../answer-framing.ts';
import { renderHttp1Head } from '../http1-refusal.ts';
import type { Http1Exchange, Http1Session } from './http1-session.ts';
import type { Downstream, DownstreamObserver } from '../lane.ts';

/** A response that knows its downstream, so that its listeners need no closures. */
export class Http1Response extends ServerResponse<Http1Request> {
  downstream: Http1Downstream | undefined = undefined;
}

type Phase = 'waiting' | 'sending' | 'ended' | 'over';

/** An answer that is at once larger than this is watched for a client that does not read it. */
const WATCHED_BYTES = 64 * 1024;

export class Http1Downstream implements Downstream, Http1Exchange {
  readonly #framing = new AnswerFraming();
  observer: DownstreamObserver | undefined = undefined;
  readonly #session: Http1Session;
  readonly #response: Http1Response;
  readonly #body: Http1Body | undefined;
  readonly #http10: boolean;
  readonly #headOnly: boolean;
  #phase: Phase = 'waiting';
  /** The head, until it is written: field lines, and what is before them. */
  #unsent: string[] | undefined = undefined;
  #status = 0;
  #reason = '';
  #hearsDrain = false;

  constructor(
    session: Http1Session,
    request: Http1Request,
    response: Http1Response,
    body: Http1Body | undefined,
  ) {
    this.#session = session;
    this.#response = response;
    this.#body = body;
    this.#http10 = request.httpVersionMinor === 0;
    this.#headOnly = request.method === 'HEAD';
    response.downstream = this;
    response.on('finish', onFinish);
    session.opened(this);
  }

  informational(status: number, headers: readonly string[]): void {
    // 100 is sent when the body starts, 101 by `upgrade`.
    if (this.#http10 || this.#phase !== 'waiting' || status === 100 || status === 101) return;
    this.#session.socket.write(
      renderHttp1Head(status, STATUS_CODES[status] ?? '', headers),
      'latin1',
    );
  }

  head(status: number, reason: string, headers: HeaderFields, length?: number): void {
    if (this.#phase !== 'waiting') return;
    // HTTP/2 knows no reasons, and some clients know no answer without one.
    const words = reason === '' ? (STATUS_CODES[status] ?? '') : reason;
    this.#prepareHead(status, words, headers.raw, length);
    this.#phase = 'sending';
    // An upstream's head mostly comes with the first of its body: one write for both.
    process.nextTick(flushHead, this);
  }

  retract(): boolean {
    if (this.#phase !== 'sending' || this.#unsent === undefined) return false;
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
    if (!this.#writeHead()) return true;
    this.#framing.bytesSent += chunk.length;
    if (this.#response.write(keep(chunk))) return true;
    this.#awaitDrain();
    return false;
  }

  end(trailers?: readonly string[]): void {
    if (this.#phase !== 'sending') return;
    if (this.#framing.isShort) {
      this.abort();
      return;
    }
    if (!this.#writeHead()) return;
    this.#phase = 'ended';
    if (this.#body !== undefined) this.#session.settleEnd(this.#body);
    if (
      trailers !== undefined &&
      this.#framing.announced < 0 &&
      !this.#http10 &&
      !this.#framing.isBodiless
    ) {
      const pairs: [string, string][] = [];
      for (let i = 0; i < trailers.length; i += 2) pairs.push([trailers[i]!, trailers[i + 1]!]);
      this.#response.addTrailers(pairs);
    }
    this.#response.end();
  }

  answer(status: number, headers: readonly string[], body: Uint8Array | string | undefined): void {
    if (this.#phase !== 'waiting') return;
    const length = lengthAtOnce(status, this.#headOnly, body);
    this.#prepareHead(status, STATUS_CODES[status] ?? '', headers, length);
    if (!this.#writeHead()) return;
    this.#phase = 'ended';
    if (this.#framing.isBodiless || body === undefined) {
      this.#response.end();
    } else {
      this.#framing.bytesSent = this.#framing.announced;
      this.#response.end(body);
      if (this.#framing.bytesSent > WATCHED_BYTES) this.#watch();
    }
    if (this.#body !== undefined) this.#session.settleEnd(this.#body);
  }

  closeAfter(): void {
    this.#session.closeAfter();
  }

  abort(): void {
    if (this.#phase === 'over') return;
    const framed = this.#phase === 'waiting' || this.#framing.announced >= 0 || !this.#http10;
    this.#phase = 'over';
    this.#session.cut(framed);
  }

  upgrade(status: number, _reason: string, headers: readonly string[]): Duplex {
    const session = this.#session;
    const { socket } = session;
    const lines: string[] = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!;
      if (sameName(name, 'connection') || sameName(name, 'upgrade')) continue;
      validateHeaderName(name);
      validateHeaderValue(name, headers[i + 1]!);
      lines.push(name, headers[i + 1]!);
    }
    this.#phase = 'over';
    this.#response.detachSocket(socket);
    session.tunnel = socket;
    session.answered();
    socket.setTimeout(0);
    socket.write(renderHttp1Head(status, STATUS_CODES[status] ?? '', lines), 'latin1');
    if (session.draining) session.drain();
    return socket;
  }

  get ended(): boolean {
    return this.#phase === 'ended';
  }

  get unanswered(): boolean {
    return this.#phase === 'waiting';
  }

  get mayBeInterim(): boolean {
    return this.unanswered && !this.#http10;
  }

  clientGone(): void {
    this.#phase = 'over';
    this.observer?.onClosed(false, this.#framing.bytesSent);
  }

  /** For the response's listeners alone. */
  finished(): void {
    this.#phase = 'over';
    // A rest that nobody reads would hold up the next request of the connection.
    if (this.#body?.complete === false) this.#body.discard();
    this.#session.answered();
    this.observer?.onClosed(true, this.#framing.bytesSent);
  }

  /** For the response's listeners, and for the socket's of an upgrade that was refused. */
  drained(): void {
    if (!this.#hearsDrain || this.#phase !== 'sending') return;
    this.#response.socket?.setTimeout(0);
    this.observer?.onDrain();
  }

  flushHead(): void {
    if (this.#unsent === undefined || this.#phase !== 'sending') return;
    if (this.#writeHead()) this.#response.flushHeaders();
  }

  #prepareHead(
    status: number,
    reason: string,
    headers: readonly string[],
    length: number | undefined,
  ): void {
    const lines = headers.slice();
    this.#status = status;
    this.#reason = reason;
    this.#unsent = lines;
    const said = this.#framing.settle(status, this.#headOnly, length);
    if (said !== undefined) lines.push('Content-Length', String(said));
  }

  /** False: what should have been sent cannot be, and the exchange is broken off. */
  #writeHead(): boolean {
    const lines = this.#unsent;
    if (lines === undefined) return true;
    this.#unsent = undefined;
    const response = this.#response;
    this.#session.settleHead(response, this.#body);
    try {
      response.writeHead(this.#status, this.#reason, lines);
    } catch {
      // A status or a field that no HTTP/1 message can carry.
      this.abort();
      return false;
    }
    return true;
  }

  #awaitDrain(): void {
    if (!this.#hearsDrain) {
      this.#hearsDrain = true;
      this.#response.on('drain', onDrain);
    }
    this.#watch();
  }

  /** A client that takes nothing for the idle time is cut off; node:http destroys on 'timeout'. */
  #watch(): void {
    this.#response.socket?.setTimeout(this.#session.surroundings.limits.idleTimeoutMs);
  }
}

function onFinish(this: Http1Response): void {
  this.downstream!.finished();
}

function onDrain(this: Http1Response): void {
  this.downstream!.drained();
}

function flushHead(downstream: Http1Downstream): void {
  downstream.flushHead();
}
