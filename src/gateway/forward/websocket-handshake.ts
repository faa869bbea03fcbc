/** What a WebSocket handshake over HTTP/2 (RFC 8441) lacks for an upstream that speaks HTTP/1.1 (RFC 6455). */
import { randomBytes } from 'node:crypto';
import { sameName } from '../../plugins/sdk/header-fields.ts';

/** The list with a Sec-WebSocket-Key, where a client over HTTP/2 had no reason to send one. */
export function withHandshakeKey(headers: string[]): string[] {
  for (let i = 0; i < headers.length; i += 2) {
    if (sameName(headers[i]!, 'sec-websocket-key')) return headers;
  }
  headers.push('Sec-WebSocket-Key', randomBytes(16).toString('base64'));
  return headers;
}
