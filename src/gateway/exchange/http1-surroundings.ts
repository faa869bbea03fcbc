/** What the HTTP/1 connections of one listener share, whichever lane carries them. */
import type { Clock } from '../../plugins/sdk/plugin-context.ts';
import type { HeadLimits } from './head-limits.ts';
import type { ListenerView } from './lane-connection.ts';
import type { Door } from './lane.ts';

export interface Http1Limits extends HeadLimits {
  /** To a whole head, from its first byte or from the connection's beginning. */
  readonly headerTimeoutMs: number;
  /** Between two requests, and for a client that does not read. */
  readonly idleTimeoutMs: number;
  /** Bytes per second of a request body; 0: no limit. */
  readonly minBodyRate: number;
  /** 0: no limit. */
  readonly maxRequestsPerConnection: number;
}

export interface Http1Surroundings {
  readonly door: Door;
  readonly view: ListenerView;
  readonly clock: Clock;
  readonly limits: Http1Limits;
}
