/** HTTP/2 of the full lane, on node:http2's streams. */
import {
  createServer,
  type Http2Session as NodeSession,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { ConnectionLimits } from '../connection-limits.ts';
import { LaneConnection, type ConnectionOrigin, type ListenerView } from '../lane-connection.ts';
import { Http2Session, type Http2Surroundings } from './http2-session.ts';

export interface Http2Server {
  /** Takes over a connection whose bytes are HTTP/2, preface included. */
  serve(socket: Socket, origin: ConnectionOrigin): void;
  readonly sessions: ReadonlySet<Http2Session>;
  close(): void;
}

export interface Http2ServerOptions extends Http2Surroundings {
  readonly view: ListenerView;
  readonly limits: ConnectionLimits & {
    /** At a time, on one connection. */
    readonly maxStreams: number;
  };
}

const STREAM_WINDOW_BYTES = 64 * 1024;
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
/**
 * Rapid Reset (CVE-2023-44487). A browser that leaves a page resets some dozen streams at once,
 * a gRPC client whose deadlines pass all that it has.
 */
const RESET_BURST = 500;
const RESETS_PER_SECOND = 100;
/** Empty DATA frames and others that are legal one by one. */
const MAX_INVALID_FRAMES = 100;

const SESSION = Symbol('http2Session');
type LaneSession = NodeSession & { [SESSION]?: Http2Session };

/**
 * Not through Fastify: it hands over node's HTTP/1 look-alike objects, which hide streams,
 * trailers, extended CONNECT and RST_STREAM, and cost more than the stream itself.
 */
export function createHttp2Server(options: Http2ServerOptions): Http2Server {
  const { limits } = options;
  const sessions = new Set<Http2Session>();
  let arriving: { readonly socket: Socket; readonly origin: ConnectionOrigin } | undefined;

  const server = createServer({
    // Twice what is allowed: up to there a request gets its 431, beyond it is reset by nghttp2.
    maxHeaderListPairs: limits.maxHeaderFields * 2 + 8,
    settings: {
      maxConcurrentStreams: limits.maxStreams,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: limits.maxHeaderBytes * 2 + limits.maxTargetBytes * 2,
      enableConnectProtocol: true,
    },
    streamResetBurst: RESET_BURST,
    streamResetRate: RESETS_PER_SECOND,
    maxSessionInvalidFrames: MAX_INVALID_FRAMES,
    // What an upstream sends twice is sent on twice.
    strictSingleValueFields: false,
  });

  server.on('session', (session: ServerHttp2Session) => {
    if (arriving === undefined) throw new Error('An HTTP/2 session without a connection');
    const { socket, origin } = arriving;
    const connection = new LaneConnection(options.view, origin, 'h2');
    const ours = new Http2Session(session, socket, connection, options);
    (session as LaneSession)[SESSION] = ours;
    sessions.add(ours);
    session.once('close', () => sessions.delete(ours));
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    });
  });
  server.on(
    'stream',
    (
      stream: ServerHttp2Stream,
      _headers: IncomingHttpHeaders,
      _flags: number,
      raw: readonly string[],
    ) => {
      const session = (stream.session as LaneSession)?.[SESSION];
      // Reset before it was announced: nobody is left to answer.
      if (session === undefined || stream.destroyed) stream.on('error', () => undefined);
      else session.serve(stream, raw);
    },
  );
  // Failures of a connection end its streams, which say so; this only keeps them from being thrown.
  server.on('sessionError', () => undefined);
  server.setTimeout(limits.idleTimeoutMs);
  server.on('timeout', (session: NodeSession) => {
    if ((session as LaneSession)[SESSION]?.idle === true) session.close();
  });

  const timer = setInterval(() => {
    for (const session of sessions) session.second();
  }, 1000).unref();

  return {
    sessions,
    serve(socket, origin) {
      // A client that ends its side has left: no stream of it can be completed any more.
      socket.allowHalfOpen = false;
      arriving = { socket, origin };
      server.emit('connection', socket);
      arriving = undefined;
    },
    close() {
      clearInterval(timer);
    },
  };
}
