/** What a supervisor and its workers say to each other about those who watch exchanges. */
import type { TapDrops, TapRequest } from '../../observe/tap.ts';

/** To a worker; `id` is of a reader. */
export type TapOrder =
  | { readonly order: 'open'; readonly id: number; readonly request: TapRequest }
  /** So many of its events have been passed on: there is room for as many more. */
  | { readonly order: 'room'; readonly id: number; readonly events: number }
  | { readonly order: 'close'; readonly id: number };

/** From a worker: events of one turn of its loop, and what it had to drop. */
export interface TapNews {
  readonly id: number;
  /** As lines of JSON. */
  readonly events: readonly string[];
  readonly drops: TapDrops | undefined;
}

/** Events that a worker sends ahead for one reader: enough for a turn of two loops, and some 100 KB. */
export const EVENTS_AHEAD = 64;
