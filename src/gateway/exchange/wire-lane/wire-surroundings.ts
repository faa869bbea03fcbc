/** What the connections of one wire lane share. */
import type { Socket } from 'node:net';
import type { Clock } from '../../../plugins/sdk/plugin-context.ts';
import type { ConnectionOrigin, ListenerView } from '../lane-connection.ts';
import type { Http1Surroundings } from '../full-lane/http1-session.ts';
import type { Door } from '../lane.ts';
import type { ConnectionLines } from './wire-answer-head.ts';
import type { HeadReader } from './wire-head.ts';
import type { WireSession } from './wire-session.ts';

export interface WireSurroundings {
  readonly door: Door;
  readonly view: ListenerView;
  readonly clock: Clock;
  readonly limits: Http1Surroundings['limits'];
  readonly reader: HeadReader;
  readonly lines: ConnectionLines;
  /** Takes a connection between two requests, its unread bytes put back; `served`: requests before. */
  readonly handOver: (socket: Socket, origin: ConnectionOrigin, served: number) => void;
  readonly sessions: Set<WireSession>;
}
