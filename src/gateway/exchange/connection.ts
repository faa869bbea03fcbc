/** What is known of a downstream connection; made once when it is accepted, shared by its requests. */
import type { Peer, PeerTls } from '../../plugins/sdk/exchange.ts';
import type { MeshDoor } from '../config/listener-config.ts';

/** The listener as requests see it. */
export interface ListenerFacts {
  /** Undefined: an edge listener. */
  readonly door: MeshDoor | undefined;
  readonly name: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** Names this listener serves, lower case, `*.x` allowed; empty is any. */
  readonly hosts: readonly string[];
  /** Default limit of a request body, in bytes. */
  readonly maxBodyBytes: number;
  /** Longest request target, in bytes. */
  readonly maxTargetBytes: number;
  /** Its time to drain has passed: what is still open ends because of that. */
  readonly isCut: boolean;
}

/** They stay the same as long as requests name the same host. */
export interface ForwardedLines {
  readonly authority: string;
  readonly lines: string;
}

export interface Connection {
  readonly listener: ListenerFacts;
  /** Where the bytes come from, in canonical text; PROXY protocol's source where the listener reads it. */
  readonly address: string;
  readonly port: number;
  /** The address is in `trustedProxies`: its forwarding headers are believed. */
  readonly trusted: boolean;
  readonly protocol: 'http/1.0' | 'http/1.1' | 'h2';
  readonly tls: PeerTls | undefined;
  /** The client as its requests see it, where nobody stands before it; made with the first. */
  peer: Peer | undefined;
  /** What says upstream where its latest request came from, where forwarding has made it (`upstream-headers.ts`). */
  forwarded: ForwardedLines | undefined;
}
