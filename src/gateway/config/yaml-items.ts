/** The items of long lists in a text of YAML, told apart by their lines alone. */
import { breathe } from './give-way.ts';

/** Top-level keys of lists that may be long. */
const LIST_KEY = /^(routes|consumers):[ ]*(?:#.*)?\n/gm;
export type ItemList = 'routes' | 'consumers';

/** A list as it seems to stand in a text; whether it does is to be seen by parsing. */
export interface ListText {
  readonly list: ItemList;
  /** Spaces before the `-` of each item. */
  readonly indent: number;
  /** Where the line of the first item begins. */
  readonly start: number;
  /** Where the lines of the last one end. */
  readonly end: number;
  /** Its lines, and what stands between them and the next one's. */
  readonly items: readonly string[];
}

const SPACE = 32;
const HASH = 35;
const DASH = 45;
const LINE_FEED = 10;

/**
 * Block sequences, an item beginning wherever a `-` has the place of the first one's: YAML indents
 * all that is within an item by more than that (1.2.2, section 8.2.1). None where directives,
 * tabs or other line ends might make a difference.
 */
export function listTextsOf(text: string): readonly ListText[] {
  if (/^%|[\t\r\u0085\u2028\u2029]/m.test(text)) return [];
  const lists: ListText[] = [];
  for (const match of text.matchAll(LIST_KEY)) {
    const found = listAt(text, match[1] as ItemList, match.index + match[0].length);
    if (found !== undefined) lists.push(found);
  }
  return lists;
}

function listAt(text: string, list: ItemList, from: number): ListText | undefined {
  const items: string[] = [];
  let indent = -1;
  let start = from;
  let itemStart = from;
  let at = from;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const next = newline === -1 ? text.length : newline + 1;
    let place = at;
    while (text.charCodeAt(place) === SPACE) place++;
    const first = text.charCodeAt(place);
    const isBare = place >= text.length || first === LINE_FEED || first === HASH;
    if (!isBare && (indent === -1 || place - at <= indent)) {
      if (!isItem(text, place) || (indent !== -1 && place - at !== indent)) break;
      if (indent === -1) {
        indent = place - at;
        start = at;
      } else {
        items.push(text.slice(itemStart, at));
        breathe(items.length);
      }
      itemStart = at;
    }
    at = next;
  }
  if (indent === -1) return undefined;
  items.push(text.slice(itemStart, at));
  return { list, indent, start, end: at, items };
}

function isItem(text: string, place: number): boolean {
  if (text.charCodeAt(place) !== DASH) return false;
  const next = text.charCodeAt(place + 1);
  return next === SPACE || next === LINE_FEED;
}
