/** Opens the HTTP/2 sessions of an upstream: connection, TLS with ALPN, SETTINGS, within one connect timeout. */
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session, SecureClientSessionOptions, Settings } from 'node:http2';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { TLSSocket } from 'node:tls';
import { isTlsAlert, SocketConnector } from './connector.ts';
import type { ConnectAttempt } from './connector.ts';
import { isProtocolError } from './http2-failure.ts';
import { toUnsentError, type UpstreamError, type UpstreamFailure } from './upstream-error.ts';
import type { UpstreamLimits, UpstreamTarget } from './upstream.ts';

/** A session whose peer has shown by its SETTINGS that it speaks HTTP/2. */
export interface Http2Link {
  readonly session: ClientHttp2Session;
  /** For what the session does not tell: bytes read, and an end at once. */
  readonly socket: Socket;
  readonly peerSettings: Settings;
}

export interface Http2ConnectObserver {
  onConnected(link: Http2Link): void;
  onConnectFailed(error: UpstreamError): void;
}

/**
 * What a peer may send on one stream before we have read it. A stream's throughput is its window
 * over the round trip: the default 64 KiB gives 1.3 MB/s at 50 ms, 1 MiB gives 20. It is also
 * what a stream can cost in memory while its reader is paused.
 */
const STREAM_WINDOW_BYTES = 1024 * 1024;

/**
 * The same for all streams together, so that a few fast ones do not use it up. It costs no
 * memory: node gives back what arrives at once, whether or not it has been read, and leaves
 * holding back to the streams' windows. So a paused stream never holds up its siblings.
 */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

export class Http2Connector {
  readonly #isTls: boolean;
  readonly #sockets: SocketConnector;
  readonly #connectTimeoutMs: number;
  readonly #maxHeadBytes: number;

  constructor(target: UpstreamTarget, limits: UpstreamLimits) {
    this.#isTls = target.protocol === 'h2';
    this.#sockets = new SocketConnector(target, limits, 'h2');
    this.#connectTimeoutMs = limits.connectTimeoutMs;
    this.#maxHeadBytes = limits.maxHeadBytes;
  }

  /** The observer is never called before this has returned. */
  open(observer: Http2ConnectObserver): ConnectAttempt {
    const startedAtMs = performance.now();
    let current = this.#sockets.open({
      onConnected: (socket) => {
        if (this.#isTls && (socket as TLSSocket).alpnProtocol !== 'h2') {
          socket.on('error', ignore);
          socket.destroy();
          observer.onConnectFailed(toUnsentError('tls', NO_ALPN));
          return;
        }
        current = this.#greet(socket, startedAtMs, observer);
      },
      onConnectFailed: (error) => observer.onConnectFailed(toAlpnError(error)),
    });
    return { cancel: () => current.cancel() };
  }

  /**
   * A session counts as open once the peer's SETTINGS are here (as gRPC has it). That is one
   * round trip more on a new connection, and for it no try is spent on a peer that does not
   * speak HTTP/2, none is sent beyond the peer's stream limit, and extended CONNECT is known.
   */
  #greet(socket: Socket, startedAtMs: number, observer: Http2ConnectObserver): ConnectAttempt {
    // @types/node knows the last option for servers alone, node for clients too.
    const options: SecureClientSessionOptions & { strictSingleValueFields: boolean } = {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: this.#maxHeadBytes,
      },
      // Each field counts 32 bytes and more (RFC 9113 §6.5.2), so our own check of maxHeadBytes,
      // which says what is wrong, comes before node's silent reset.
      maxHeaderListPairs: Math.ceil(this.#maxHeadBytes / 16),
      // Node ends streams at random when a session exceeds its default of 10 MB, which a few
      // paused readers do. The bound is streams times STREAM_WINDOW_BYTES.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
      // A proxy passes on what the client said twice; it is for the upstream to refuse it.
      strictSingleValueFields: false,
    };
    // The authority is never used: every request brings its own.
    const session = connectHttp2('http://upstream.invalid', options);
    let lastError: Error | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      session.off('remoteSettings', onSettings);
      session.off('error', onError);
      session.off('close', onClose);
      socket.off('error', onSocketError);
    };
    const giveUp = (failure: UpstreamFailure, message: string): void => {
      settle();
      discard(session, socket);
      observer.onConnectFailed(toUnsentError(failure, message, lastError));
    };
    const onSettings = (peerSettings: Settings): void => {
      settle();
      observer.onConnected({ session, socket, peerSettings });
    };
    // 'close' follows, and is the only one where the peer just closes.
    const onError = (error: Error): void => {
      lastError = error;
    };
    const onClose = (): void => {
      if (isProtocolError(lastError)) {
        giveUp('protocol', 'the upstream does not speak HTTP/2');
      } else if (isTlsAlert(lastError)) {
        giveUp('tls', 'the TLS handshake failed');
      } else {
        giveUp('reset', 'the upstream closed the connection before its HTTP/2 settings');
      }
    };
    // Node does not tell the session of a TLS alert (seen on 24.21).
    const onSocketError = (error: Error): void => {
      lastError = error;
      onClose();
    };
    const onTimeout = (): void => {
      const waitedMs = this.#connectTimeoutMs;
      giveUp('connect-timeout', `connected, but no HTTP/2 settings within ${waitedMs} ms`);
    };
    const spentMs = performance.now() - startedAtMs;
    const timer = setTimeout(onTimeout, Math.max(1, this.#connectTimeoutMs - spentMs));
    socket.on('error', onSocketError);
    session.on('remoteSettings', onSettings);
    session.on('error', onError);
    session.on('close', onClose);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    return {
      cancel: () => {
        settle();
        discard(session, socket);
      },
    };
  }
}

const NO_ALPN = 'the upstream did not negotiate HTTP/2 (no "h2" in its ALPN)';

/** A peer that knows ALPN but not h2 says so by an alert (RFC 7301 §3.2). */
function toAlpnError(error: UpstreamError): UpstreamError {
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  if (code !== 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL') return error;
  return toUnsentError('tls', NO_ALPN, error.cause);
}

/** An error of the dying session is nobody's concern, but would end the process. */
function discard(session: ClientHttp2Session, socket: Socket): void {
  session.on('error', ignore);
  socket.on('error', ignore);
  session.destroy();
  socket.destroy();
}

function ignore(): void {}
