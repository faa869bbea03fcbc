/** What the HTTP/1 connections of one listener share, whichever lane carries them. */
import type { Clock } from '../../plugins/sdk/plugin-context.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { ListenerView } from './lane-connection.ts';
import type { Door } from './lane.ts';

export interface Http1Limits extends ConnectionLimits {
  /** To a whole head, from its first byte or from the connection's beginning. */
  readonly headerTimeoutMs: number;
}

export interface Http1Surroundings {
  readonly door: Door;
  readonly view: ListenerView;
  readonly clock: Clock;
  readonly limits: Http1Limits;
}
