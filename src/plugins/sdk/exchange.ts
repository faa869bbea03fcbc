/** One request and its response, as every hook and stage sees it, whichever lane carries it. */
import type { Duplex } from 'node:stream';
import type { HeaderFields } from './header-fields.ts';

/** Who the gateway knows the caller to be; set by an authenticating plugin. */
export interface Consumer {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Finds the configured consumers; belongs to the snapshot that serves the exchange. */
export interface ConsumerDirectory {
  /** By the SHA-256 of an API key, as 64 lower-case hex digits. */
  byApiKeyHash(sha256Hex: string): Consumer | undefined;
  /** By a verified token's issuer and subject. */
  byJwt(issuer: string, subject: string): Consumer | undefined;
}

/** What TLS told about the peer; absent on a plain connection. */
export interface PeerTls {
  /** The name asked for by SNI, in lower case. */
  readonly serverName: string | undefined;
  readonly version: string;
  readonly cipher: string;
  /** The verified client certificate, where the listener asked for one and got it. */
  readonly clientCertificate:
    | { readonly subject: string; readonly fingerprint256: string }
    | undefined;
}

/** The other side of the downstream connection. */
export interface Peer {
  /** The client's address after `trustedProxies` and PROXY protocol, in canonical text. */
  readonly ip: string;
  /** The address the bytes really came from: the last proxy's where there is one. */
  readonly address: string;
  readonly port: number;
  readonly protocol: 'http/1.0' | 'http/1.1' | 'h2';
  readonly tls: PeerTls | undefined;
}

export interface ExchangeRequest {
  /** As received; methods are case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Host name in lower case, without port; empty where the request named none (HTTP/1.0). */
  readonly host: string;
  /** The Host field or :authority as received, port included. */
  readonly authority: string;
  /** The one canonical path (see docs/concepts.md): what routing matched and the upstream will see. */
  readonly path: string;
  /**
   * With its `?`, as received; empty where there is none. What a hook sets here is what the
   * upstream gets: how a credential in the query is kept from it.
   */
  query: string;
  readonly headers: HeaderFields;
  /** Declared length in bytes; undefined where the length is not known beforehand; 0 without a body. */
  readonly contentLength: number | undefined;
  /** The whole body, for a plugin that declared `body: 'buffer'`; else undefined. */
  readonly bodyBytes: Uint8Array | undefined;
  /** The value of a query parameter, percent-decoded; the first of several; undefined where absent. */
  queryParam(name: string): string | undefined;
  /** The value of a cookie; undefined where absent. */
  cookie(name: string): string | undefined;
  /** Replaces the limit on the body's size, in bytes; over it the exchange ends with 413. */
  limitBody(maxBytes: number): void;
  /** Sends the body through a transform on its way up; its length becomes unknown. */
  transformBody(transform: Duplex): void;
}

export interface ExchangeResponse {
  /** 0 until an answer is known. */
  status: number;
  /** Final fields of the answer; from `onUpstreamResponse` on they hold the upstream's. */
  readonly headers: HeaderFields;
  /** Who answered. */
  readonly source: 'upstream' | 'gateway';
  /** Sends the body through a transform on its way down; Content-Length is dropped. */
  transformBody(transform: Duplex): void;
}

/** The try that is about to be sent, for `onUpstreamRequest`. */
export interface UpstreamTry {
  /** 1 for the first. */
  readonly attempt: number;
  readonly service: string;
  /** `address:port` of the chosen endpoint. */
  readonly endpoint: string;
  /** What will be sent, hop-by-hop fields gone and the gateway's own in place; a fresh list each try. */
  readonly headers: HeaderFields;
}

/** One request and its response. Lives until `onLog` has run; keep no reference to it after. */
export interface Exchange {
  /** The request id, also sent upstream as X-Request-Id. */
  readonly id: string;
  readonly listener: string;
  readonly peer: Peer;
  readonly request: ExchangeRequest;
  readonly response: ExchangeResponse;
  /** The route's name. */
  readonly route: string;
  /** The chosen service's name; empty until forwarding, or where the gateway answers itself. */
  readonly service: string;
  readonly consumers: ConsumerDirectory;
  /** Set by an authenticating plugin. */
  consumer: Consumer | undefined;
  /** Verified claims of the caller's token; set by an authenticating plugin. */
  claims: Readonly<Record<string, unknown>> | undefined;
  /** A hook's own notes for its later hooks; keyed by anything, made on first use. */
  readonly state: Map<unknown, unknown>;
  /** True while `explain` narrates: decide as always, but spend and change nothing. */
  readonly dryRun: boolean;
  /** Aborts when the client leaves or the exchange ends; made on first use. */
  readonly signal: AbortSignal;
}
