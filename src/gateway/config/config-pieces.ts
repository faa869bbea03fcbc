/** A configuration on its way to another thread or process, in pieces that hold up nobody for long. */
import type { Config } from './config.ts';
import { deepFreeze } from './deep-freeze.ts';
import { stepsBetween } from './list-change.ts';

/** The lists that may be long. */
export const STREAMED_LISTS = ['services', 'routes', 'consumers', 'certificates'] as const;
export type StreamedList = (typeof STREAMED_LISTS)[number];

/** All the rest; it goes first. */
export type ConfigHead = Omit<Config, StreamedList>;

/** Of a list in its order: new items, or some that the receiver has. */
export type ConfigPiece =
  | {
      readonly list: StreamedList;
      /** Of a list of items: another thread or process takes a text in less time than objects. */
      readonly json: string;
    }
  | {
      readonly list: StreamedList;
      /** Where they stand in the configuration that the receiver was sent last. */
      readonly from: number;
      readonly count: number;
    };

/** A piece is received and frozen in about a millisecond. */
const MAX_PIECE_CHARACTERS = 64 * 1024;
const MAX_PIECE_ITEMS = 200;
/** Items are few beside others that are so many times as many. */
const FEW = 8;

export function toHead(config: Config): ConfigHead {
  const { services: _s, routes: _r, consumers: _co, certificates: _ce, ...head } = config;
  return head;
}

/** `before`: the configuration that the receiver has; what is the same object there is not sent again. */
export function* toPieces(config: Config, before?: Config): Generator<ConfigPiece> {
  for (const list of STREAMED_LISTS) {
    const items: readonly object[] = config[list];
    yield* toListPieces(list, before?.[list] ?? [], items, (at) => items[at]!);
  }
}

/** `before` and `after`: what tells items apart; `itemAt` is asked for those that are new. */
export function* toListPieces(
  list: StreamedList,
  before: readonly unknown[],
  after: readonly unknown[],
  itemAt: (at: number) => object,
): Generator<ConfigPiece> {
  let json = '';
  let count = 0;
  for (const step of stepsBetween(before, after)) {
    if (step.kind === 'new') {
      json += `${count === 0 ? '[' : ','}${JSON.stringify(itemAt(step.at))}`;
      count++;
      if (json.length < MAX_PIECE_CHARACTERS && count < MAX_PIECE_ITEMS) continue;
    }
    if (count > 0) yield { list, json: `${json}]` };
    json = '';
    count = 0;
    if (step.kind === 'kept') yield { list, from: step.from, count: step.count };
  }
  if (count > 0) yield { list, json: `${json}]` };
}

/** Puts the pieces together again; its items, and all but the long lists themselves, are frozen. */
export class GatheredConfig {
  readonly #before: Config | undefined;
  readonly #lists: Record<StreamedList, readonly object[]> = {
    services: [],
    routes: [],
    consumers: [],
    certificates: [],
  };

  /** `before`: what the sender was told of, where there is any. */
  constructor(before?: Config) {
    this.#before = before;
  }

  add(piece: ConfigPiece): void {
    const { list } = piece;
    const known = this.#lists[list];
    if ('json' in piece) {
      this.#append(list, deepFreeze(JSON.parse(piece.json) as object[]));
      return;
    }
    const before: readonly object[] = this.#before?.[list] ?? [];
    const { from, count } = piece;
    if (from + count > before.length) throw new RangeError('a piece is of another configuration');
    // Who has the same list knows at a glance that nothing of it has changed.
    if (known.length === 0 && count === before.length) this.#lists[list] = before;
    else this.#append(list, before.slice(from, from + count));
  }

  /** Once all pieces are there. */
  complete(head: ConfigHead): Config {
    // The long lists' items are frozen piece by piece already. Of lists that are frozen themselves the engine
    // copies item by item: 100,000 took 20 ms.
    return Object.freeze({ ...deepFreeze(head), ...this.#lists }) as unknown as Config;
  }

  #append(list: StreamedList, items: readonly object[]): void {
    const known = this.#lists[list];
    // One by one takes longer than all at once, and less than to copy those that there are.
    if (items.length * FEW > known.length || known === this.#before?.[list]) {
      this.#lists[list] = known.concat(items);
    } else for (const item of items) (known as object[]).push(item);
  }
}
