/** What a plugin is handed when it is created: everything it may need, and nothing it may not. */

/** Structured log lines; fields first, then the sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Clock {
  /** Wall-clock time in milliseconds since the epoch; may jump. */
  now(): number;
  /** Milliseconds of a clock that never goes back. */
  monotonic(): number;
}

/**
 * What decides where the shared counters give no answer in time: this node's own count, of the
 * points divided by the live nodes; letting everybody through; or letting nobody through.
 */
export type LimitFallback = 'local' | 'open' | 'closed';

export interface LimitVerdict {
  readonly allowed: boolean;
  /** Points left in the window as far as this node knows, never below 0. */
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
  /** What decided in place of the shared counters; `open` and `closed` know nothing of the window. */
  readonly fallback?: LimitFallback;
}

/** A counter per key that refuses when a window's points are spent. */
export interface Limiter {
  /** Spends `cost` points (default 1) of a key's window. */
  consume(key: string, cost?: number): LimitVerdict | Promise<LimitVerdict>;
  /** What `consume` would say, spending nothing. */
  peek(key: string, cost?: number): LimitVerdict | Promise<LimitVerdict>;
}

/** Counters outlive a configuration reload: the same name and options give the same counters. */
export interface Counters {
  /** A fixed window of `windowMs` milliseconds with `points` points. */
  limiter(options: LimiterOptions): Limiter;
}

/** `mode` and `onUnavailable` mean nothing where one process serves, and its memory counts. */
export interface LimiterOptions {
  readonly name: string;
  readonly points: number;
  readonly windowMs: number;
  /** Ask the shared counters for each request, or (default) draw points in batches and spend them here. */
  readonly mode?: 'exact' | 'leased';
  /** Default `local`. */
  readonly onUnavailable?: LimitFallback;
}

/** Metrics of a plugin, published as `meshgate_plugin_<plugin>_<name>`. */
export interface PluginMetrics {
  counter<Label extends string>(
    name: string,
    help: string,
    labels?: readonly Label[],
  ): { inc(labels?: Readonly<Record<Label, string>>, by?: number): void };
}

export interface FetchJsonOptions {
  /** Default 5000. */
  readonly timeoutMs?: number;
  /** Default 1 MiB; a longer answer is an error. */
  readonly maxBytes?: number;
  /** Default false: an address in a private, loopback or link-local range is an error. */
  readonly allowPrivateAddresses?: boolean;
}

/** What `create` gets beside its config. */
export interface PluginContext {
  readonly log: Log;
  readonly metrics: PluginMetrics;
  readonly counters: Counters;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** GETs JSON without following redirects; rejects on anything but 200. */
  readonly fetchJson: (url: string, options?: FetchJsonOptions) => Promise<unknown>;
  /** Reads a UTF-8 file; a relative path is relative to the configuration file. */
  readonly readFile: (path: string) => Promise<string>;
  /** Where the plugin stands: the route's name, or undefined for one on every route. */
  readonly route: string | undefined;
}
