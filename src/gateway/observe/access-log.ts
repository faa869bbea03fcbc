/** One JSON line for each exchange: who asked, what was decided and why, what it took. */
import type { GatewayExchange } from '../exchange/exchange.ts';

/** The fields of a line; a plugin's `onLog` may add to them. Times in milliseconds, sizes in bytes. */
export function toAccessRecord(
  exchange: GatewayExchange,
  nowMs: number,
  durationMs: number,
): Record<string, unknown> {
  const { request, peer, upstream, outcome, trace } = exchange;
  const record: Record<string, unknown> = {
    time: new Date(nowMs).toISOString(),
    request_id: exchange.id,
    trace_id: trace?.traceId,
    listener: exchange.listener,
    protocol: peer.protocol,
    client_ip: peer.ip,
    method: request.method,
    host: request.host,
    // Without the query, which is where tokens end up that belong in no log.
    path: request.path === '' ? receivedPath(exchange.intake.target) : request.path,
    status: statusOf(exchange),
    duration_ms: round(durationMs),
    bytes_in: outcome.bytesIn,
    bytes_out: outcome.bytesOut,
    route: exchange.route,
    service: exchange.service,
  };
  if (upstream.attempts > 0) {
    record.endpoint = upstream.endpoint;
    record.attempts = upstream.attempts;
    if (upstream.headAt > 0) record.upstream_ms = round(upstream.headAt - upstream.sentAt);
  }
  if (exchange.consumer !== undefined) record.consumer = exchange.consumer.name;
  if (outcome.code !== '') record.code = outcome.code;
  if (outcome.reason !== '') record.reason = outcome.reason;
  return record;
}

/** 499 as nginx has it: the client left before there was an answer to count. 503: it was cut off. */
export function statusOf({ response, outcome }: GatewayExchange): number {
  if (response.status !== 0) return response.status;
  return outcome.code === 'drain_timeout' ? 503 : 499;
}

/** Of one that was refused, as it was received. */
const MAX_RECEIVED_CHARACTERS = 256;

/** Only what is a path: a URL may hold a password. */
function receivedPath(target: string): string {
  if (!target.startsWith('/')) return '';
  const query = target.search(/[?#]/);
  return target.slice(0, Math.min(query === -1 ? target.length : query, MAX_RECEIVED_CHARACTERS));
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
