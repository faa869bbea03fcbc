/** The way of an accepted connection to the lane: PROXY header, TLS, which protocol. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ListenerConfig } from '../config/listener-config.ts';
import { toCanonicalAddress } from '../exchange/canonical-address.ts';
import type { ConnectionOrigin } from '../exchange/lane-connection.ts';
import type { Lanes } from '../exchange/lanes.ts';
import { readOpening } from './opening-bytes.ts';
import { toPeerTls } from './peer-tls.ts';
import { sniffProtocol } from './protocol-sniff.ts';
import { parseProxyHeader, type ProxySource } from './proxy-protocol.ts';
import type { TlsDoor } from './tls-door.ts';

/** What holds for connections that arrive now; a reload replaces it. */
export interface EntranceTerms {
  readonly config: ListenerConfig;
  /** Whether an address, in canonical text, is in `trustedProxies`. */
  readonly trusts: (address: string) => boolean;
  readonly lane: Lanes;
  /** Undefined: plain. */
  readonly tls: TlsDoor | undefined;
}

export interface EntranceOptions {
  readonly terms: () => EntranceTerms;
  /** A PROXY header was malformed, or came from an address that is not trusted. */
  readonly onProxyRefused: (address: string, reason: string) => void;
}

export class Entrance {
  /** On their way: not known yet to be one protocol or the other. */
  readonly entering = new Set<Socket>();
  readonly #options: EntranceOptions;
  /** Of connections whose handshake is under way, by their addresses. */
  readonly #handshakes = new Map<
    string,
    { readonly socket: Socket; readonly source: ProxySource }
  >();

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  admit(socket: Socket): void {
    // The client may be gone again before it was accepted.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const peer = { address: toCanonicalAddress(socket.remoteAddress), port: socket.remotePort! };
    this.entering.add(socket);
    socket.once('close', () => this.entering.delete(socket));
    if (this.#options.terms().config.proxyProtocol) this.#readProxyHeader(socket, peer);
    else this.#enter(socket, peer);
  }

  /** A handshake is complete. */
  secured(socket: TLSSocket, protocol: 'h2' | 'http1'): void {
    // The TLS server makes a socket of its own over the accepted one and does not say which.
    const found = this.#handshakes.get(addressKey(socket));
    socket.on('error', () => undefined);
    if (found === undefined) {
      socket.destroy();
      return;
    }
    this.entering.delete(found.socket);
    this.#serve(socket, protocol, { ...this.#toOrigin(found.source), tls: toPeerTls(socket) });
  }

  #readProxyHeader(socket: Socket, peer: ProxySource): void {
    const { config, trusts } = this.#options.terms();
    // Whoever may send this header may claim any address.
    if (!trusts(peer.address)) {
      this.#options.onProxyRefused(peer.address, 'the peer is not a trusted proxy');
      socket.destroy();
      return;
    }
    readOpening(socket, config.limits.headerTimeoutMs, {
      judge: (bytes) => {
        const header = parseProxyHeader(bytes);
        return header.kind === 'partial' ? undefined : header;
      },
      onJudged: (header, bytes) => {
        if (header.kind === 'malformed') {
          this.#options.onProxyRefused(peer.address, header.reason);
          socket.destroy();
          return;
        }
        if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
        this.#enter(socket, header.source ?? peer);
      },
    });
  }

  #enter(socket: Socket, source: ProxySource): void {
    const { config, tls } = this.#options.terms();
    if (tls !== undefined) {
      const key = addressKey(socket);
      this.#handshakes.set(key, { socket, source });
      socket.once('close', () => this.#handshakes.delete(key));
      tls.secure(socket);
      return;
    }
    readOpening(socket, config.limits.headerTimeoutMs, {
      judge: sniffProtocol,
      onJudged: (protocol, bytes) => {
        socket.unshift(bytes);
        this.entering.delete(socket);
        this.#serve(socket, protocol, this.#toOrigin(source));
      },
    });
  }

  #serve(socket: Socket, protocol: 'h2' | 'http1', origin: ConnectionOrigin): void {
    const { lane } = this.#options.terms();
    if (protocol === 'h2') lane.http2(socket, origin);
    else lane.http1(socket, origin);
  }

  #toOrigin({ address, port }: ProxySource): ConnectionOrigin {
    return { address, port, trusted: this.#options.terms().trusts(address), tls: undefined };
  }
}

/** A connection's four-tuple without the listening port, which is one. */
function addressKey(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}|${socket.localAddress}`;
}
