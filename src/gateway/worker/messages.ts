/** What the supervisor and a worker say to each other about the worker itself. */
import type { ConfigHead, ConfigPiece } from '../config/config-pieces.ts';

/** What a channel is shared out by. */
export const TOPICS = {
  /** The messages below. */
  core: 'core',
  endpoints: 'endpoints',
  limits: 'limits',
  metrics: 'metrics',
  tap: 'tap',
  topology: 'topology',
} as const;

/** What a worker is made with. */
export interface WorkerStart {
  /** The configuration that the node was started with, for what is read once. */
  readonly config: ConfigHead;
  readonly configFile: string;
  readonly nodeName: string;
  /** How many there are; a limit of the node is shared out among them. */
  readonly workers: number;
  /** 48 bytes, of all workers: a TLS session is resumed by any of them. */
  readonly ticketKeys: Uint8Array;
  /** Signs sticky sessions, which any of them takes up. */
  readonly stickyKey: Uint8Array;
}

export type ToWorker =
  | ({ readonly type: 'start' } & WorkerStart)
  /** The next configuration: first its head, then its pieces, each once the one before was asked for. */
  | {
      readonly type: 'head';
      readonly config: ConfigHead;
      /** The revision that the worker runs, of which its pieces take over what has not changed. */
      readonly before: number | undefined;
    }
  | { readonly type: 'piece'; readonly piece: ConfigPiece }
  | {
      readonly type: 'prepare';
      readonly revision: number;
      readonly hash: string;
      /** Of the listeners, by their keys. */
      readonly ports: ReadonlyMap<string, number>;
    }
  | { readonly type: 'commit' | 'rollback'; readonly revision: number }
  /** One listener takes no more, and what it has ends. */
  | { readonly type: 'drain'; readonly key: string }
  /** The node stops: tunnels are told. */
  | { readonly type: 'stopping' }
  /** All is drained, or is now: it ends. */
  | { readonly type: 'end' }
  | { readonly type: 'reopen' };

export type FromWorker =
  /** It hears. */
  | { readonly type: 'hello' }
  | { readonly type: 'next' }
  | { readonly type: 'prepared'; readonly revision: number }
  | { readonly type: 'refused'; readonly revision: number; readonly reason: string }
  /** What it has committed serves, and its services have been discovered. */
  | { readonly type: 'ready' }
  /** It has the socket; the next may come. */
  | { readonly type: 'took' }
  /** So many connections of a listener have ended. */
  | { readonly type: 'closed'; readonly counts: ReadonlyMap<string, number> }
  /** It cannot go on, and drains. */
  | { readonly type: 'leaving' };
