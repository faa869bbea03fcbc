/** The port to the connections of one endpoint, and the vocabulary of a try sent over them. */
import type { Duplex } from 'node:stream';
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import type { BodySource } from './body-source.ts';
import type { SocketShare } from './socket-budget.ts';
import type { UpstreamError } from './upstream-error.ts';

/** One try: a request to one endpoint, complete but for the connection it goes over. */
export interface UpstreamRequest {
  readonly method: string;
  /** Origin-form target: canonical path and query. */
  readonly target: string;
  /** The Host field or :authority. */
  readonly authority: string;
  /**
   * Flat field lines in the order to send. Without Host, Content-Length, Transfer-Encoding,
   * Connection and other hop-by-hop fields: framing belongs to the transport.
   * Names may be of any case; HTTP/2 sends them in lower case.
   */
  readonly headers: readonly string[];
  /** Lines to send before those, as in `HeaderFields.text`, without the same fields; default none. */
  readonly text?: string | undefined;
  /** Undefined: no body at all. */
  readonly body: BodySource | undefined;
  /** Token for the Upgrade field, e.g. `websocket`; the connection becomes a tunnel if the upstream agrees. */
  readonly upgrade: string | undefined;
  /** The client awaits 100 Continue: `Expect: 100-continue` is sent on, the body starts on the upstream's 100 (or after 1 s). */
  readonly expectContinue: boolean;
  /** To the answer's head, in milliseconds from sending; 0 is none. Connecting has its own. */
  readonly responseTimeoutMs: number;
  /** Between two pieces of a body, either way, in milliseconds; 0 is none. A paused reader does not count. */
  readonly idleTimeoutMs: number;
  /**
   * Wants a connection that has served nobody: the try before was lost to the keep-alive race, and
   * where one idle connection was stale the others may be. HTTP/2 ignores it: a session that is
   * lost takes all its streams with it and is told of by GOAWAY or found out by PING, and there
   * is rarely a second one that idles.
   */
  readonly fresh: boolean;
}

/** Hears the answer. Calls come in this order, and none after `onEnd`, `onUpgrade` or `onError`. */
export interface UpstreamSink {
  /** The try is on a connection and its head is being written. */
  onSent?(connection: { readonly reused: boolean }): void;
  /** 1xx other than 101 (and other than the 100 that answers our own Expect, which is passed too). */
  onInformational(status: number, headers: string[]): void;
  /**
   * Field lines as received: original case over HTTP/1.1, no pseudo-headers over HTTP/2. Framing and
   * hop-by-hop fields are still in, none of them in `HeaderFields.text` (see `ANSWER_FIELDS_OF_A_HOP`).
   */
  onHead(status: number, reason: string, headers: HeaderFields): void;
  /** The bytes may be there until this returns, and no longer: who needs them takes them by `keep`. */
  onData(chunk: Uint8Array): void;
  onEnd(trailers: string[] | undefined): void;
  /** 101: `socket` is the tunnel; bytes read past the head are put back into it. */
  onUpgrade(status: number, reason: string, headers: string[], socket: Duplex): void;
  onError(error: UpstreamError): void;
}

/** A try in flight. */
export interface UpstreamCall {
  /** Back-pressure on the answer's body. */
  pause(): void;
  resume(): void;
  /** Gives the try up; the sink hears no more. Resets the stream or closes the connection. */
  abort(): void;
}

/** All connections to one endpoint. */
export interface Upstream {
  send(request: UpstreamRequest, sink: UpstreamSink): UpstreamCall;
  /** Open connections, idle ones included. */
  readonly connections: number;
  /** Takes no new tries; resolves when those in flight have ended and all is closed. */
  close(): Promise<void>;
  /** Ends everything now; tries in flight fail with `reset`. */
  destroy(): void;
}

/** Where and how to connect. */
export interface UpstreamTarget {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'http1' | 'h2c' | 'https' | 'h2';
  /** For `https` and `h2`. Verification is on unless `verify` is false. */
  readonly tls?: UpstreamTls;
}

export interface UpstreamTls {
  /** Name to ask for by SNI and to verify; default the endpoint's host. */
  readonly serverName?: string;
  /** PEM; default: the runtime's roots. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly verify: boolean;
}

export interface UpstreamLimits {
  readonly connectTimeoutMs: number;
  /** How long an idle connection is kept, in milliseconds; must be shorter than the upstream's. */
  readonly keepAliveMs: number;
  /** More at once wait in line, up to `maxPending`. */
  readonly maxConnections: number;
  /** Tries waiting for a connection; one more fails with `overflow`. */
  readonly maxPending: number;
  /** Bytes of an answer's head. */
  readonly maxHeadBytes: number;
  /** What the process has for all its upstream connections; undefined: no limit is known. */
  readonly sockets?: SocketShare | undefined;
}
