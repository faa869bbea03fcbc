/** A listener as the program consumes it: its address, limits and TLS. */
import type { AddressConfig } from './config.ts';
import type { RedirectStatus } from './route-config.ts';

/** The east-west doors: for the application beside this node, and for other nodes. */
export type MeshDoor = 'outbound' | 'inbound';

/**
 * What serves HTTP/1.1. `auto`: the wire lane what is canonical, and the full lane everything else, which
 * a connection is handed over to at its first request that is anything else. `full`: the full lane all.
 */
export type LaneChoice = 'auto' | 'full';

export interface ListenerConfig extends AddressConfig {
  /** Undefined: an edge listener, as they stand in the file. */
  readonly door?: MeshDoor | undefined;
  /** Tells it from others that ask for any port too; default: its name. */
  readonly identity?: string;
  readonly name: string;
  readonly protocol: 'http' | 'https';
  /** Lower case, exact or `*.suffix`; empty: every name. */
  readonly hosts: readonly string[];
  readonly redirectHttps: { readonly port: number; readonly status: RedirectStatus } | undefined;
  /** Connections begin with a PROXY protocol v1 or v2 header. */
  readonly proxyProtocol: boolean;
  readonly lane: LaneChoice;
  readonly limits: ListenerLimits;
  /** Set if and only if `protocol` is `https`. */
  readonly tls: ListenerTls | undefined;
}

export interface ListenerLimits {
  readonly maxHeaderBytes: number;
  readonly maxHeaderFields: number;
  readonly maxUrlBytes: number;
  /** 0: no limit. */
  readonly maxBodyBytes: number;
  /** To a request's complete head. */
  readonly headerTimeoutMs: number;
  /** Between two requests of a connection, and between two pieces of a body. */
  readonly idleTimeoutMs: number;
  /** Bytes per second of a request body, on average; 0: no limit. */
  readonly minBodyRate: number;
  readonly maxConnections: number;
  /** Concurrent HTTP/2 streams of one connection. */
  readonly maxStreams: number;
  /** 0: no limit. */
  readonly maxRequestsPerConnection: number;
  /** How long exchanges may go on once the listener stops or drains. */
  readonly drainMs: number;
}

export interface ListenerTls {
  /** PEM files, absolute paths. */
  readonly certificates: readonly { readonly cert: string; readonly key: string }[];
  /** Names of a certificate made for development; empty: none. */
  readonly selfSigned: readonly string[];
  /** PEM file, absolute path; set if and only if `clientAuth` is. */
  readonly clientCa: string | undefined;
  readonly clientAuth: 'request' | 'require' | undefined;
  readonly minVersion: '1.2' | '1.3';
}
