/**
 * The seam between a lane (how bytes become a request and an answer becomes bytes) and
 * the request path, which knows no protocol version and no socket.
 */
import type { Duplex } from 'node:stream';
import type { MeshgateError } from '../../errors.ts';
import type { Answer } from '../../plugins/sdk/answer.ts';
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import type { BodySource } from '../../mesh/transport/body-source.ts';
import type { Connection } from './connection.ts';

/** A request as a lane hands it in: well-formed, not yet judged. */
export interface Intake {
  readonly connection: Connection;
  readonly method: string;
  /** As received: origin-form, absolute-form, authority-form or `*`. */
  readonly target: string;
  /** The one Host field or :authority; empty where there was none. */
  readonly authority: string;
  /** Flat field lines as received, without Host and pseudo-headers; the exchange owns and changes it. */
  readonly headers: string[];
  /** Lines that are kept whoever the client is (`isJudged`), as in `HeaderFields.text`; default none. */
  readonly text?: string;
  /** Undefined: the request has no body. */
  readonly body: BodySource | undefined;
  /** The one token of Upgrade when the client asked for it by `Connection: upgrade`, in lower case. */
  readonly upgrade: string | undefined;
  readonly expectContinue: boolean;
}

/** How a lane hears of its client; set once by the exchange that is being served. */
export interface DownstreamObserver {
  /** After `write` returned false: go on. */
  onDrain(): void;
  /** The answer has left (`complete`) or the client is gone; the last call. */
  onClosed(complete: boolean, bytesSent: number): void;
}

/** Sends one answer. Calls come in the order: informational*, then head, write*, end — or upgrade. */
export interface Downstream {
  observer: DownstreamObserver | undefined;
  /** 1xx; ignored for HTTP/1.0. 100 is sent by the lane itself when the body source starts. */
  informational(status: number, headers: readonly string[]): void;
  /**
   * The final head. `headers` is without framing, hop-by-hop fields and Date where the
   * upstream sent none: Content-Length or chunked, Connection and Date are the lane's. None of
   * these is in its `text`.
   * `length`: bytes of the body that follows; undefined where unknown; for an answer to HEAD and
   * for 304 the length to announce, if any. The lane sends no body for HEAD, 204, 205 and 304.
   */
  head(status: number, reason: string, headers: HeaderFields, length: number | undefined): void;
  /** Takes back a head of which no byte has left, as in the turn it was given; true: another answer may be sent. */
  retract(): boolean;
  /**
   * Returns false when the client is slow: wait for `onDrain`. The chunk may be another's when this
   * returns (`keep`). `isSole`: nobody else has the
   * chunk, so that its memory can be used again when it has been sent. Default false.
   */
  write(chunk: Uint8Array, isSole?: boolean): boolean;
  /** Ends the answer. Fewer bytes than announced is the same as `abort`. */
  end(trailers?: readonly string[]): void;
  /** A complete answer known at once: head, body and end in one write. */
  answer(status: number, headers: readonly string[], body: Uint8Array | string | undefined): void;
  /** Before the head: on HTTP/1 this is the last answer of its connection, whose bytes cannot be trusted to be requests. */
  closeAfter(): void;
  /** Breaks off so that no client can take what it has for complete: connection reset, or RST_STREAM. */
  abort(): void;
  /** Sends 101 (or 200 to an extended CONNECT) and hands the bytes over. Only where `Intake.upgrade` is set. */
  upgrade(status: number, reason: string, headers: readonly string[]): Duplex;
}

/** What a lane knocks at. */
export interface Door {
  /** Serves a request; sets `downstream.observer` before it returns. Never throws. */
  serve(intake: Intake, downstream: Downstream): void;
  /** Words the answer to bytes that are no request (400, 408, 414, 431 …); counts and logs it. The lane sends it and closes. */
  refuse(connection: Connection, error: MeshgateError): Answer;
}
