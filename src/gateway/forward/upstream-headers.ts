/** The field lines that go upstream: the client's end-to-end fields, then what the gateway says of the client. */
import { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import { inOnePiece, isValue } from '../../mesh/transport/octets.ts';
import type { Connection } from '../exchange/connection.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { Provenance } from '../exchange/received-fields.ts';

/**
 * Fresh ones for each try. The request's own list has lost its hop-by-hop and claimed
 * fields on arrival, so everything in it passes. What the gateway says by itself goes as text, which
 * needs no check; what it continues was said by others, and is checked with theirs.
 */
export function toUpstreamHeaders(exchange: GatewayExchange, http2: boolean): HeaderFields {
  const { provenance, request, trace } = exchange;
  const { connection } = exchange.intake;
  const list = request.headers.rest.slice();
  let text = request.headers.text;
  const isOutbound = connection.listener.door === 'outbound';
  const lines =
    isOutbound || isContinued(provenance) ? undefined : forwardedOf(connection, request.authority);
  if (lines !== undefined) {
    text += lines;
  } else {
    if (isOutbound) passForwarded(list, provenance);
    else continueForwarded(list, exchange);
    continueVia(list, provenance, connection);
  }
  text += exchange.requestId.line;
  if (trace !== undefined) {
    text += trace.line;
    if (trace.tracestate !== undefined) list.push('tracestate', trace.tracestate);
  }
  // TE belongs to a hop, but HTTP/2 has only this one value and gRPC servers insist on it.
  if (http2 && provenance.acceptsTrailers) list.push('te', 'trailers');
  return new HeaderFields(list, text);
}

/** Something goes upstream that those before us have said of the request's way. */
function isContinued(provenance: Provenance): boolean {
  const { forwardedFor, forwardedProto, forwardedHost, forwardedPort, via } = provenance;
  return (
    via !== undefined ||
    forwardedFor !== undefined ||
    forwardedProto !== undefined ||
    forwardedHost !== undefined ||
    forwardedPort !== undefined
  );
}

/** Of a client that nobody stands before: mostly the same for all requests of its connection. */
function forwardedOf(connection: Connection, authority: string): string | undefined {
  const known = connection.forwarded;
  if (known?.authority === authority) return known.lines;
  if (!isValue(authority)) return undefined;
  const lines = toForwarded(connection, authority);
  connection.forwarded = { authority, lines };
  return lines;
}

function toForwarded({ address, listener, protocol }: Connection, authority: string): string {
  const { scheme, port } = listener;
  return inOnePiece(
    `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Port: ${port}\r\nX-Forwarded-Host: ${authority}\r\nVia: ${VIA[protocol]}\r\n`,
  );
}

function continueForwarded(list: string[], { provenance, request, intake }: GatewayExchange): void {
  const { connection } = intake;
  const { forwardedFor, forwardedProto, forwardedHost, forwardedPort } = provenance;
  list.push(
    'X-Forwarded-For',
    forwardedFor === undefined ? connection.address : `${forwardedFor}, ${connection.address}`,
    'X-Forwarded-Proto',
    forwardedProto ?? connection.listener.scheme,
    'X-Forwarded-Host',
    forwardedHost ?? request.authority,
    'X-Forwarded-Port',
    forwardedPort ?? String(connection.listener.port),
  );
}

/**
 * The client of the outbound door is the application that this node speaks for. Whoever is called
 * sees the node, and must not read in a field that 127.0.0.1 is calling.
 */
function passForwarded(list: string[], provenance: Provenance): void {
  const { forwardedFor, forwardedProto, forwardedHost, forwardedPort } = provenance;
  if (forwardedFor !== undefined) list.push('X-Forwarded-For', forwardedFor);
  if (forwardedProto !== undefined) list.push('X-Forwarded-Proto', forwardedProto);
  if (forwardedHost !== undefined) list.push('X-Forwarded-Host', forwardedHost);
  if (forwardedPort !== undefined) list.push('X-Forwarded-Port', forwardedPort);
}

/** RFC 9110 §7.6.3: the version the request was received with, and our pseudonym. */
const VIA = {
  'http/1.0': '1.0 meshgate',
  'http/1.1': '1.1 meshgate',
  h2: '2.0 meshgate',
} as const;

function continueVia(list: string[], { via }: Provenance, { protocol }: Connection): void {
  list.push('Via', via === undefined ? VIA[protocol] : `${via}, ${VIA[protocol]}`);
}
