/** Ends TLS on accepted connections and says which protocol was agreed on. */
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { CertificateStore } from './certificate-store.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface TlsDoorOptions {
  readonly store: CertificateStore;
  readonly clientAuth: 'request' | 'require' | undefined;
  /** 48 bytes, by which sessions are resumed. Default: random. */
  readonly ticketKeys?: Buffer | undefined;
  readonly onSecure: (socket: TLSSocket, protocol: 'h2' | 'http1') => void;
  /** A handshake failed or took too long; the connection is gone. */
  readonly onFailed: () => void;
}

export interface TlsDoor {
  /** Takes over a plain connection; what has been read of it is to be put back before. */
  secure(socket: Socket): void;
}

/** The TLS server never listens: connections are accepted, and PROXY headers read, before it. */
export function createTlsDoor(options: TlsDoorOptions): TlsDoor {
  const { store } = options;
  const server = createServer({
    ...store.fallback,
    ALPNProtocols: ['h2', 'http/1.1'],
    SNICallback(serverName, done) {
      // A throw here would end the process; without a context the default one answers.
      let context;
      try {
        context = store.choose(serverName);
      } catch {
        context = undefined;
      }
      done(null, context);
    },
    requestCert: options.clientAuth !== undefined,
    rejectUnauthorized: options.clientAuth === 'require',
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    allowHalfOpen: true,
    ...(options.ticketKeys !== undefined && { ticketKeys: options.ticketKeys }),
  });
  store.onChange = (fallback) => server.setSecureContext(fallback);
  server.on('secureConnection', (socket) => {
    options.onSecure(socket, socket.alpnProtocol === 'h2' ? 'h2' : 'http1');
  });
  server.on('tlsClientError', (_error, socket) => {
    options.onFailed();
    socket.destroy();
  });
  return {
    secure(socket) {
      server.emit('connection', socket);
    },
  };
}
