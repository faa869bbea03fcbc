/** A client that opens WebSockets over HTTP/2 (RFC 8441), with frames by hand. */
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream, Settings } from 'node:http2';
import { openSession, type Ports } from './http2-client.ts';
import { parseFrames, TEXT, toFrame } from './websocket-frames.ts';

/** A session that may open WebSockets. */
export async function openTunnelSession(gateway: Ports, tls: boolean): Promise<ClientHttp2Session> {
  const session = openSession(gateway, tls);
  const [settings] = (await once(session, 'remoteSettings')) as [Settings];
  if (settings.enableConnectProtocol !== true) throw new Error('WebSockets are not allowed');
  return session;
}

export function extendedConnect(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const stream = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'https',
      ':authority': 'chat.test',
      ':path': path,
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'v3, v2',
      origin: 'https://chat.test',
    },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  return stream;
}

/** Collects what a stream receives; `next` waits for a whole frame. */
export function readFrames(stream: ClientHttp2Stream): {
  next(): Promise<string>;
  readonly bytes: Buffer;
} {
  let bytes = Buffer.alloc(0);
  let taken = 0;
  stream.on('data', (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
  return {
    get bytes() {
      return bytes;
    },
    async next() {
      while (parseFrames(bytes).length <= taken) await once(stream, 'data');
      return parseFrames(bytes)[taken++]!.payload.toString();
    },
  };
}

export const say = (stream: ClientHttp2Stream, text: string): boolean =>
  stream.write(toFrame(TEXT, text, { masked: true }));
