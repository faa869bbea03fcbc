/** HTTP/1.1 servers for the transport's tests: node:http for honest ones, raw sockets for odd ones. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import type { UpstreamTarget } from '../../../src/mesh/transport/upstream.ts';
import type {
  Origin,
  OriginHandler,
  OriginRequest,
  OriginResponse,
} from '../../contracts/upstream-origin.ts';

/** node:http, or node:https where `tls` is given. */
export async function createNodeOrigin(handler: OriginHandler, tls?: TlsOptions): Promise<Origin> {
  const server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  const onRequest = (
    request: OriginRequest & { readonly socket: Socket },
    response: OriginResponse,
  ): void => handler({ request, response, reset: () => resetSocket(request.socket) });
  server.on('request', onRequest);
  server.on('checkContinue', onRequest);
  // Longer than any test, so that only the test decides when a connection ends.
  server.keepAliveTimeout = 120_000;
  return listen(server, tls === undefined ? 'http1' : 'https');
}

function resetSocket(socket: Socket): void {
  // Under TLS there is no RST to be had; an end without close_notify is as abrupt.
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

/** One connection of a raw origin. */
export interface RawPeer {
  readonly socket: Socket;
  /** 1 for the first connection accepted. */
  readonly connection: number;
  /** 1 for the first request on this connection. */
  readonly request: number;
  /** The request's head, without the empty line. */
  readonly head: string;
}

/** Answers with bytes written by hand: called at the end of each request's head. */
export async function createRawOrigin(onRequest: (peer: RawPeer) => void): Promise<Origin> {
  let connections = 0;
  const server = createTcpServer({ noDelay: true }, (socket) => {
    const connection = ++connections;
    let request = 0;
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        onRequest({ socket, connection, request: ++request, head });
      }
    });
  });
  return listen(server, 'http1');
}

/** Starts to listen on a free port, and counts. */
export async function listen(
  server: Server,
  protocol: UpstreamTarget['protocol'],
): Promise<Origin> {
  let accepted = 0;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    target: { host: '127.0.0.1', port, protocol },
    accepted: () => accepted,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
