/** Writes the head of an answer for the wire, as node:http writes it for the full lane. */
import { STATUS_CODES } from 'node:http';
import { FORBIDDEN_IN_VALUE, TOKEN } from '../../../plugins/sdk/field-syntax.ts';

/** The last lines of a head: what the connection says of itself, and the empty one. */
export interface HeadEnd {
  readonly text: string;
  /** Of an answer in chunks. */
  readonly chunked: string;
}

export interface HeadEnds {
  readonly keep: HeadEnd;
  readonly close: HeadEnd;
}

/** `idleTimeoutMs`: how long the connection is kept for a next request. */
export function toHeadEnds(idleTimeoutMs: number): HeadEnds {
  const seconds = Math.floor(idleTimeoutMs / 1000);
  return {
    keep: toHeadEnd(`Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n`),
    close: toHeadEnd('Connection: close\r\n'),
  };
}

function toHeadEnd(lines: string): HeadEnd {
  return { text: `${lines}\r\n`, chunked: `${lines}Transfer-Encoding: chunked\r\n\r\n` };
}

export interface AnswerHead {
  readonly status: number;
  /** Empty: the usual one. */
  readonly reason: string;
  /** As in `HeaderFields.text`, without framing and Date. */
  readonly text: string;
  /** Flat field lines, to come after those. */
  readonly fields: readonly string[];
  /** Content-Length; undefined: none is said. */
  readonly length: number | undefined;
  readonly isChunked: boolean;
  readonly end: HeadEnd;
}

/** Names that were found to be right, since answers repeat theirs; bounded, for upstreams choose them. */
const goodNames = new Set<string>();
const GOOD_NAMES_MAX = 2048;

const statusLines = new Map<number, string>();

/** To be written as latin1; undefined: no HTTP/1.1 answer can say this. */
export function renderAnswerHead(answer: AnswerHead): string | undefined {
  const { fields } = answer;
  let head = toStatusLine(answer.status, answer.reason);
  if (head === undefined) return undefined;
  head += answer.text;
  let hasDate = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (name === 'Date' && value === passedDate) {
      hasDate = true;
      head += passedDateLine;
      continue;
    }
    if (!isName(name) || FORBIDDEN_IN_VALUE.test(value)) return undefined;
    if (name.length === 4) hasDate ||= name === 'Date' || name.toLowerCase() === 'date';
    else if (isFraming(name)) continue;
    const line = `${name}: ${value}\r\n`;
    if (name === 'Date') {
      passedDate = value;
      passedDateLine = line;
    }
    head += line;
  }
  if (answer.length !== undefined) head += `Content-Length: ${answer.length}\r\n`;
  if (!hasDate) head += toDateLine();
  return head + (answer.isChunked ? answer.end.chunked : answer.end.text);
}

/** What ends a body in chunks; undefined: the trailers cannot be said. */
export function renderLastChunk(trailers: readonly string[] | undefined): string | undefined {
  if (trailers === undefined || trailers.length === 0) return '0\r\n\r\n';
  let end = '0\r\n';
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i]!;
    const value = trailers[i + 1]!;
    if (!isName(name) || FORBIDDEN_IN_VALUE.test(value)) return undefined;
    end += `${name}: ${value}\r\n`;
  }
  return `${end}\r\n`;
}

function toStatusLine(status: number, reason: string): string | undefined {
  if (reason === '' || reason === STATUS_CODES[status]) {
    const known = statusLines.get(status);
    if (known !== undefined) return known;
  }
  // Three digits (RFC 9112 §4).
  if (!Number.isInteger(status) || status < 100 || status > 999) return undefined;
  const usual = STATUS_CODES[status] ?? '';
  // HTTP/2 knows no reasons, and some clients know no answer without one.
  const words = reason === '' ? usual : reason;
  if (FORBIDDEN_IN_VALUE.test(words)) return undefined;
  const line = `HTTP/1.1 ${status} ${words}\r\n`;
  if (words === usual) statusLines.set(status, line);
  return line;
}

function isName(name: string): boolean {
  if (goodNames.has(name)) return true;
  if (!TOKEN.test(name)) return false;
  if (goodNames.size < GOOD_NAMES_MAX) goodNames.add(name);
  return true;
}

/** The lane frames its answers itself: a second opinion on where they end must not go out. */
function isFraming(name: string): boolean {
  switch (name.length) {
    case 10: {
      const lower = name.toLowerCase();
      return lower === 'connection' || lower === 'keep-alive';
    }
    case 14:
      return name.toLowerCase() === 'content-length';
    case 17:
      return name.toLowerCase() === 'transfer-encoding';
    default:
      return false;
  }
}

/** That of the last answer that was passed on with one, which is mostly that of the next. */
let passedDate = '';
let passedDateLine = '';

let dateSecond = Number.NaN;
let dateLine = '';

/** Of the wall clock, as node:http says it; formatted once a second. */
function toDateLine(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateLine = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateLine;
}
