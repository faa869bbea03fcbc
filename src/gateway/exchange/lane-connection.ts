/** The downstream connection as the full lane's requests see it. */
import type { Peer, PeerTls } from '../../plugins/sdk/exchange.ts';
import type { Connection, ForwardedLines, ListenerFacts } from './connection.ts';

/** Holds a listener's facts, which a reload replaces while connections live on. */
export interface ListenerView {
  facts: ListenerFacts;
}

/** What the listener learnt of a connection before handing it to a lane. */
export interface ConnectionOrigin {
  /** Canonical text; PROXY protocol's source where the listener reads it. */
  readonly address: string;
  readonly port: number;
  readonly trusted: boolean;
  readonly tls: PeerTls | undefined;
}

export class LaneConnection implements Connection {
  readonly address: string;
  readonly port: number;
  readonly trusted: boolean;
  readonly protocol: 'http/1.0' | 'http/1.1' | 'h2';
  readonly tls: PeerTls | undefined;
  peer: Peer | undefined = undefined;
  forwarded: ForwardedLines | undefined = undefined;
  readonly #view: ListenerView;

  constructor(view: ListenerView, origin: ConnectionOrigin, protocol: Connection['protocol']) {
    this.#view = view;
    this.address = origin.address;
    this.port = origin.port;
    this.trusted = origin.trusted;
    this.tls = origin.tls;
    this.protocol = protocol;
  }

  get listener(): ListenerFacts {
    return this.#view.facts;
  }
}
