/** What a finished handshake told about the client. */
import type { TLSSocket } from 'node:tls';
import type { PeerTls } from '../../plugins/sdk/exchange.ts';

/** Read once: after the connection has closed, when logs are written, it is no longer known. */
export function toPeerTls(socket: TLSSocket): PeerTls {
  const { servername } = socket as TLSSocket & { readonly servername?: string | false | null };
  // `authorized` also says that a certificate was asked for and its chain holds.
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  return {
    serverName: typeof servername === 'string' ? servername.toLowerCase() : undefined,
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    clientCertificate:
      certificate === undefined
        ? undefined
        : {
            subject: certificate.subject.split('\n').join(', '),
            fingerprint256: certificate.fingerprint256,
          },
  };
}
