/** What the measurement of shared limits tells its nodes, and what it hears from them. */

export interface NodeTask {
  readonly redisUrl: string;
  readonly nodes: number;
  readonly name: string;
  readonly mode: 'leased' | 'exact';
  readonly points: number;
  readonly windowMs: number;
  readonly keys: number;
  readonly perSecond: number;
  readonly durationMs: number;
  /** Milliseconds since 1970, so that all begin together. */
  readonly startAt: number;
}

export interface NodeReport {
  readonly requests: number;
  /** By key. */
  readonly admitted: readonly number[];
  readonly fallbacks: number;
  /** Of requests that waited for Redis at all. */
  readonly waitsMs: readonly number[];
}
