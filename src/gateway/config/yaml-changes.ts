/** Reads of a text of YAML what has changed since its lists were read before; what else it takes parsing all of it for, it leaves alone. */
import { isMap, isSeq, type Node } from 'yaml';
import { isObject } from '../../mesh/backplane/json-object.ts';
import type { ConfigPath } from './config-path.ts';
import { breathe } from './give-way.ts';
import type { ItemTexts, KnownItems } from './known-items.ts';
import type { Substituter } from './substitute.ts';
import type { SubstitutedValue } from './substitutions.ts';
import { TreeReader, Unreadable } from './tree-reader.ts';
import type { ItemList, ListText } from './yaml-items.ts';
import { parseYamlTree } from './yaml-tree.ts';

export interface ChangesRead {
  readonly value: unknown;
  readonly substitutions: ReadonlyMap<string, SubstitutedValue>;
  readonly itemTexts: ItemTexts;
}

/** Where more of the items than this share are new, all of the text is read sooner. */
const MAX_NEW = 0.25;
/** Stands for a list while the rest is read. */
const STAND_IN = 'items';

/**
 * Undefined where it would have to be told what is wrong, where a list does not stand where its lines seem
 * to say, and where aliases lead from one part of the text to another.
 */
export function readUnknown(
  text: string,
  lists: readonly ListText[],
  known: KnownItems,
  substituter: Substituter,
): ChangesRead | undefined {
  const found = lists.map(({ items }) =>
    items.map((item, at) => {
      breathe(at);
      return known.get(item);
    }),
  );
  const all = found.flat();
  if (all.filter((item) => item === undefined).length > all.length * MAX_NEW) return undefined;
  const reading = new PartReading(substituter);
  const value = readRest(text, lists, reading);
  if (value === undefined) return undefined;
  for (const [i, { list, items }] of lists.entries()) {
    const values: unknown[] = found[i]!;
    for (const [at, item] of values.entries()) {
      if (item !== undefined) continue;
      const read = reading.readItem(items[at]!, [list, at]);
      if (read === undefined) return undefined;
      values[at] = read.value;
    }
    value[list] = values;
  }
  return { value, substitutions: reading.substitutions, itemTexts: toItemTexts(lists) };
}

/** What is known by one text must be what it is by itself; undefined where that cannot be said. */
export function itemTextsOf(
  root: Node | null,
  lists: readonly ListText[],
  { hasAnchors }: TreeReader,
): ItemTexts | undefined {
  if (hasAnchors || !isMap(root)) return undefined;
  const areThere = lists.every(({ list, start, items }) => {
    const nodes: unknown = root.get(list);
    if (!isSeq(nodes) || nodes.items.length !== items.length) return false;
    let at = start;
    return nodes.items.every((node, i) => {
      const range = (node as Node | null)?.range;
      const from = at;
      at += items[i]!.length;
      return range !== undefined && range !== null && range[0] > from && range[1] <= at;
    });
  });
  return areThere ? toItemTexts(lists) : undefined;
}

function toItemTexts(lists: readonly ListText[]): ItemTexts {
  return Object.fromEntries(lists.map(({ list, items }) => [list, items]));
}

/** All but the lists; undefined where one is no list of that key. */
function readRest(
  text: string,
  lists: readonly ListText[],
  reading: PartReading,
): Record<string, unknown> | undefined {
  let rest = '';
  let at = 0;
  const places: (readonly [ItemList, number])[] = [];
  for (const { list, indent, start, end } of lists) {
    rest += `${text.slice(at, start)}${' '.repeat(indent)}- `;
    places.push([list, rest.length]);
    rest += `${STAND_IN}\n`;
    at = end;
  }
  const read = reading.readWhole(rest + text.slice(at));
  if (read === undefined || !isObject(read.value)) return undefined;
  const areThere = places.every(([list, place]) => read.offsetOf([list, 0]) === place);
  return areThere ? read.value : undefined;
}

/** Parts of one text; what would be reported of one makes all of it worth nothing. */
class PartReading {
  readonly substitutions = new Map<string, SubstitutedValue>();
  readonly #substituter: Substituter;

  constructor(substituter: Substituter) {
    this.#substituter = substituter;
  }

  readWhole(
    text: string,
  ): { readonly value: unknown; readonly offsetOf: (path: ConfigPath) => number } | undefined {
    const root = this.#parse(text);
    const read = root && this.#read(root, []);
    if (root === undefined || read === undefined) return undefined;
    return {
      value: read.value,
      offsetOf: (path) => read.reader.offsetOf(root, path, 'value'),
    };
  }

  readItem(text: string, path: ConfigPath): { readonly value: unknown } | undefined {
    const list = this.#parse(text);
    if (!isSeq(list) || list.items.length !== 1) return undefined;
    const read = this.#read(list.items[0] as Node | null, path);
    return read?.reader.hasAnchors === false ? read : undefined;
  }

  #parse(text: string): Node | undefined {
    const { document } = parseYamlTree(text);
    if (document.errors.length + document.warnings.length > 0) return undefined;
    return document.contents ?? undefined;
  }

  #read(
    node: Node | null,
    path: ConfigPath,
  ): { readonly value: unknown; readonly reader: TreeReader } | undefined {
    let isWell = true;
    const reader = new TreeReader(this.#substituter, () => (isWell = false), path);
    let value: unknown;
    try {
      value = reader.read(node);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return undefined;
    }
    if (!isWell) return undefined;
    for (const [at, one] of reader.substitutions.values) this.substitutions.set(at, one);
    return { value, reader };
  }
}
