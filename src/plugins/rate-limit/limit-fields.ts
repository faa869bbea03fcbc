/** The response fields that tell a caller of his limit (draft-ietf-httpapi-ratelimit-headers-10). */
import type { HeaderFields, LimitVerdict } from '../sdk/plugin.ts';

/** Adds the two fields of one limit, as lines of their own: several limits add up to a list. */
export type LimitFields = (headers: HeaderFields, verdict: LimitVerdict) => void;

export function bindLimitFields(name: string, limit: number, windowMs: number): LimitFields {
  const item = toStructuredString(name);
  // `w` is in whole seconds, above 0, and optional ("Window Parameter"): better none than a wrong one.
  const window = windowMs % 1000 === 0 ? `;w=${windowMs / 1000}` : '';
  const policy = `${item};q=${limit}${window}`;
  const remaining = `${item};r=`;
  return (headers, verdict) => {
    headers.add('RateLimit-Policy', policy);
    // Who let everybody through, or nobody, has not looked at the window.
    if (verdict.fallback === 'open' || verdict.fallback === 'closed') return;
    headers.add(
      'RateLimit',
      `${remaining}${verdict.remaining};t=${Math.ceil(verdict.resetMs / 1000)}`,
    );
  };
}

/** Seconds for Retry-After: rounded up, so that nobody comes back a moment too early, and never 0. */
export function retryAfterSeconds(resetMs: number): number {
  return Math.max(1, Math.ceil(resetMs / 1000));
}

/** A String of RFC 9651 §3.3.3, which knows printable ASCII alone. */
function toStructuredString(text: string): string {
  return `"${text.replaceAll(/[^ -~]/g, '_').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
