/** A service behind the gateway: tells its name, and keeps what it was asked. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createHttp2Server, createSecureServer } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { freePort } from '../../redis/free-port.ts';

/** A request as it arrived. */
export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Field lines in order, for what must be a line of its own. */
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** The client's end of the connection that brought it. */
  readonly remotePort: number;
}

export type OriginAnswer = (asked: Asked, response: ServerResponse) => void;

export interface Origin {
  readonly name: string;
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Requests so far. */
  readonly asked: Asked[];
  /** How it answers; at first 200 with its name. */
  answer: OriginAnswer;
  /** Resolves with the `count`th request, counted from 1, once it is there. */
  request(count: number): Promise<Asked>;
  stop(): Promise<void>;
}

export interface OriginOptions {
  /** Default `http1`. */
  readonly protocol?: 'http1' | 'h2c' | 'https' | 'h2';
  /** For `https` and `h2`. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  readonly answer?: OriginAnswer;
}

export async function startOrigin(name: string, options: OriginOptions = {}): Promise<Origin> {
  const asked: Asked[] = [];
  const waiting: (() => void)[] = [];
  const server = createHttpServer(options, (request, response) => {
    void take(request).then(
      (one) => {
        asked.push(one);
        for (const wake of waiting.splice(0)) wake();
        origin.answer(one, response);
      },
      // It broke off: there is nothing to keep, and nobody to answer.
      () => undefined,
    );
  });
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  };
  server.on('connection', keep);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin: Origin = {
    name,
    port,
    address: `127.0.0.1:${port}`,
    asked,
    answer: options.answer ?? ((_asked, response) => response.end(name)),
    async request(count) {
      while (asked.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      return asked[count - 1]!;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return origin;
}

/** Several that differ in their names alone. */
export function startOrigins(...names: readonly string[]): Promise<Origin[]> {
  return Promise.all(names.map((name) => startOrigin(name)));
}

function createHttpServer({ protocol, tls }: OriginOptions, listener: RequestListener): Server {
  // The compatibility API of node:http2 serves what is used here alike.
  const onHttp2 = listener as never;
  const secure = { ...tls, ...(tls?.ca !== undefined && { requestCert: true }) };
  switch (protocol) {
    case 'h2c':
      return createHttp2Server(onHttp2);
    case 'https':
      return createHttpsServer(secure, listener);
    case 'h2':
      return createSecureServer(secure, onHttp2);
    case 'http1':
    case undefined:
      return createServer(listener);
    default:
      return protocol satisfies never;
  }
}

async function take(request: IncomingMessage): Promise<Asked> {
  const { method = '', url = '', headers, rawHeaders, socket } = request;
  const lines: [string, string][] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
  const remotePort = socket.remotePort ?? 0;
  return { method, target: url, headers, lines, body: await text(request), remotePort };
}

/** An address where nobody listens: a connection to it is refused. */
export async function deadAddress(): Promise<string> {
  return `127.0.0.1:${await freePort()}`;
}
