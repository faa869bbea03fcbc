/** A configuration on its way to another thread or process, in pieces that hold up nobody for long. */
import type { Config } from './config.ts';
import { deepFreeze } from './deep-freeze.ts';

/** The lists that may be long. */
export const STREAMED_LISTS = ['services', 'routes', 'consumers', 'certificates'] as const;
type StreamedList = (typeof STREAMED_LISTS)[number];

/** All the rest; it goes first. */
export type ConfigHead = Omit<Config, StreamedList>;

export interface ConfigPiece {
  readonly list: StreamedList;
  /** Of a list of items: another thread or process takes a text in less time than objects. */
  readonly json: string;
}

/** A piece is received and frozen in about a millisecond. */
const MAX_PIECE_CHARACTERS = 64 * 1024;
const MAX_PIECE_ITEMS = 200;

export function toHead(config: Config): ConfigHead {
  const { services: _s, routes: _r, consumers: _co, certificates: _ce, ...head } = config;
  return head;
}

export function* toPieces(config: Config): Generator<ConfigPiece> {
  for (const list of STREAMED_LISTS) {
    let json = '';
    let count = 0;
    for (const item of config[list]) {
      json += `${count === 0 ? '[' : ','}${JSON.stringify(item)}`;
      count++;
      if (json.length < MAX_PIECE_CHARACTERS && count < MAX_PIECE_ITEMS) continue;
      yield { list, json: `${json}]` };
      json = '';
      count = 0;
    }
    if (count > 0) yield { list, json: `${json}]` };
  }
}

/** Puts the pieces together again, frozen. */
export class GatheredConfig {
  readonly #lists: Record<StreamedList, object[]> = {
    services: [],
    routes: [],
    consumers: [],
    certificates: [],
  };

  add({ list, json }: ConfigPiece): void {
    this.#lists[list].push(...deepFreeze(JSON.parse(json) as object[]));
  }

  /** Once all pieces are there. */
  complete(head: ConfigHead): Config {
    // The long lists are frozen piece by piece already.
    for (const name of STREAMED_LISTS) Object.freeze(this.#lists[name]);
    return deepFreeze({ ...head, ...this.#lists } as unknown as Config);
  }
}
