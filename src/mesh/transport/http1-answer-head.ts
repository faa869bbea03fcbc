/** Reads the head of an answer: its status line, its field lines and what they say of the body (RFC 9112 §4–§6). */
import { HeaderFields, toFieldLine } from '../../plugins/sdk/header-fields.ts';
import { NameSet } from './name-set.ts';
import { codeAt, cut, IS_TOKEN, IS_VALUE } from './octets.ts';

/** The bytes are not an HTTP/1.1 answer, or one whose end cannot be known for certain. */
export class AnswerSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AnswerSyntaxError';
  }
}

/** `length`: Content-Length · `chunked` · `close`: up to the end of the connection. */
export type BodyFraming = 'length' | 'chunked' | 'close';

export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** Field lines as received; those of ANSWER_FIELDS_OF_A_HOP and Date are in its `rest`. */
  readonly headers: HeaderFields;
  readonly framing: BodyFraming;
  /** In bytes; 0 unless the framing is `length`. */
  readonly contentLength: number;
  /** The upstream means to keep the connection open, and nothing speaks against it. */
  readonly keepAlive: boolean;
  /** From `Keep-Alive: timeout=`, in seconds; undefined where it says nothing. */
  readonly keepAliveTimeoutS: number | undefined;
}

/**
 * What an answer says of its framing and its hop, and what a gateway says itself in its place: these
 * do not go on, and are never in `HeaderFields.text`.
 */
export const ANSWER_FIELDS_OF_A_HOP: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'trailer',
  'te',
  // No matter of the hop, but the gateway's to say: it was in the request that is answered.
  'x-request-id',
];
/** Date goes on, but who writes the answer has to see whether there is one. */
const LISTED = new NameSet([...ANSWER_FIELDS_OF_A_HOP, 'date']);

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const ZERO = 0x30;

/** How every answer begins. */
export const HTTP_1 = Buffer.from('HTTP/1.', 'latin1');
/** `HTTP/1.1 200` */
const STATUS_LINE_MIN_BYTES = 12;

/**
 * Reads the head that stands in `bytes` from `start` to `end`, where `end` is the offset of
 * the empty line's CRLF. Throws AnswerSyntaxError.
 *
 * One pass over the octets decides what is allowed, and names and values are cut from one
 * decoded string: measured several times faster than decoding or matching line by line.
 */
export function parseAnswerHead(bytes: Buffer, start: number, end: number): AnswerHead {
  if (end - start < STATUS_LINE_MIN_BYTES + 2 || !isHttp1(bytes, start)) {
    throw new AnswerSyntaxError('the answer does not begin with an HTTP/1 status line');
  }
  const minor = bytes[start + 7]! - ZERO;
  if ((minor !== 0 && minor !== 1) || bytes[start + 8] !== SP) {
    throw new AnswerSyntaxError('the answer is of an unknown HTTP version');
  }
  const status = parseStatus(bytes, start + 9);
  // The space before an empty reason is often left out; nothing hangs on it.
  let offset = start + STATUS_LINE_MIN_BYTES;
  const afterStatus = bytes[offset];
  if (afterStatus === SP) offset++;
  else if (afterStatus !== CR) throw new AnswerSyntaxError('malformed status line');
  const reasonStart = offset;
  while (IS_VALUE[bytes[offset]!] === 1) offset++;
  if (bytes[offset] !== CR || bytes[offset + 1] !== LF) {
    throw new AnswerSyntaxError('the status line holds a character that it must not');
  }
  const text = bytes.toString('latin1', start, end);
  const reason = cut(text, reasonStart - start, offset - start);
  const list: string[] = [];
  const passed = parseFieldLines(bytes, offset + 2, end, text, start, list, LISTED);
  return toHead(status, reason, new HeaderFields(list, passed), minor === 1);
}

function isHttp1(bytes: Buffer, start: number): boolean {
  for (let i = 0; i < HTTP_1.length; i++) if (bytes[start + i] !== HTTP_1[i]) return false;
  return true;
}

/** Reads a trailer section; the offsets are as in `parseAnswerHead`. Throws AnswerSyntaxError. */
export function parseTrailers(bytes: Buffer, start: number, end: number): string[] {
  const trailers: string[] = [];
  parseFieldLines(
    bytes,
    start,
    end,
    bytes.toString('latin1', start, end),
    start,
    trailers,
    undefined,
  );
  return trailers;
}

function parseStatus(bytes: Buffer, offset: number): number {
  const hundreds = bytes[offset]! - ZERO;
  const tens = bytes[offset + 1]! - ZERO;
  const ones = bytes[offset + 2]! - ZERO;
  const wellFormed =
    hundreds >= 1 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
  if (!wellFormed) throw new AnswerSyntaxError('malformed status code');
  return hundreds * 100 + tens * 10 + ones;
}

/**
 * Puts the lines whose names may be in `listed` into `fields`, and returns the text of the others;
 * with no set, all are put into `fields`.
 */
