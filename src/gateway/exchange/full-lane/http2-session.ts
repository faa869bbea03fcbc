/** One HTTP/2 connection: its streams in work, its budget, its leave-taking. */
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { MeshgateError } from '../../../errors.ts';
import type { ConnectionLimits } from '../connection-limits.ts';
import type { Connection } from '../connection.ts';
import { Http2Body } from './http2-body.ts';
import { Http2Budget } from './http2-budget.ts';
import { Http2Downstream, type Http2StreamOwner } from './http2-downstream.ts';
import { readHttp2Head } from './http2-intake.ts';
import type { Door } from '../lane.ts';

export interface Http2Surroundings {
  readonly door: Door;
  readonly limits: ConnectionLimits;
  /** A connection was closed because it spent its budget; `what` names the frames. */
  readonly onFlood: (connection: Connection, what: string) => void;
}

/** The largest stream id: "nothing was refused, but open no more" (RFC 9113 §6.8). */
const NO_STREAM_REFUSED = 2 ** 31 - 1;

export class Http2Session implements Http2StreamOwner {
  readonly idleTimeoutMs: number;
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #connection: Connection;
  readonly #surroundings: Http2Surroundings;
  readonly #budget = new Http2Budget();
  readonly #open = new Set<Http2Downstream>();
  #requests = 0;

  constructor(
    session: ServerHttp2Session,
    socket: Socket,
    connection: Connection,
    surroundings: Http2Surroundings,
  ) {
    this.#session = session;
    this.#socket = socket;
    this.#connection = connection;
    this.#surroundings = surroundings;
    this.idleTimeoutMs = surroundings.limits.idleTimeoutMs;
    const bytesWritten = (): number => socket.bytesWritten;
    session.on('ping', () => this.#budget.ping(bytesWritten) || this.#flooded('PING'));
    session.on('remoteSettings', () => this.#budget.settings() || this.#flooded('SETTINGS'));
    session.on('priority', () => this.#budget.priority() || this.#flooded('PRIORITY'));
  }

  /** No stream is in work. */
  get idle(): boolean {
    return this.#open.size === 0;
  }

  serve(stream: ServerHttp2Stream, raw: readonly string[]): void {
    const { door, limits } = this.#surroundings;
    if (++this.#requests === limits.maxRequestsPerConnection) this.#session.close();
    const { door: kind } = this.#connection.listener;
    const head = readHttp2Head(raw, stream.endAfterHeaders, limits, kind);
    const refused = head instanceof MeshgateError;
    const body =
      refused || head.bodyLength !== 0
        ? new Http2Body(
            stream,
            refused ? undefined : head.bodyLength,
            !refused && head.expectContinue,
            this.#budget,
          )
        : undefined;
    if (refused && stream.endAfterHeaders) body!.complete = true;
    const downstream = new Http2Downstream(
      stream,
      this,
      body,
      raw[raw.indexOf(':method') + 1] === 'HEAD',
    );
    this.#open.add(downstream);
    if (refused) {
      const answer = door.refuse(this.#connection, head);
      downstream.answer(answer.status, answer.headers, answer.body);
      return;
    }
    this.#budget.used(head.bytes);
    door.serve(
      {
        connection: this.#connection,
        method: head.method,
        target: head.target,
        authority: head.authority,
        headers: head.headers,
        body,
        upgrade: head.upgrade,
        expectContinue: head.expectContinue,
      },
      downstream,
    );
  }

  closed(downstream: Http2Downstream): void {
    this.#open.delete(downstream);
  }

  /** Once a second. */
  second(): void {
    if (!this.#budget.second(this.#socket.bytesRead, this.#socket.bytesWritten)) {
      this.#flooded('control frames');
      return;
    }
    const { minBodyRate } = this.#surroundings.limits;
    if (minBodyRate === 0) return;
    for (const downstream of this.#open) downstream.second(minBodyRate);
  }

  /** Asks for no more streams, but still serves what is on its way. */
  drain(): void {
    if (this.#session.destroyed) return;
    this.#session.goaway(constants.NGHTTP2_NO_ERROR, NO_STREAM_REFUSED);
    for (const downstream of this.#open) downstream.drain();
  }

  /** Closes when the open streams have ended, and takes no others. */
  close(): void {
    if (!this.#session.destroyed) this.#session.close();
  }

  #flooded(what: string): void {
    if (this.#session.destroyed) return;
    this.#surroundings.onFlood(this.#connection, what);
    this.#session.destroy(new Error(`Too many ${what}`), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
