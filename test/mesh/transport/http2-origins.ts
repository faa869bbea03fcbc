/** HTTP/2 servers for the transport's tests: node:http2 for honest ones, raw sockets for odd ones. */
import { constants, createSecureServer, createServer } from 'node:http2';
import type {
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  IncomingHttpHeaders,
  ServerHttp2Stream,
  ServerOptions,
} from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Origin, OriginHandler, OriginRequest } from '../../contracts/upstream-origin.ts';
import { listen } from './http1-origins.ts';

export interface Http2OriginOptions extends ServerOptions {
  /** With it: TLS, ALPN h2. */
  readonly tls?: SecureContextOptions;
}

/** With requests and responses as node:http has them. */
export function createHttp2Origin(
  handler: OriginHandler,
  options: Http2OriginOptions = {},
): Promise<Origin> {
  const server = createNodeServer(options);
  const onRequest = (request: Http2ServerRequest, response: Http2ServerResponse): void =>
    handler({
      // It differs in no more than that it may say undefined for what it lacks.
      request: request as Http2ServerRequest & OriginRequest,
      response,
      reset: () => request.stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    });
  server.on('request', onRequest);
  server.on('checkContinue', onRequest);
  return listenHttp2(server, options);
}

/** With the streams themselves. */
export function createStreamOrigin(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: string[]) => void,
  options: Http2OriginOptions = {},
): Promise<Origin> {
  const server = createNodeServer(options);
  server.on('stream', (stream, headers, _flags, raw) => {
    stream.on('error', ignore);
    onStream(stream, headers, raw);
  });
  return listenHttp2(server, options);
}

function createNodeServer({ tls, ...options }: Http2OriginOptions): Http2Server {
  // Both are net servers that emit the same events.
  return tls === undefined ? createServer(options) : createSecureServer({ ...options, ...tls });
}

function listenHttp2(server: Http2Server, { tls }: Http2OriginOptions): Promise<Origin> {
  server.on('sessionError', ignore);
  return listen(server, tls === undefined ? 'h2c' : 'h2');
}

/** Whatever a socket says, with nobody to parse what is received. */
export function createRawHttp2Origin(onConnection: (socket: Socket) => void): Promise<Origin> {
  const server = createTcpServer({ noDelay: true }, (socket) => {
    socket.on('error', ignore);
    onConnection(socket);
  });
  return listen(server, 'h2c');
}

/** A frame as bytes (RFC 9113 §4.1). */
export function toFrame(type: number, flags: number, streamId: number, payload = ''): Buffer {
  const bytes = Buffer.from(payload, 'latin1');
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, bytes]);
}

/** A frame as received (RFC 9113 §4.1). */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

const CLIENT_PREFACE_BYTES = 24;

/** Reads a client's frames off a raw socket. */
export function readFrames(socket: Socket, onFrame: (frame: Frame) => void): void {
  let bytes = Buffer.alloc(0);
  let isPrefaceRead = false;
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (!isPrefaceRead) {
      if (bytes.length < CLIENT_PREFACE_BYTES) return;
      bytes = bytes.subarray(CLIENT_PREFACE_BYTES);
      isPrefaceRead = true;
    }
    while (bytes.length >= 9) {
      const end = 9 + bytes.readUIntBE(0, 3);
      if (bytes.length < end) return;
      onFrame({
        type: bytes.readUInt8(3),
        flags: bytes.readUInt8(4),
        streamId: bytes.readUInt32BE(5),
        payload: bytes.subarray(9, end),
      });
      bytes = bytes.subarray(end);
    }
  });
}

/** An empty SETTINGS frame: all that it takes for a session to count as open. */
export const SETTINGS = toFrame(4, 0, 0);

function ignore(): void {}

/** An origin that keeps its streams for the test to answer. */
export interface HoldingOrigin {
  readonly origin: Origin;
  readonly streams: ServerHttp2Stream[];
  /** Resolves once so many streams have come in all. */
  readonly until: (count: number) => Promise<void>;
}

export async function createHoldingOrigin(maxConcurrentStreams?: number): Promise<HoldingOrigin> {
  const streams: ServerHttp2Stream[] = [];
  let onStream = (): void => {};
  const origin = await createStreamOrigin(
    (stream) => {
      streams.push(stream);
      onStream();
    },
    maxConcurrentStreams === undefined ? {} : { settings: { maxConcurrentStreams } },
  );
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onStream = () => {
        if (streams.length >= count) resolve();
      };
      onStream();
    });
  return { origin, streams, until };
}

export function answer(stream: ServerHttp2Stream, body = 'ok'): void {
  stream.respond({ ':status': 200 });
  stream.end(body);
}
