/** Upstreams for the protocol tests: node's own servers, and sockets that a test drives byte by byte. */
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import {
  createSecureServer,
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import type { TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';
import { RawClient } from '../../gateway/exchange/raw-client.ts';

export interface TestOrigin {
  readonly port: number;
  /** As an endpoint of a service has it. */
  readonly address: string;
  close(): Promise<void>;
}

export async function listen(server: Server): Promise<TestOrigin> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', ignore).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    address: `127.0.0.1:${port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** node:http, or node:https where `tls` is given; requests that expect 100 come to the same handler. */
export function startHttp1Origin(handler: RequestListener, tls?: TlsOptions): Promise<TestOrigin> {
  const server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  // Its checkContinue listener keeps node from saying 100 by itself.
  server.on('request', handler).on('checkContinue', handler);
  server.keepAliveTimeout = 120_000;
  return listen(server);
}

export type StreamHandler = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  raw: readonly string[],
) => void;

/** node:http2 in the clear, or with ALPN where `tls` is given. */
export function startHttp2Origin(
  handler: StreamHandler,
  options: { readonly tls?: TlsOptions; readonly settings?: Settings } = {},
): Promise<TestOrigin> {
  const { tls, settings = {} } = options;
  // Both emit the same events.
  const server: Http2Server =
    tls === undefined ? createHttp2Server({ settings }) : createSecureServer({ settings, ...tls });
  server.on('stream', (stream, headers, _flags, raw: string[]) => {
    stream.on('error', ignore);
    handler(stream, headers, raw);
  });
  server.on('sessionError', ignore);
  return listen(server);
}

/** An upstream whose every byte the test writes. Each request comes on a connection of its own. */
export interface RawOrigin extends TestOrigin {
  /** The next connection that the gateway makes, or has made and nobody has taken yet. */
  nextPeer(): Promise<RawClient>;
  /** Connections made so far. */
  readonly accepted: number;
}

export async function startRawOrigin(): Promise<RawOrigin> {
  const arrived: Socket[] = [];
  const wanted: ((socket: Socket) => void)[] = [];
  let accepted = 0;
  const server = createTcpServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    accepted++;
    const take = wanted.shift();
    if (take === undefined) arrived.push(socket);
    else take(socket);
  });
  const origin = await listen(server);
  return {
    ...origin,
    get accepted() {
      return accepted;
    },
    async nextPeer() {
      // What one test has not taken is not for the next.
      onTestFinished(() => void (wanted.length = arrived.length = 0));
      const socket = arrived.shift() ?? (await new Promise<Socket>((take) => wanted.push(take)));
      return new RawClient(socket);
    },
  };
}

/** A service for a raw origin: no connection is used twice, nothing is tried again. */
export function rawService(origin: TestOrigin, more: object = {}): object {
  return {
    endpoints: [{ address: origin.address }],
    retry: { attempts: 0 },
    ...more,
    timeouts: { keepAlive: '0s', ...(more as { timeouts?: object }).timeouts },
  };
}

function ignore(): void {}
