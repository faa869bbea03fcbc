/** What the connections of one wire lane share. */
import type { Socket } from 'node:net';
import type { Http1Surroundings } from '../http1-surroundings.ts';
import type { ConnectionOrigin } from '../lane-connection.ts';
import type { HeadEnds } from './wire-answer-head.ts';
import type { HeadReader } from './wire-head.ts';
import type { WireSession } from './wire-session.ts';

export interface WireSurroundings extends Http1Surroundings {
  readonly reader: HeadReader;
  readonly headEnds: HeadEnds;
  /** Takes a connection between two requests, its unread bytes put back; `served`: requests before. */
  readonly handOver: (socket: Socket, origin: ConnectionOrigin, served: number) => void;
  readonly sessions: Set<WireSession>;
}