function parseFieldLines(
  bytes: Buffer,
  start: number,
  end: number,
  text: string,
  textStart: number,
  fields: string[],
  listed: NameSet | undefined,
): string {
  let offset = start;
  let passed = '';
  /** Where the lines begin that have not been added to `passed`. */
  let runStart = start;
  while (offset < end) {
    const nameStart = offset;
    let hash = NameSet.SEED;
    for (let octet = bytes[offset]!; IS_TOKEN[octet] === 1; octet = bytes[++offset]!) {
      hash = NameSet.hash(hash, octet);
    }
    // A folded line begins with a space, so it has an empty name: refused too (RFC 9112 §5.2).
    if (offset === nameStart || bytes[offset] !== COLON) {
      throw new AnswerSyntaxError('malformed header field name');
    }
    const nameEnd = offset++;
    while (bytes[offset] === SP || bytes[offset] === TAB) offset++;
    const valueStart = offset;
    while (IS_VALUE[bytes[offset]!] === 1) offset++;
    if (bytes[offset] !== CR || bytes[offset + 1] !== LF) {
      throw new AnswerSyntaxError('a header field value holds a character that it must not');
    }
    let valueEnd = offset;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) {
      valueEnd--;
    }
    const isCanonical =
      valueStart === nameEnd + 2 && bytes[nameEnd + 1] === SP && valueEnd === offset;
    offset += 2;
    if (isCanonical && listed?.mayHave(hash) === false) continue;
    if (nameStart > runStart) passed += cut(text, runStart - textStart, nameStart - textStart);
    runStart = offset;
    const name = cut(text, nameStart - textStart, nameEnd - textStart);
    const value = cut(text, valueStart - textStart, valueEnd - textStart);
    if (listed?.mayHave(hash) === false) passed += toFieldLine(name, value);
    else fields.push(name, value);
  }
  return runStart < end ? passed + cut(text, runStart - textStart, end - textStart) : passed;
}

function toHead(
  status: number,
  reason: string,
  fields: HeaderFields,
  isHttp11: boolean,
): AnswerHead {
  const headers = fields.rest;
  let contentLength = -1;
  let chunked = false;
  let asksToKeep = isHttp11;
  let asksToClose = false;
  let keepAliveTimeoutS: number | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    // Names of other lengths cannot matter here: most lines cost one comparison.
    switch (name.length) {
      case 10: {
        if (name === 'Connection' || isNamed(name, 'connection')) {
          const options = headers[i + 1]!;
          asksToKeep ||= hasOption(options, 'keep-alive');
          asksToClose ||= hasOption(options, 'close');
        } else if (isNamed(name, 'keep-alive')) {
          keepAliveTimeoutS = toKeepAliveTimeoutS(headers[i + 1]!, keepAliveTimeoutS);
        }
        break;
      }
      case 14:
        if (name !== 'Content-Length' && !isNamed(name, 'content-length')) break;
        // Even equal ones: whoever reads the other copy must not disagree (CVE-2026-1525).
        if (contentLength !== -1) throw new AnswerSyntaxError('more than one Content-Length');
        contentLength = toContentLength(headers[i + 1]!);
        break;
      case 17:
        if (!isNamed(name, 'transfer-encoding')) break;
        // Other codings would have to be undone before the body is passed on.
        if (chunked || !isNamed(headers[i + 1]!, 'chunked')) {
          throw new AnswerSyntaxError('a Transfer-Encoding other than chunked');
        }
        chunked = true;
        break;
      default:
    }
  }
  if (chunked && contentLength !== -1) {
    throw new AnswerSyntaxError('both Content-Length and Transfer-Encoding');
  }
  // RFC 9112 §6.1: the framing of such an answer is faulty.
  if (chunked && !isHttp11) throw new AnswerSyntaxError('Transfer-Encoding in an HTTP/1.0 answer');
  return {
    status,
    reason,
    headers: fields,
    framing: chunked ? 'chunked' : contentLength === -1 ? 'close' : 'length',
    contentLength: contentLength === -1 ? 0 : contentLength,
    // `close` wins, on whichever line it stands (RFC 9112 §9.3).
    keepAlive: asksToKeep && !asksToClose && !statesForbiddenBody(status, chunked, contentLength),
    keepAliveTimeoutS,
  };
}

/**
 * A body where none may be (RFC 9110 §8.6, RFC 9112 §6.1): it is not read, but who states it may
 * send it, too late to be seen before the next request is on the connection.
 */
function statesForbiddenBody(status: number, chunked: boolean, contentLength: number): boolean {
  return (status < 200 || status === 204) && (chunked || contentLength > 0);
}

function isNamed(received: string, wantedLower: string): boolean {
  return received === wantedLower || received.toLowerCase() === wantedLower;
}

/** 15 digits stay exact as a number, and are 900 TB. */
const MAX_LENGTH_DIGITS = 15;

function toContentLength(value: string): number {
  const { length } = value;
  let total = 0;
  for (let i = 0; i < length; i++) {
    const digit = codeAt(value, i) - ZERO;
    if (digit < 0 || digit > 9) throw new AnswerSyntaxError('malformed Content-Length');
    total = total * 10 + digit;
  }
  if (length === 0 || length > MAX_LENGTH_DIGITS) {
    throw new AnswerSyntaxError('malformed Content-Length');
  }
  return total;
}

/** Whether a Connection field's value names an option, given in lower case. */
function hasOption(value: string, option: string): boolean {
  if (value === option) return true;
  // One token cannot hold another; only a list needs taking apart.
  if (!value.includes(',')) return value.toLowerCase() === option;
  return value
    .toLowerCase()
    .split(',')
    .some((listed) => listed.trim() === option);
}

/** `timeout=5, max=100` → 5; the shortest where there are several. */
function toKeepAliveTimeoutS(value: string, earlier: number | undefined): number | undefined {
  let shortest = earlier;
  for (const parameter of value.toLowerCase().split(',')) {
    const trimmed = parameter.trim();
    if (!trimmed.startsWith('timeout=')) continue;
    const seconds = Number.parseInt(trimmed.slice('timeout='.length), 10);
    if (seconds < (shortest ?? Infinity)) shortest = seconds;
  }
  return shortest;
}
