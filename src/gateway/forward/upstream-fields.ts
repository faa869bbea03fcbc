/** The field lines that go upstream: the client's end-to-end fields, then what the gateway says of the client. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { Provenance } from '../exchange/received-fields.ts';
import { toTraceparent } from '../observe/trace-context.ts';

/**
 * A fresh flat list for one try. The request's own list has lost its hop-by-hop and claimed
 * fields on arrival, so everything in it passes and ours are added after.
 */
export function toUpstreamFields(exchange: GatewayExchange, http2: boolean): string[] {
  const { provenance, request, trace } = exchange;
  const { connection } = exchange.intake;
  const { listener } = connection;
  const fields = request.headers.raw.slice();
  if (listener.door === 'outbound') {
    passForwarded(fields, provenance);
  } else {
    fields.push(
      'X-Forwarded-For',
      provenance.forwardedFor === undefined
        ? connection.address
        : `${provenance.forwardedFor}, ${connection.address}`,
      'X-Forwarded-Proto',
      provenance.forwardedProto ?? listener.scheme,
      'X-Forwarded-Host',
      provenance.forwardedHost ?? request.authority,
      'X-Forwarded-Port',
      provenance.forwardedPort ?? String(listener.port),
    );
  }
  fields.push('X-Request-Id', exchange.id, 'Via', toVia(provenance.via, connection.protocol));
  if (trace !== undefined) {
    fields.push('traceparent', toTraceparent(trace));
    if (trace.tracestate !== undefined) fields.push('tracestate', trace.tracestate);
  }
  // TE belongs to a hop, but HTTP/2 has only this one value and gRPC servers insist on it.
  if (http2 && provenance.acceptsTrailers) fields.push('te', 'trailers');
  return fields;
}

/**
 * The client of the outbound door is the application that this node speaks for. Whoever is called
 * sees the node, and must not read in a field that 127.0.0.1 is calling.
 */
function passForwarded(fields: string[], provenance: Provenance): void {
  const { forwardedFor, forwardedProto, forwardedHost, forwardedPort } = provenance;
  if (forwardedFor !== undefined) fields.push('X-Forwarded-For', forwardedFor);
  if (forwardedProto !== undefined) fields.push('X-Forwarded-Proto', forwardedProto);
  if (forwardedHost !== undefined) fields.push('X-Forwarded-Host', forwardedHost);
  if (forwardedPort !== undefined) fields.push('X-Forwarded-Port', forwardedPort);
}

/** RFC 9110 §7.6.3: the version the request was received with, and our pseudonym. */
function toVia(before: string | undefined, protocol: 'http/1.0' | 'http/1.1' | 'h2'): string {
  const own =
    protocol === 'h2' ? '2.0 meshgate' : protocol === 'http/1.1' ? '1.1 meshgate' : '1.0 meshgate';
  return before === undefined ? own : `${before}, ${own}`;
}
