/** What the benchmark knows of a proxy. */
import type { ProcessKeeper } from '../process-keeper.ts';

export type PeerName = 'meshgate' | 'meshgate-mesh' | 'nginx' | 'haproxy' | 'caddy' | 'http-proxy';

/** What is asked of a proxy, apart from forwarding. */
export interface Work {
  /**
   * 1: everything goes to the upstream. More: route i has the prefix `/service-<i>`, for i from 0,
   * and nothing else is answered.
   */
  readonly routes: number;
  /** TLS 1.3 with an ECDSA certificate on P-256. */
  readonly tls: boolean;
  /** The answers that the upstream gives. */
  readonly body: 'small' | 'large';
  /** Only with an RS256 token, and so many requests per minute and subject. */
  readonly tokens?: TokenWork;
  /** Of the two doors of a mesh hop the only one: what is beside it is the load or the upstream. Default: both. */
  readonly door?: 'outbound' | 'inbound';
  /** Processes that serve, on any core where there is more than one; Meshgate alone has them. Default 1. */
  readonly workers?: number;
  /** CPU time that it may take, in cores; Meshgate alone is limited. Default: what there is. */
  readonly cores?: number;
  /** To keep so many connections for as long as they like; Meshgate alone can. */
  readonly idleConnections?: number;
  /** To tell of its heap; Meshgate alone can. */
  readonly heapProbe?: boolean;
  /**
   * To tell as much as Meshgate always does, but for trace context and metrics: an id for each request that both
   * sides hear of, all X-Forwarded fields and Via, and as many fields a line of the log, as JSON. nginx alone is asked.
   */
  readonly tells?: boolean;
  /** On its one route; Meshgate alone has them. */
  readonly plugins?: PluginWork;
  /**
   * To be reloaded: a peer that can take another configuration while it runs then has `reload`. The
   * path `/edition-<n>` is answered with 204 besides, which shows what configuration is in force.
   */
  readonly edition?: number;
}

/** As a Meshgate's configuration has them. */
export interface PluginWork {
  readonly plugins: readonly Readonly<Record<string, unknown>>[];
  readonly consumers?: readonly Readonly<Record<string, unknown>>[];
}

export interface TokenWork {
  readonly issuer: string;
  readonly audience: string;
  /** The same public key, as a key set (RFC 7517) and as PEM. */
  readonly jwksFile: string;
  readonly publicKeyFile: string;
  readonly limit: number;
}

/** What a proxy is given to be started with. */
export interface Site {
  /** An empty folder of its own. */
  readonly directory: string;
  /** Port of the loopback interface to listen on. */
  readonly port: number;
  /** Another free one. */
  readonly sparePort: number;
  readonly upstreamPort: number;
  /** PEM file with the certificate for `localhost` and its key. */
  readonly certificateFile: string;
  readonly processes: ProcessKeeper;
}

export interface RunningPeer {
  /** The processes that were started; what they start in turn is theirs. */
  readonly pids: readonly number[];
  /** Without a path. */
  readonly url: string;
  /** The Host field; default: the host of `url`. */
  readonly host?: string;
  /** Further field lines of each request. */
  readonly fields?: readonly string[];
  /** A file that grows with the requests and may be emptied at any time. */
  readonly accessLog: string | undefined;
  /**
   * Asks for the same configuration with another `edition`, as its manual says; it may be in force a
   * moment later. Only where `Work.edition` was given.
   */
  reload?(edition: number): Promise<void>;
  /** Undefined while it runs; else why it ended. */
  fault(): Promise<string | undefined>;
  stop(): Promise<void>;
}

export interface Peer {
  readonly name: PeerName;
  /** Whether it can be run on this machine. */
  detect(processes: ProcessKeeper): Promise<Presence>;
  /** Resolves once it is started; it may take a moment to listen. */
  start(work: Work, site: Site): Promise<RunningPeer>;
}

export type Presence = { readonly version: string } | { readonly missing: string };

/** Where a configuration answers with 204 that has this edition, and only such a one. */
export function editionPath(edition: number): string {
  return `/edition-${edition}`;
}

/** The prefixes of all routes; empty where everything goes to the upstream. */
export function routePrefixes({ routes }: Work): readonly string[] {
  return routes === 1 ? [] : Array.from({ length: routes }, (_, i) => `/service-${i}/`);
}

/** wrk sends the host's name as SNI, where an address must not stand (RFC 6066 section 3). */
export function toUrl(work: Work, site: Site): string {
  return work.tls ? `https://localhost:${site.port}` : `http://127.0.0.1:${site.port}`;
}
