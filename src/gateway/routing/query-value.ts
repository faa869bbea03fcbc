/** Reads one parameter of a query without parsing the rest. */
import { codeAt } from '../../mesh/transport/octets.ts';

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const PLUS = 0x2b;
const QUESTION_MARK = 0x3f;
const SPACE = 0x20;

/**
 * The value of the first parameter of that name, decoded as a form's (`+` is a space, escapes
 * are UTF-8, a malformed escape stays as it is); undefined where there is none. `query` is as
 * received in latin1, with or without its `?`.
 */
export function queryValue(query: string, name: string): string | undefined {
  let start = codeAt(query, 0) === QUESTION_MARK ? 1 : 0;
  while (start < query.length) {
    let end = start;
    let nameEnd = -1;
    let encodedName = false;
    for (; end < query.length; end++) {
      const code = codeAt(query, end);
      if (code === AMPERSAND) break;
      if (nameEnd !== -1) continue;
      if (code === EQUALS) nameEnd = end;
      else if (isEncoded(code)) encodedName = true;
    }
    const valueStart = nameEnd === -1 ? end : nameEnd + 1;
    if (nameEnd === -1) nameEnd = end;
    // An empty pair, as in `a&&b`, is no parameter.
    if (end !== start && isName(query, start, nameEnd, encodedName, name)) {
      return decodeFormText(query.slice(valueStart, end));
    }
    start = end + 1;
  }
  return undefined;
}

function isName(
  query: string,
  start: number,
  end: number,
  encoded: boolean,
  name: string,
): boolean {
  if (encoded) return decodeFormText(query.slice(start, end)) === name;
  return end - start === name.length && query.startsWith(name, start);
}

function isEncoded(code: number): boolean {
  return code === PERCENT || code === PLUS || code >= 0x80;
}

function decodeFormText(text: string): string {
  let first = 0;
  while (first < text.length && !isEncoded(codeAt(text, first))) first++;
  if (first === text.length) return text;
  const bytes = Buffer.from(text, 'latin1');
  let length = first;
  for (let i = first; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const escaped = byte === PERCENT ? hexPair(text, i + 1) : -1;
    if (escaped !== -1) i += 2;
    bytes[length++] = escaped === -1 ? (byte === PLUS ? SPACE : byte) : escaped;
  }
  return bytes.toString('utf8', 0, length);
}

/** The byte that two hexadecimal digits at `i` stand for, or -1. */
function hexPair(text: string, i: number): number {
  const pair = text.slice(i, i + 2);
  return /^[0-9A-Fa-f]{2}$/.test(pair) ? Number.parseInt(pair, 16) : -1;
}
