/** The configuration as the program consumes it: checked, sugar removed, units in the names, deep-frozen. */
import type { ListenerConfig } from './listener-config.ts';
import type { BackplaneConfig, OutboundConfig, RegistrationConfig } from './mesh-config.ts';
import type { RouteConfig } from './route-config.ts';
import type { ServiceConfig } from './service-config.ts';

/**
 * Everything a configuration file says, with defaults filled in. Plain data: it survives
 * `JSON.stringify` and structured clone (an optional value that is not set is `undefined`,
 * or absent after a round trip). File paths are absolute. Names are unique within their list.
 */
export interface Config {
  readonly node: NodeConfig;
  /** Absolute path. */
  readonly dataDir: string;
  readonly backplane: BackplaneConfig;
  readonly listeners: readonly ListenerConfig[];
  /** CIDR ranges in canonical text, e.g. `10.0.0.0/8`; a lone address is a /32 or /128. */
  readonly trustedProxies: readonly string[];
  readonly registrations: readonly RegistrationConfig[];
  /** Undefined: there is no outbound door. */
  readonly outbound: OutboundConfig | undefined;
  readonly services: readonly ServiceConfig[];
  /** In the order of the file, which is the last tie-break of routing. */
  readonly routes: readonly RouteConfig[];
  /** On every route, before the route's own. */
  readonly plugins: readonly PluginEntry[];
  readonly consumers: readonly ConsumerConfig[];
  readonly certificates: readonly CertificateConfig[];
  readonly admin: AdminConfig;
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
  /** Processes that serve; 1: the main process. `auto`: as many as there are processors. */
  readonly workers: number | 'auto';
}

export interface AddressConfig {
  /** An IP address without brackets, or a host name. */
  readonly host: string;
  readonly port: number;
}

export interface AdminConfig {
  readonly address: AddressConfig;
  /** Of a whole configuration that is sent. */
  readonly maxDocumentBytes: number;
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

/** What https listeners show beside their own; its key fits it, and nothing else of either is promised. */
export interface CertificateConfig {
  readonly name: string;
  /** Lower case, exact or `*.suffix` for one label; no two certificates have the same. */
  readonly serverNames: readonly string[];
  /** PEM text, with its chain. */
  readonly cert: string;
  /** PEM text. */
  readonly privateKey: string;
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
