/** Reads the head of an answer: its status line, its field lines and what they say of the body (RFC 9112 §4–§6). */
import { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import { AnswerSyntaxError } from './answer-syntax-error.ts';
import {
  INCOMPLETE,
  isBeyond,
  repeated,
  scanFieldLines,
  takeFieldLines,
} from './http1-field-lines.ts';
import { NameSet } from './name-set.ts';
import { IS_VALUE, toWholeNumber } from './octets.ts';

/** `length`: Content-Length · `chunked` · `close`: up to the end of the connection. */
export type BodyFraming = 'length' | 'chunked' | 'close';

export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** Field lines as received; those of ANSWER_FIELDS_OF_A_HOP and Date are in its `rest`. */
  readonly headers: HeaderFields;
  /** The offset behind it. */
  readonly end: number;
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
const ZERO = 0x30;

/** How every answer begins. */
export const HTTP_1 = Buffer.from('HTTP/1.', 'latin1');
/** `HTTP/1.1 200` */
const STATUS_LINE_MIN_BYTES = 12;

/**
 * Reads the head that begins at `start`; undefined where it goes on beyond the bytes, or is shorter than
 * any. Throws AnswerSyntaxError.
 */
export function parseAnswerHead(bytes: Buffer, start: number): AnswerHead | undefined {
  if (bytes.length - start < STATUS_LINE_MIN_BYTES + 2) return undefined;
  if (!isHttp1(bytes, start)) {
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
  if (isBeyond(bytes, offset)) return undefined;
  if (bytes[offset] !== CR || bytes[offset + 1] !== LF) {
    throw new AnswerSyntaxError('the status line holds a character that it must not');
  }
  const reason = repeated.read(bytes, reasonStart, offset);
  const fieldsStart = offset + 2;
  const end = scanFieldLines(bytes, fieldsStart, LISTED);
  if (end === INCOMPLETE) return undefined;
  const list: string[] = [];
  const passed = takeFieldLines(bytes, fieldsStart, end, list);
  return toHead(status, reason, new HeaderFields(list, passed), minor === 1, end + 2);
}

function isHttp1(bytes: Buffer, start: number): boolean {
  for (let i = 0; i < HTTP_1.length; i++) if (bytes[start + i] !== HTTP_1[i]) return false;
  return true;
}

/**
 * Reads a trailer section that stands in `bytes` from `start` to its end, which is an empty line.
 * Throws AnswerSyntaxError.
 */
export function parseTrailers(bytes: Buffer, start: number): string[] {
  const end = scanFieldLines(bytes, start, undefined);
  if (end === INCOMPLETE) throw new AnswerSyntaxError('a trailer section without an end');
  const trailers: string[] = [];
  takeFieldLines(bytes, start, end, trailers);
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

function toHead(
  status: number,
  reason: string,
  fields: HeaderFields,
  isHttp11: boolean,
  end: number,
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
          asksToKeep ||= options === 'keep-alive' || hasOption(options, 'keep-alive');
          asksToClose ||= options !== 'keep-alive' && hasOption(options, 'close');
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
    end,
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

function toContentLength(value: string): number {
  const length = toWholeNumber(value);
  if (length === -1) throw new AnswerSyntaxError('malformed Content-Length');
  return length;
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
