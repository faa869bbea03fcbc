/** One HTTP/1 connection: which answers are due on it, whether it goes on, how it ends. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { MeshgateError } from '../../errors.ts';
import type { Clock } from '../../plugins/sdk/plugin-context.ts';
import type { Connection } from './connection.ts';
import {
  LaneConnection,
  type ConnectionOrigin,
  type ListenerView,
} from './full-lane-connection.ts';
import { clientGone } from './full-lane-refusals.ts';
import { GOING_AWAY } from './going-away.ts';
import type { Http1Body } from './http1-body.ts';
import type { Http1Limits } from './http1-intake.ts';
import { lingerAfterLastAnswer, lingerClose } from './http1-linger.ts';
import { toHttp1Bytes, toHttp1Refusal, type Http1ClientError } from './http1-refusal.ts';
import type { Door } from './lane.ts';

/** A request whose answer has not left yet. */
export interface Http1Exchange {
  /** The connection is gone. */
  clientGone(): void;
}

/** What the connections of one server share. */
export interface Http1Surroundings {
  readonly door: Door;
  readonly view: ListenerView;
  readonly clock: Clock;
  readonly limits: Http1Limits & {
    readonly idleTimeoutMs: number;
    /** 0: no limit. */
    readonly maxRequestsPerConnection: number;
  };
}

export class Http1Session {
  readonly socket: Socket;
  readonly surroundings: Http1Surroundings;
  /** No further request of this connection is served. */
  closing = false;
  /** The newest exchange says `Connection: close`. */
  draining = false;
  /** The handed-over bytes, once the connection was upgraded. */
  tunnel: Socket | undefined = undefined;
  /** The body that the parser is in, or was in last. */
  body: Http1Body | undefined = undefined;
  readonly #open = new Set<Http1Exchange>();
  readonly #origin: ConnectionOrigin;
  readonly #http11: Connection;
  #http10: Connection | undefined = undefined;
  #newest: Http1Exchange | undefined = undefined;
  #requests = 0;
  #refusal: MeshgateError | undefined = undefined;
  #broken = false;
  /** node:http was not told to close after the answer, so that is left to do. */
  #closesItself = false;
  /** By the monotonic clock: when the last answer left, or a byte was last seen to have come. */
  #idleSinceMs: number;
  #bytesSeen = 0;

  constructor(socket: Socket, origin: ConnectionOrigin, surroundings: Http1Surroundings) {
    this.socket = socket;
    this.surroundings = surroundings;
    this.#origin = origin;
    this.#http11 = new LaneConnection(surroundings.view, origin, 'http/1.1');
    this.#idleSinceMs = surroundings.clock.monotonic();
  }

  /** No answer is due. */
  get idle(): boolean {
    return this.#open.size === 0 && this.tunnel === undefined;
  }

  /** Milliseconds without an answer due and without a byte of a next request; -1: not idle. */
  idleFor(nowMs: number): number {
    if (!this.idle) return -1;
    const { bytesRead } = this.socket;
    if (bytesRead !== this.#bytesSeen) {
      this.#bytesSeen = bytesRead;
      this.#idleSinceMs = nowMs;
    }
    return nowMs - this.#idleSinceMs;
  }

  /** Not one byte of a request has come. */
  get untouched(): boolean {
    return this.#requests === 0 && this.socket.bytesRead === 0;
  }

  connection(minorVersion: number): Connection {
    if (minorVersion === 1) return this.#http11;
    return (this.#http10 ??= new LaneConnection(this.surroundings.view, this.#origin, 'http/1.0'));
  }

  /** A request is being served. Answers leave in the order of their requests; node:http sees to it. */
  opened(exchange: Http1Exchange, response: ServerResponse, body: Http1Body | undefined): void {
    this.#open.add(exchange);
    this.#newest = exchange;
    this.body = body;
    const most = this.surroundings.limits.maxRequestsPerConnection;
    if (++this.#requests >= most && most > 0) this.closeWith(response);
  }

  /** Before a head is written: whether the connection ends with this answer. */
  settleHead(exchange: Http1Exchange, response: ServerResponse, body: Http1Body | undefined): void {
    // A pipelined answer that is not the last may not close: those behind it would be lost.
    if (exchange !== this.#newest) return;
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

  /** Ends the connection after the answers that are due, although their heads promised more. */
  closeWhenAnswered(): void {
    this.closing = true;
    this.#closesItself = true;
    lingerAfterLastAnswer(this.socket);
  }

  /** An answer has left, or became a tunnel. */
  answered(exchange: Http1Exchange): void {
    this.#open.delete(exchange);
    if (this.#open.size > 0) return;
    this.#idleSinceMs = this.surroundings.clock.monotonic();
    if (this.#refusal !== undefined) {
      this.#sendRefusal(this.#refusal);
    } else if (this.#closesItself && this.tunnel === undefined) {
      this.body?.discard();
      lingerClose(this.socket);
    }
  }

  /** node:http could not go on with the bytes, or the socket failed. */
  failed(error: Http1ClientError): void {
    // While it lingers, the rest of bad bytes fails again and again.
    if (this.#broken) return;
    this.#broken = true;
    const { socket } = this;
    // A connection that never asked gets no answer; nor is one read by a client that has left.
    const refusal =
      error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && this.untouched
        ? undefined
        : toHttp1Refusal(error, this.surroundings.limits);
    if (this.body !== undefined && !this.body.complete) {
      this.body.fail(refusal ?? clientGone(error));
      if (refusal === undefined) socket.destroy();
      else this.closeWhenAnswered();
      if (this.#open.size === 0) lingerClose(socket);
    } else if (refusal === undefined) {
      socket.destroy();
    } else {
      this.refuse(refusal);
    }
  }

  /** Answers bytes that are no request, after the answers that are due, and closes. */
  refuse(error: MeshgateError): void {
    if (this.closing) return;
    this.closing = true;
    if (this.#open.size === 0) this.#sendRefusal(error);
    else this.#refusal = error;
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
  cut(response: ServerResponse, framed: boolean): void {
    this.closing = true;
    if (response.socket === null) {
      // Answers before it in the pipeline are innocent.
      response.once('socket', () => this.cut(response, framed));
      return;
    }
    // Without Content-Length or chunks only RST tells a broken answer from a complete one.
    if (framed || this.socket instanceof TLSSocket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** The socket has closed. */
  gone(): void {
    this.closing = true;
    for (const exchange of this.#open) exchange.clientGone();
    this.#open.clear();
  }

  /** Takes leave: a tunnel is told, an exchange's answer will say close. */
  drain(): void {
    this.draining = true;
    this.tunnel?.emit(GOING_AWAY);
  }
}
