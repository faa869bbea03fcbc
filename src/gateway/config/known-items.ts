/** Items of a file's lists that were read before: one whose text has not changed is not read again. */
import { breathe } from './give-way.ts';
import type { ItemList } from './yaml-items.ts';

/** In the place of an item that was read before. */
export class KnownItem {
  /** Of its value: JSON, in which nothing of it is lost. */
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }

  /** A new one each time. Its objects have no prototype. */
  toValue(): unknown {
    return JSON.parse(this.json, (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? // oxlint-disable-next-line unicorn/no-null -- no prototype: `__proto__` is a key like any other
          Object.assign(Object.create(null) as object, value)
        : value,
    );
  }
}

/** Of lists whose items mean the same wherever they stand; by their place. */
export type ItemTexts = Partial<Readonly<Record<ItemList, readonly string[]>>>;

/** By place, as JSON, what items were read to; undefined where something of that would be lost. */
export interface ReadKeys {
  readonly keys: readonly (string | undefined)[];
}

export class KnownItems {
  #items: ReadonlyMap<string, KnownItem> = new Map();

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  get(text: string): KnownItem | undefined {
    return this.#items.get(text);
  }

  /**
   * From now on it has these and no others: texts are parts of their file, of which else all would
   * stay that ever were.
   */
  learn(texts: ItemTexts, read: Readonly<Record<ItemList, ReadKeys>>): void {
    const items = new Map<string, KnownItem>();
    for (const list of ['routes', 'consumers'] as const) {
      for (const [i, text] of (texts[list] ?? []).entries()) {
        breathe(i);
        const key = read[list].keys[i];
        // What is put in for one may be another value each time.
        if (key !== undefined && !text.includes('${')) items.set(text, new KnownItem(key));
      }
    }
    this.#items = items;
  }
}
