/**
 * The part of a WebSocket handshake that a client over HTTP/2 leaves out (RFC 8441 §5) and an
 * upstream that speaks HTTP/1.1 insists on (RFC 6455 §4): here the gateway is the client.
 */
import { randomBytes } from 'node:crypto';
import { toWebSocketAccept } from '../../mesh/transport/websocket-accept.ts';
import { UpstreamError } from '../../mesh/transport/upstream-error.ts';
import { HeaderFields } from '../../plugins/sdk/header-fields.ts';

const KEY_BYTES = 16;

export function createHandshakeKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

/** Where the gateway's key stands, in place of whatever the client sent. */
export const KEY_FIELD = 'Sec-WebSocket-Key';

/** Why an upstream's 101 is not believed: it answers another key (RFC 6455 §4.1). */
export function findForeignHandshake(
  headers: readonly string[],
  key: string,
): UpstreamError | undefined {
  const fields = new HeaderFields([...headers]);
  if (fields.get('sec-websocket-accept') === toWebSocketAccept(key)) return undefined;
  return new UpstreamError(
    'protocol',
    'Sec-WebSocket-Accept does not answer the key that was sent',
    {
      sent: true,
      answered: true,
      reused: false,
    },
  );
}
