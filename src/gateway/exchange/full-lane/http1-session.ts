/** One HTTP/1 connection: which answers are due on it, whether it goes on, how it ends. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { MeshgateError } from '../../../errors.ts';
import type { Connection } from '../connection.ts';
import { LaneConnection, type ConnectionOrigin } from '../lane-connection.ts';
import { bodyTooSlow } from '../body-pace.ts';
import { clientGone } from '../request-refusals.ts';
import { GOING_AWAY } from '../going-away.ts';
import type { Http1Body } from './http1-body.ts';
import { Http1Idleness } from '../http1-idleness.ts';
import { lingerAfterLastAnswer, lingerClose } from '../http1-linger.ts';
import { Http1Pipeline } from './http1-pipeline.ts';
import { watchHalfClosed } from '../http1-presence.ts';
import {
  HEAD_LATE,
  toHttp1Bytes,
  toHttp1Refusal,
  type Http1ClientError,
} from '../http1-refusal.ts';
import type { Http1Surroundings } from '../http1-surroundings.ts';

/** A request whose answer has not left yet. */
export interface Http1Exchange {
  /** All of its answer is on its way. */
  readonly ended: boolean;
  /** Nothing of its answer has been sent. */
  readonly unanswered: boolean;
  /** No answer has begun, and the client knows interim ones. */
  readonly mayBeInterim: boolean;
  /** The connection is gone. */
  clientGone(): void;
}

export class Http1Session {
  readonly socket: Socket;
  readonly surroundings: Http1Surroundings;
  /** No further request of this connection is served. */
  closing = false;
  /** The last answer that is due says `Connection: close`. */
  draining = false;
  /** The handed-over bytes, once the connection was upgraded. */
  tunnel: Socket | undefined = undefined;
  /** The body that the parser is in, or was in last. */
  body: Http1Body | undefined = undefined;
  /** One is served at a time: others of a pipeline wait, or a client could have hundreds by one packet. */
  #current: Http1Exchange | undefined = undefined;
  #pipeline: Http1Pipeline | undefined = undefined;
  readonly #origin: ConnectionOrigin;
  readonly #http11: Connection;
  #http10: Connection | undefined = undefined;
  #requests: number;
  /** The newest request said `Connection: close`: the client asks for no more. */
  #lastAsked = false;
  #refusal: MeshgateError | undefined = undefined;
  #broken = false;
  /** A head was late while nothing was read; by when it must have come, once that goes on. */
  #excused = false;
  #headDueMs = Infinity;
  /** node:http was not told to close after the answer, so that is left to do. */
  #closesItself = false;
  readonly #idleness: Http1Idleness;

  /** `served`: requests of the connection before. */
  constructor(
    socket: Socket,
    origin: ConnectionOrigin,
    surroundings: Http1Surroundings,
    served: number,
  ) {
    this.socket = socket;
    this.#requests = served;
    this.surroundings = surroundings;
    this.#origin = origin;
    this.#http11 = new LaneConnection(surroundings.view, origin, 'http/1.1');
    this.#idleness = new Http1Idleness(socket, surroundings.clock.monotonic());
  }

  /** No answer is due. */
  get idle(): boolean {
    return this.#current === undefined && this.tunnel === undefined;
  }

  /** An answer is due, and a further request has to wait. */
  get busy(): boolean {
    return this.#current !== undefined;
  }

  /** Milliseconds without an answer due and without a byte of a next request; -1: not idle. */
  idleFor(nowMs: number): number {
    return this.idle ? this.#idleness.lasts(nowMs) : -1;
  }

  /** Not one byte of a request has come. */
  get untouched(): boolean {
    return this.#requests === 0 && this.socket.bytesRead === 0;
  }

