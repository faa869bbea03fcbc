/** Reads Retry-After (RFC 9110 §10.2.3). */

/**
 * Milliseconds to wait. The number is in seconds; a date is taken against the wall clock,
 * a past one is 0. Undefined where there is none or it is neither.
 */
export function parseRetryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  // Every form of HTTP-date begins with the day's name; Date.parse alone would take "-1" for a year.
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
