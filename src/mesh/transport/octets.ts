/** Which octets HTTP/1.1 allows where, as tables that a scan can index. */
import { FORBIDDEN_IN_VALUE, TOKEN } from '../../plugins/sdk/field-syntax.ts';

function tableOf(allowed: (octet: number) => boolean): Uint8Array {
  const table = new Uint8Array(256);
  for (let octet = 0; octet < 256; octet++) table[octet] = allowed(octet) ? 1 : 0;
  return table;
}

/** tchar (RFC 9110 §5.6.2): what field names and methods are made of. */
export const IS_TOKEN = tableOf((octet) => TOKEN.test(String.fromCharCode(octet)));

/** field-vchar, space, tab and obs-text (RFC 9110 §5.5): everything but control octets. */
export const IS_VALUE = tableOf((octet) => !FORBIDDEN_IN_VALUE.test(String.fromCharCode(octet)));

/** What a request target may hold: visible octets, no space (RFC 9112 §3.2). */
export const IS_TARGET = tableOf((octet) => octet > 0x20 && octet !== 0x7f);

/** The value of a hexadecimal digit's octet, or -1. */
export function toHexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * `text.charCodeAt(index)`. Strings come in more kinds (cut out, joined, interned ...) than the
 * engine remembers at one place in the code, and it then looks the method up for each character.
 */
export const codeAt: (text: string, index: number) => number = Function.prototype.call.bind(
  // oxlint-disable-next-line typescript/unbound-method -- `call` is bound to it
  String.prototype.charCodeAt,
);

/** `text.slice(start, end)`; see `codeAt`. */
export const cut: (text: string, start: number, end?: number) => string =
  Function.prototype.call.bind(
    // oxlint-disable-next-line typescript/unbound-method -- `call` is bound to it
    String.prototype.slice,
  );

/** `text.indexOf(wanted, from)`; see `codeAt`. */
export const indexIn: (text: string, wanted: string, from?: number) => number =
  Function.prototype.call.bind(
    // oxlint-disable-next-line typescript/unbound-method -- `call` is bound to it
    String.prototype.indexOf,
  );

/**
 * Whether every character is in the table. A character above U+00FF never is: written as
 * latin1 it would be cut to its low octet, and U+010A would become a line feed.
 */
export function isMadeOf(text: string, table: Uint8Array): boolean {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    // Beyond the table's end the lookup gives undefined.
    if (table[codeAt(text, i)] !== 1) return false;
  }
  return true;
}

/**
 * The same text, which must be Latin-1: one that was joined of others is put together again wherever it
 * is written.
 */
export function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** Of all that Node.js has of it, what goes straight to the engine: `toString` and `write` look the encoding up first. */
interface Latin1Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number, length: number): number;
}

/** `bytes.toString('latin1', start, end)`. */
export function toLatin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as Latin1Buffer).latin1Slice(start, end);
}

/** `bytes.write(text, offset, 'latin1')`; there must be room for all of it. */
export function writeLatin1(bytes: Buffer, text: string, offset: number): void {
  (bytes as unknown as Latin1Buffer).latin1Write(text, offset, text.length);
}

/** More digits might not stay exact as a number; these are 900 TB. */
const MAX_DIGITS = 15;
const ZERO = 0x30;

/** What its decimal digits say; -1 where it holds anything else, nothing, or too many of them. */
export function toWholeNumber(text: string): number {
  const { length } = text;
  if (length === 0 || length > MAX_DIGITS) return -1;
  let total = 0;
  for (let i = 0; i < length; i++) {
    const digit = codeAt(text, i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    total = total * 10 + digit;
  }
  return total;
}

/** From here on a regular expression is faster, 1.3 against 3 ns a character: such as tokens. */
const LONG_VALUE = 32;

/** Whether it can stand as the value of a field. */
export function isValue(text: string): boolean {
  return text.length < LONG_VALUE ? isMadeOf(text, IS_VALUE) : !FORBIDDEN_IN_VALUE.test(text);
}