  connection(minorVersion: number): Connection {
    if (minorVersion === 1) return this.#http11;
    return (this.#http10 ??= new LaneConnection(this.surroundings.view, this.#origin, 'http/1.0'));
  }

  /** A request has come, of which the head is known. */
  received(response: ServerResponse, body: Http1Body | undefined): void {
    this.body = body;
    this.#lastAsked = !response.shouldKeepAlive;
    this.#headDueMs = Infinity;
    const most = this.surroundings.limits.maxRequestsPerConnection;
    if (++this.#requests >= most && most > 0) this.closeWith(response);
  }

  /** Has a request served when those before it have been answered. */
  serveLater(serve: () => void): void {
    (this.#pipeline ??= new Http1Pipeline(this.socket)).add(serve);
  }

  /** A request is being served. */
  opened(exchange: Http1Exchange): void {
    this.#current = exchange;
  }

  /** Before a head is written: whether the connection ends with this answer. */
  settleHead(response: ServerResponse, body: Http1Body | undefined): void {
    // A pipelined answer that is not the last may not close: those behind it would be lost.
    if (this.#pipeline?.isEmpty === false) return;
    // Nor may one with a refusal behind it, which closes by itself.
    if (this.#refusal !== undefined) return;
    if (body !== undefined && !body.complete && !body.flowing && !body.keepsConnection) {
      lingerAfterLastAnswer(this.socket);
      this.closeWith(response);
    } else if (this.draining || this.closing) {
      this.closeWith(response);
    }
  }

  /** When an answer has been written whole while its request is still coming in. */
  settleEnd(body: Http1Body): void {
    if (body.complete || body.keepsConnection || this.closing) return;
    this.closeWhenAnswered();
  }

  /** The answer says `Connection: close`, and nothing behind it is served. */
  closeWith(response: ServerResponse): void {
    this.closing = true;
    response.shouldKeepAlive = false;
  }

  /** The answer that is due is the last: what has come behind it is not served. */
  closeAfter(): void {
    this.closing = true;
    this.#pipeline?.clear();
  }

  /** Ends the connection after the answers that are due, although their heads promised more. */
  closeWhenAnswered(): void {
    this.closing = true;
    this.#closesItself = true;
    lingerAfterLastAnswer(this.socket);
  }

  /** An answer has left, or became a tunnel. */
  answered(): void {
    this.#current = undefined;
    if (this.#pipeline?.isEmpty === false) {
      this.#serveNext(this.#pipeline);
      return;
    }
    if (this.#refusal !== undefined) {
      this.#sendRefusal(this.#refusal);
    } else if (this.#closesItself && this.tunnel === undefined) {
      this.body?.discard();
      lingerClose(this.socket);
    }
  }

  #serveNext(pipeline: Http1Pipeline): void {
    const wasHeld = pipeline.held;
    const serve = pipeline.next()!;
    if (wasHeld && !pipeline.held && this.#excused) {
      this.#excused = false;
      const { clock, limits } = this.surroundings;
      this.#headDueMs = clock.monotonic() + limits.headerTimeoutMs;
    }
    serve();
  }

  /** Once a second. */
  second(nowMs: number): void {
    const { minBodyRate } = this.surroundings.limits;
    if (nowMs >= this.#headDueMs) {
      this.#headDueMs = Infinity;
      this.failed({ code: HEAD_LATE, message: 'the rest of the head did not come' });
    } else if (minBodyRate > 0 && this.body?.keepsPace(minBodyRate) === false) {
      this.body.fail(bodyTooSlow());
      this.closeWhenAnswered();
    }
  }

  /** node:http could not go on with the bytes, or the socket failed. */
  failed(error: Http1ClientError): void {
    // While it lingers, the rest of bad bytes fails again and again.
    if (this.#broken) return;
    // It could not come: for the requests before it we read no further.
    if (error.code === HEAD_LATE && this.#pipeline?.held === true) {
      this.#excused = true;
      return;
    }
    this.#broken = true;
    const { socket, body } = this;
    const isAmidBody = body !== undefined && !body.complete;
    // A connection that never asked gets no answer; nor is one read by a client that has left.
    const refusal =
      error.code === HEAD_LATE && this.untouched
        ? undefined
        : toHttp1Refusal(error, this.surroundings.limits);
    if (refusal === undefined) {
      // First: what is made of the failure is for the log alone, and no answer.
      socket.destroy();
      if (isAmidBody) body.fail(clientGone(error));
    } else if (isAmidBody) {
      body.fail(refusal);
      this.closeWhenAnswered();
      if (!this.busy) lingerClose(socket);
    } else {
      this.refuse(refusal);
    }
  }

  /**
   * The client has ended its side. One that had said that it asks for no more waits for its
   * answers; any other has left, as most do that close a connection. So has one that ends in the
   * middle of an answer: it had all the time before, and a stream that pauses would not find out.
   */
  halfClosed(): void {
    const exchange = this.#current;
    if (exchange === undefined || this.socket.destroyed) return;
    const isServed = this.#pipeline?.isEmpty !== false && exchange.ended;
    const waits = this.#lastAsked && exchange.unanswered;
    if (!waits && !isServed) {
      this.socket.destroy();
      return;
    }
    this.closing = true;
    watchHalfClosed(this.socket, () => this.#current?.mayBeInterim === true);
  }

  /** Answers bytes that are no request, after the answers that are due, and closes. */
  refuse(error: MeshgateError): void {
    if (this.closing) return;
    this.closing = true;
    if (this.busy) this.#refusal = error;
    else this.#sendRefusal(error);
  }

  #sendRefusal(error: MeshgateError): void {
    const { door, clock } = this.surroundings;
    const { socket } = this;
    this.#refusal = undefined;
    const answer = door.refuse(this.#http11, error);
    if (socket.writable) socket.write(toHttp1Bytes(answer, clock.now()));
    lingerClose(socket);
  }

  /** Breaks the connection so that the answer cannot pass for complete. */
  cut(framed: boolean): void {
    this.closing = true;
    // Without Content-Length or chunks only RST tells a broken answer from a complete one.
    if (framed || this.socket instanceof TLSSocket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** The socket has closed. */
  gone(): void {
    this.closing = true;
    this.#pipeline?.clear();
    this.#current?.clientGone();
    this.#current = undefined;
  }

  /** Takes leave: a tunnel is told, an exchange's answer will say close. */
  drain(): void {
    this.draining = true;
    this.tunnel?.emit(GOING_AWAY);
  }
}
