/** A route as the program consumes it: what it matches, and where that goes. */
import type { RetryCondition } from '../../mesh/resilience/retry-policy.ts';
import type { PluginEntry } from './config.ts';

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
