/** The response fields that tell a caller of his limit (draft-ietf-httpapi-ratelimit-headers-10). */
import type { HeaderFields, LimitVerdict } from '../sdk/plugin.ts';

/** Adds the two fields of one limit, as lines of their own: several limits add up to a list. */
export type LimitFields = (headers: HeaderFields, verdict: LimitVerdict) => void;

export function bindLimitFields(name: string, limit: number, windowMs: number): LimitFields {
  const item = toStructuredString(name);
  // `w` is in whole seconds, above 0, and optional ("Window Parameter"): better none than a wrong one.
  const window = windowMs % 1000 === 0 ? `;w=${windowMs / 1000}` : '';
  const policy = `RateLimit-Policy: ${item};q=${limit}${window}\r\n`;
  const upToRemaining = `${policy}RateLimit: ${item};r=`;
  return (headers, { fallback, remaining, resetMs }) => {
    // Who let everybody through, or nobody, has not looked at the window.
    const isUnseen = fallback === 'open' || fallback === 'closed';
    const seconds = Math.ceil(resetMs / 1000);
    headers.addText(isUnseen ? policy : `${upToRemaining}${remaining};t=${seconds}\r\n`);
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
