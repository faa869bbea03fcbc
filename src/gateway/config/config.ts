/** The configuration as the program consumes it: checked, sugar removed, units in the names, deep-frozen. */
import type { OutlierRules } from '../../mesh/health/outlier-rules.ts';
import type { RetryCondition } from '../../mesh/resilience/retry-policy.ts';
import type { ServiceTimeouts } from '../../mesh/service/service.ts';
import type { BalancerConfig, HealthCheckConfig } from './balancer-config.ts';

/**
 * Everything a configuration file says, with defaults filled in. Plain data: it survives
 * `JSON.stringify` and structured clone (an optional value that is not set is `undefined`,
 * or absent after a round trip). File paths are absolute. Names are unique within their list.
 */
export interface Config {
  readonly node: NodeConfig;
  /** Absolute path. */
  readonly dataDir: string;
  readonly listeners: readonly ListenerConfig[];
  /** CIDR ranges in canonical text, e.g. `10.0.0.0/8`; a lone address is a /32 or /128. */
  readonly trustedProxies: readonly string[];
  readonly services: readonly ServiceConfig[];
  /** In the order of the file, which is the last tie-break of routing. */
  readonly routes: readonly RouteConfig[];
  /** On every route, before the route's own. */
  readonly plugins: readonly PluginEntry[];
  readonly consumers: readonly ConsumerConfig[];
  readonly status: AddressConfig;
  readonly telemetry: TelemetryConfig;
  /** Values that came by substitution, so that nobody prints them. */
  readonly redactions: readonly Redaction[];
}

/** One leaf of the configuration that was substituted. */
export interface Redaction {
  /** As `diff` names it, e.g. `routes.orders.plugins[0].config.secret`. */
  readonly path: string;
  /** What may be shown in its place: the file's own text, e.g. `${JWT_SECRET}`. */
  readonly text: string;
}

export interface NodeConfig {
  /** Undefined: the host name and a random suffix, made at start. */
  readonly name: string | undefined;
  readonly zone: string | undefined;
}

export interface AddressConfig {
  /** An IP address without brackets, or a host name. */
  readonly host: string;
  readonly port: number;
}

