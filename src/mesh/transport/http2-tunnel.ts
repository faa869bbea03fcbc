/** A WebSocket over HTTP/2 (RFC 8441), told as the HTTP/1.1 handshake that the port speaks of. */
import type { UpstreamRequest } from './upstream.ts';
import { toWebSocketAccept } from './websocket-accept.ts';

/**
 * The field lines of the 101 that an HTTP/1.1 upstream would have sent in place of this 2xx.
 * Sec-WebSocket-Accept answers a key that HTTP/2 does not carry, so it is made here.
 */
export function toSwitchingFields(request: UpstreamRequest, fields: readonly string[]): string[] {
  const switching = ['connection', 'Upgrade', 'upgrade', request.upgrade ?? ''];
  const key = findKey(request.headers);
  if (key !== undefined) switching.push('sec-websocket-accept', toWebSocketAccept(key));
  for (let i = 0; i < fields.length; i += 2) {
    // Whatever it says cannot be for the key.
    if (fields[i] !== 'sec-websocket-accept') switching.push(fields[i]!, fields[i + 1]!);
  }
  return switching;
}

function findKey(headers: readonly string[]): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === 'sec-websocket-key') return headers[i + 1]!.trim();
  }
  return undefined;
}
