/** The header fields of a message, kept as the flat list they arrived as. */
import { FORBIDDEN_IN_VALUE, TOKEN } from './field-syntax.ts';

/**
 * Field lines in wire order: `[name, value, name, value, …]`. Nothing is indexed,
 * merged or copied until somebody asks, so a request that no plugin inspects costs
 * nothing here. Names are compared without regard to case (RFC 9110 §5.1).
 *
 * @example
 * const fields = new HeaderFields(['Accept', 'text/html', 'accept', 'text/plain']);
 * fields.get('Accept'); // 'text/html, text/plain'
 */
export class HeaderFields {
  #text: string;
  /** The lines of the text, for who only asks. */
  #lines: string[] | undefined = undefined;
  #rest: string[];

  /** `text`: lines that come before those of the list, written out by `toFieldLine` or read as such. */
  constructor(raw: string[] = [], text = '') {
    this.#text = text;
    this.#rest = raw;
  }

  /** The flat list itself. Whoever holds the message may read it; change it through the methods. */
  get raw(): string[] {
    if (this.#text !== '') this.#replace(this.#asked().concat(this.#rest));
    return this.#rest;
  }

  set raw(list: string[]) {
    this.#replace(list);
  }

  #replace(list: string[]): void {
    this.#text = '';
    this.#lines = undefined;
    this.#rest = list;
  }

  #asked(): string[] {
    return (this.#lines ??= toFieldList(this.#text));
  }

  /**
   * The first lines as HTTP/1.1 writes them, each with its CRLF, as long as nobody has changed one of them:
   * what is only passed on need not be put together anew. They are well-formed; further lines are in `rest`.
   */
  get text(): string {
    return this.#text;
  }

  /** Puts more behind `text`, as well-formed as that. */
  addText(lines: string): void {
    this.#text += lines;
    this.#lines = undefined;
  }

  /** What comes after `text`. */
  get rest(): string[] {
    return this.#rest;
  }

  /** All values of a field joined by `, ` (RFC 9110 §5.2), or undefined where it is absent. */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase();
    const before = this.#text === '' ? undefined : valueOf(this.#asked(), wanted, undefined);
    return valueOf(this.#rest, wanted, before);
  }

  /** Each line's value, in order; what `Set-Cookie` needs. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase();
    const values: string[] = [];
    if (this.#text !== '') addValues(this.#asked(), wanted, values);
    addValues(this.#rest, wanted, values);
    return values;
  }

  has(name: string): boolean {
    const wanted = name.toLowerCase();
    return (this.#text !== '' && hasName(this.#asked(), wanted)) || hasName(this.#rest, wanted);
  }

  /** Replaces every line of that name by one. Throws a TypeError on a malformed name or value. */
  set(name: string, value: string): void {
    this.remove(name);
    this.add(name, value);
  }

  /** Appends a line of its own. Throws a TypeError on a malformed name or value. */
  add(name: string, value: string): void {
    assertField(name, value);
    this.#rest.push(name, value);
  }

  /** Removes every line of that name; returns whether there was one. */
  remove(name: string): boolean {
    const wanted = name.toLowerCase();
    const isInText = this.#text !== '' && hasName(this.#asked(), wanted);
    const raw = isInText ? this.raw : this.#rest;
    let kept = 0;
    for (let i = 0; i < raw.length; i += 2) {
      if (sameName(raw[i]!, wanted)) continue;
      if (kept !== i) {
        raw[kept] = raw[i]!;
        raw[kept + 1] = raw[i + 1]!;
      }
      kept += 2;
    }
    const removed = kept !== raw.length;
    if (removed) raw.length = kept;
    return removed;
  }

  /** Name and value of each line, in order. */
  *[Symbol.iterator](): Iterator<[name: string, value: string]> {
    const lines = this.#text === '' ? this.#rest : this.#asked().concat(this.#rest);
    for (let i = 0; i < lines.length; i += 2) yield [lines[i]!, lines[i + 1]!];
  }
}

function valueOf(
  list: readonly string[],
  wanted: string,
  before: string | undefined,
): string | undefined {
  let found = before;
  for (let i = 0; i < list.length; i += 2) {
    if (!sameName(list[i]!, wanted)) continue;
    found = found === undefined ? list[i + 1]! : `${found}, ${list[i + 1]!}`;
  }
  return found;
}

function addValues(list: readonly string[], wanted: string, values: string[]): void {
  for (let i = 0; i < list.length; i += 2) {
    if (sameName(list[i]!, wanted)) values.push(list[i + 1]!);
  }
}

function hasName(list: readonly string[], wanted: string): boolean {
  for (let i = 0; i < list.length; i += 2) {
    if (sameName(list[i]!, wanted)) return true;
  }
  return false;
}

/** A line of `HeaderFields.text`. Both must be well-formed. */
export function toFieldLine(name: string, value: string): string {
  return `${name}: ${value}\r\n`;
}

/** Takes lines apart that `toFieldLine` has written, or that are as if it had. */
export function toFieldList(text: string): string[] {
  const list: string[] = [];
  for (let at = 0; at < text.length;) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r', colon);
    list.push(text.slice(at, colon), text.slice(colon + 2, end));
    at = end + 2;
  }
  return list;
}

/** Whether a field name as received is the wanted one, given in lower case. */
export function sameName(received: string, wantedLower: string): boolean {
  return (
    received.length === wantedLower.length &&
    (received === wantedLower || received.toLowerCase() === wantedLower)
  );
}

/** Throws a TypeError unless name is a token and value free of control characters (RFC 9110 §5). */
function assertField(name: string, value: string): void {
  if (!TOKEN.test(name)) throw new TypeError(`Not a header field name: ${JSON.stringify(name)}`);
  if (FORBIDDEN_IN_VALUE.test(value)) {
    throw new TypeError(`The value of header field ${name} has a character that no field may have`);
  }
}