export interface ListenerConfig extends AddressConfig {
  readonly name: string;
  readonly protocol: 'http' | 'https';
  /** Lower case, exact or `*.suffix`; empty: every name. */
  readonly hosts: readonly string[];
  readonly redirectHttps: { readonly port: number; readonly status: RedirectStatus } | undefined;
  /** Connections begin with a PROXY protocol v1 or v2 header. */
  readonly proxyProtocol: boolean;
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

export interface ServiceConfig {
  readonly name: string;
  /** Static endpoints; empty where `discover` is set. */
  readonly endpoints: readonly EndpointConfig[];
  readonly discover: DnsDiscovery | undefined;
  readonly protocol: 'http1' | 'h2c' | 'https' | 'h2';
  /** Set if and only if `protocol` is `https` or `h2`. */
  readonly tls: ServiceTls | undefined;
  readonly balancer: BalancerConfig;
  /** Undefined: none. */
  readonly healthCheck: HealthCheckConfig | undefined;
  /** Undefined: off. */
  readonly outlierDetection: OutlierRules | undefined;
  readonly circuitBreaker: {
    readonly maxConnections: number;
    readonly maxPending: number;
    readonly maxRequests: number;
  };
  readonly retry: RetryConfig;
  readonly timeouts: ServiceTimeouts;
}

export interface EndpointConfig extends AddressConfig {
  /** 0: gets nothing. */
  readonly weight: number;
  /** Own keys only are meant: read it by `Object.entries` or `Object.hasOwn`. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface DnsDiscovery {
  readonly kind: 'dns';
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'SRV';
  /** Of every endpoint; undefined for SRV, whose records tell it. */
  readonly port: number | undefined;
  /** Undefined: by the records' TTL. */
  readonly refreshMs: number | undefined;
}

export interface ServiceTls {
  /** Undefined: the endpoint's host. */
  readonly serverName: string | undefined;
  /** PEM files, absolute paths. `ca` undefined: the runtime's roots. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly verify: boolean;
}

export interface RetryConfig {
  /** Extra tries; 0: none. */
  readonly attempts: number;
  readonly on: readonly RetryCondition[];
  /** 0: none. */
  readonly perTryTimeoutMs: number;
  readonly budget: { readonly ratio: number; readonly minPerSecond: number };
}

/** What a route sets in place of its service's; undefined: as the service has it. */
export interface RouteRetry {
  readonly attempts: number | undefined;
  readonly on: readonly RetryCondition[] | undefined;
  readonly perTryTimeoutMs: number | undefined;
}

export interface RouteConfig {
  readonly name: string;
  readonly priority: number;
  /** Names; empty: every listener. */
  readonly listeners: readonly string[];
  /** At least one; a request that meets any of them meets the route. */
  readonly matches: readonly MatchEntry[];
  /** At least one. A route's own `redirect` or `respond` is its only target. */
  readonly targets: readonly Target[];
  /** For targets that have none of their own. */
  readonly rewrite: RewriteConfig | undefined;
  /** The whole exchange; 0: none. */
  readonly timeoutMs: number;
  readonly retry: RouteRetry | undefined;
  readonly mirrors: readonly MirrorConfig[];
  readonly plugins: readonly PluginEntry[];
  /** `%2F` and `%5C` in a path reach the route instead of being refused. */
  readonly allowEncodedSlash: boolean;
}

/** All of its conditions hold. */
export interface MatchEntry {
  /** Lower case, exact or `*.suffix`; empty: every host. */
  readonly hosts: readonly string[];
  /** A match without a path has the prefix `/`. */
  readonly path: PathMatch;
  /** Empty: every method. */
  readonly methods: readonly string[];
  /** Names in lower case. */
  readonly headers: readonly FieldMatch[];
  /** Names as they stand in the file; case matters. */
  readonly query: readonly FieldMatch[];
}

export interface PathMatch {
  /** `prefix` goes by whole segments; its value has no trailing slash, but for `/` itself. */
  readonly kind: 'exact' | 'prefix' | 'regex';
  /** In canonical escaping; for `regex` an RE2 expression that the whole path must meet. */
  readonly value: string;
}

export interface FieldMatch {
  readonly name: string;
  readonly kind: 'exact' | 'regex' | 'present';
  /** Empty for `present`; for `regex` an RE2 expression that the whole value must meet. */
  readonly value: string;
}

interface TargetFields {
  /** Share among the route's targets; 0: gets nothing. */
  readonly weight: number;
  /** After the route's. */
  readonly plugins: readonly PluginEntry[];
}

export interface ServiceTarget extends TargetFields {
  readonly kind: 'service';
  readonly service: string;
  /** Metadata that an endpoint must have; own keys only. Empty: every endpoint. */
  readonly where: Readonly<Record<string, string>>;
  readonly rewrite: RewriteConfig | undefined;
}

export interface RedirectTarget extends TargetFields {
  readonly kind: 'redirect';
  readonly redirect: RedirectConfig;
}

export interface RespondTarget extends TargetFields {
  readonly kind: 'respond';
  readonly respond: RespondConfig;
}

export type Target = ServiceTarget | RedirectTarget | RespondTarget;

export interface RewriteConfig {
  readonly path: PathRewrite | undefined;
  /** In place of the Host field or :authority. */
  readonly host: string | undefined;
}

export type PathRewrite =
  /** The whole path becomes `value`. */
  | { readonly kind: 'path'; readonly value: string }
  /** The prefix that the match entry matched becomes `value`. */
  | { readonly kind: 'prefix'; readonly value: string }
  /** `value` goes from the front, by whole segments. */
  | { readonly kind: 'strip-prefix'; readonly value: string }
  /** Each match of the RE2 expression becomes `replacement`, where `$1` is a group. */
  | { readonly kind: 'regex'; readonly value: string; readonly replacement: string };

export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

export interface RedirectConfig {
  readonly scheme: 'http' | 'https' | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** `path`: the whole; `prefix`: in place of the prefix that matched; undefined: as it was. */
  readonly path: { readonly kind: 'path' | 'prefix'; readonly value: string } | undefined;
  readonly status: RedirectStatus;
}

export interface RespondConfig {
  readonly status: number;
  /** Flat field lines `[name, value, …]`. */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface MirrorConfig {
  readonly service: string;
  readonly where: Readonly<Record<string, string>>;
  /** 0 to 100. */
  readonly percent: number;
}

/** A configured plugin; `config` has met the plugin's schema and has its defaults. */
export interface PluginEntry {
  readonly name: string;
  readonly config: unknown;
}

export interface ConsumerConfig {
  readonly name: string;
  readonly groups: readonly string[];
  /** SHA-256 of each key, 64 lower-case hex digits. */
  readonly apiKeyHashes: readonly string[];
  readonly jwt: { readonly issuer: string; readonly subject: string } | undefined;
}

export interface TelemetryConfig {
  /** Undefined: off. */
  readonly accessLog:
    | {
        readonly format: 'json';
        /** Absolute path; undefined: standard output. */
        readonly path: string | undefined;
        /** Share of exchanges that are logged, 0 to 1. Failures always are. */
        readonly sample: number;
      }
    | undefined;
  /** Undefined: off. */
  readonly tracing:
    | {
        /** Base URL of an OTLP/HTTP collector. */
        readonly otlp: string;
        readonly sample: number;
      }
    | undefined;
}
