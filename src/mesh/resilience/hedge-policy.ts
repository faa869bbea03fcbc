/** Hedging: whether a slow try gets a second one beside it, and after how long; the decision alone. */
import { isIdempotent } from './retry-policy.ts';
import type { RecentLatency } from './recent-latency.ts';

/**
 * `hedge` of a service. Source: Dean and Barroso, "The Tail at Scale"; Finagle, "backup
 * requests"; gRPC A6, "hedging"; Envoy, "hedge_policy".
 */
export interface HedgeRules {
  /** Of the endpoint's recent latency: a try that takes longer is hedged; in (0, 1). */
  readonly percentile: number;
  /** Never sooner than this, in milliseconds. */
  readonly minDelayMs: number;
  /** Hedges to a call. */
  readonly attempts: number;
}

/** What a call is from its start. */
export interface HedgeCandidate {
  readonly method: string;
  readonly upgrade: string | undefined;
  /** The endpoint of the caller's session. */
  readonly pinned?: unknown;
}

/**
 * Whether a call is one that may be hedged at all. A session's is not: another endpoint
 * does not know the session, and would win it by its cookie.
 */
export function isHedgeable({ method, upgrade, pinned }: HedgeCandidate): boolean {
  return upgrade === undefined && pinned === undefined && isIdempotent(method);
}

/**
 * Milliseconds from sending a try to hedging it; undefined: not at all, as long as too little
 * is known of the endpoint (fewer than 20 answers in the last 10 to 20 s).
 */
export function hedgeDelayMs(
  { minDelayMs }: HedgeRules,
  recent: RecentLatency | undefined,
  nowMs: number,
): number | undefined {
  const percentileMs = recent?.percentileMs(nowMs);
  return percentileMs === undefined ? undefined : Math.max(minDelayMs, Math.ceil(percentileMs));
}
