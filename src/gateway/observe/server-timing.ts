/** Server-Timing (W3C) for callers that ask by `Prefer: server-timing` (RFC 7240): where the time to an answer's head went. */
import type { GatewayExchange } from '../exchange/exchange.ts';

/** The preference in a list of them, with or without parameters. */
const ASKED = /(?:^|,)[ \t]*server-timing[ \t]*(?:[,;]|$)/i;

/**
 * Adds the field to an answer whose head is about to go out, if its request asked for it:
 * milliseconds until now, parted in what the gateway took and what was waited for the service from
 * the first try on. An answer that no service was asked for tells of the gateway alone. It is a line
 * of its own, beside what the service says of itself.
 */
export function tellTiming(exchange: GatewayExchange, monotonic: () => number): void {
  const { prefer } = exchange.provenance;
  if (prefer === undefined || !ASKED.test(prefer)) return;
  const { response, upstream, startedAt } = exchange;
  const nowMs = monotonic();
  const totalMs = nowMs - startedAt;
  if (upstream.attempts === 0) {
    response.headers.add('Server-Timing', `gateway;dur=${rounded(totalMs)}`);
    return;
  }
  // A call that failed has no head: it was waited for until now.
  const upstreamMs = (upstream.headAt > 0 ? upstream.headAt : nowMs) - upstream.firstSentAt;
  response.headers.add(
    'Server-Timing',
    `gateway;dur=${rounded(totalMs - upstreamMs)}, upstream;dur=${rounded(upstreamMs)}`,
  );
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
