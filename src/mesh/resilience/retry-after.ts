/** Reads Retry-After (RFC 9110 §10.2.3). */
import { sameName } from '../../plugins/sdk/header-fields.ts';

/** The first one of a flat field list, as `parseRetryAfterMs` reads it. */
export function findRetryAfterMs(headers: readonly string[], nowMs: number): number | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (sameName(headers[i]!, 'retry-after')) return parseRetryAfterMs(headers[i + 1], nowMs);
  }
  return undefined;
}

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
