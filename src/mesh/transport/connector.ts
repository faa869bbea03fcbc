/** Opens the sockets of an upstream, plain or TLS, each within the connect timeout. */
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, createSecureContext } from 'node:tls';
import type { ConnectionOptions, SecureContext, TLSSocket } from 'node:tls';
import type { SocketShare } from './socket-budget.ts';
import { toUnsentError, type UpstreamError, type UpstreamFailure } from './upstream-error.ts';
import type { UpstreamLimits, UpstreamTarget } from './upstream.ts';

export interface ConnectObserver {
  /** The socket is connected, its handshake done, and nobody listens to it any more. */
  onConnected(socket: Socket): void;
  onConnectFailed(error: UpstreamError): void;
}

/** An attempt under way. */
export interface ConnectAttempt {
  /** Gives it up; the observer hears no more. */
  cancel(): void;
}

/** A silent peer's tunnel or long stream is found dead after this. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** What the system says when it is this side that has nothing left to connect with. */
const OWN_LACK: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS']);

/** Whether a connection failed for want of descriptors or buffers here, and not for the peer. */
export function isOwnLack(error: NodeJS.ErrnoException): boolean {
  return OWN_LACK.has(error.code);
}

/** In TLS 1.3 a peer judges our certificate after the handshake has ended for us: its verdict comes as an alert. */
export function isTlsAlert(error: NodeJS.ErrnoException | undefined): boolean {
  return error?.code?.startsWith('ERR_SSL_') === true;
}

export class SocketConnector {
  readonly #target: UpstreamTarget;
  readonly #connectTimeoutMs: number;
  readonly #sockets: SocketShare | undefined;
  /** The one protocol to offer by ALPN (RFC 7301). */
  readonly #alpnProtocol: string;
  #secureContext: SecureContext | undefined;
  /** The last TLS session, to resume; it is never shared with another upstream. */
  #session: Buffer | undefined;

  constructor(
    target: UpstreamTarget,
    limits: Pick<UpstreamLimits, 'connectTimeoutMs' | 'sockets'>,
    alpnProtocol = 'http/1.1',
  ) {
    this.#target = target;
    this.#connectTimeoutMs = limits.connectTimeoutMs;
    this.#sockets = limits.sockets;
    this.#alpnProtocol = alpnProtocol;
  }

  /** The observer is never called before this has returned. */
  open(observer: ConnectObserver): ConnectAttempt {
    const isTls = this.#target.protocol === 'https' || this.#target.protocol === 'h2';
    const sockets = this.#sockets;
    if (sockets?.tryTake() === false) {
      return failSoon(observer, 'exhausted', 'as many sockets are open as may be', undefined);
    }
    let socket: Socket;
    try {
      socket = isTls ? this.#openTls() : this.#openTcp();
    } catch (cause) {
      sockets?.giveBack();
      // An unreadable certificate, or a port out of range.
      return failSoon(
        observer,
        isTls ? 'tls' : 'connect',
        'the connection cannot be set up',
        cause,
      );
    }
    if (sockets !== undefined) socket.once('close', () => sockets.giveBack());
    const readyEvent = isTls ? 'secureConnect' : 'connect';
    let isTcpConnected = false;
    const settle = (): void => {
      clearTimeout(timer);
      socket.off('connect', onTcpConnected);
      socket.off(readyEvent, onReady);
      socket.off('error', onError);
      socket.off('close', onClose);
    };
    const giveUp = (failure: UpstreamFailure, message: string, cause?: unknown): void => {
      settle();
      // An error of the dying socket is nobody's concern, but would end the process.
      socket.on('error', ignore);
      socket.destroy();
      if (failure === 'tls') this.#session = undefined;
      observer.onConnectFailed(toUnsentError(failure, message, cause));
    };
    const onTcpConnected = (): void => {
      isTcpConnected = true;
    };
    const onReady = (): void => {
      settle();
      observer.onConnected(socket);
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      if (isOwnLack(error)) giveUp('exhausted', 'no socket to connect with', error);
      else if (isTls && isTcpConnected) giveUp('tls', 'the TLS handshake failed', error);
      else giveUp('connect', 'no connection', error);
    };
    const onClose = (): void => onError(new Error('closed while connecting'));
    const onTimeout = (): void => {
      giveUp('connect-timeout', `no connection within ${this.#connectTimeoutMs} ms`);
    };
    const timer = setTimeout(onTimeout, this.#connectTimeoutMs);
    socket.on('connect', onTcpConnected);
    socket.on(readyEvent, onReady);
    socket.on('error', onError);
    socket.on('close', onClose);
    return {
      cancel: () => {
        settle();
        socket.on('error', ignore);
        socket.destroy();
      },
    };
  }

  #openTcp(): Socket {
    const { host, port } = this.#target;
    return connectTcp({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    });
  }

  #openTls(): TLSSocket {
    const { host, port, tls } = this.#target;
    const serverName = tls?.serverName ?? host;
    const options: ConnectionOptions = {
      host,
      port,
      secureContext: this.#getSecureContext(),
      ALPNProtocols: [this.#alpnProtocol],
      rejectUnauthorized: tls?.verify ?? true,
      // Node would verify the host we connect to, which may be an address.
      checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
    };
    // An address is not a name to ask for (RFC 6066 §3).
    if (isIP(serverName) === 0) options.servername = serverName;
    if (this.#session !== undefined) options.session = this.#session;
    const socket = connectTls(options);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    socket.on('session', (session) => {
      this.#session = session;
    });
    return socket;
  }

  /** Reads the certificates once, and only when they are needed. */
  #getSecureContext(): SecureContext {
    const { tls } = this.#target;
    this.#secureContext ??= createSecureContext({
      minVersion: 'TLSv1.2',
      ...(tls?.ca !== undefined && { ca: tls.ca }),
      ...(tls?.cert !== undefined && { cert: tls.cert }),
      ...(tls?.key !== undefined && { key: tls.key }),
    });
    return this.#secureContext;
  }
}

function failSoon(
  observer: ConnectObserver,
  failure: UpstreamFailure,
  message: string,
  cause: unknown,
): ConnectAttempt {
  const turn = setImmediate(() => observer.onConnectFailed(toUnsentError(failure, message, cause)));
  return { cancel: () => clearImmediate(turn) };
}

function ignore(): void {}
