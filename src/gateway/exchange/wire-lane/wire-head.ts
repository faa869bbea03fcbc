/** Recognises the head of an HTTP/1.1 request in its canonical form; whatever else it may be is another lane's to say. */
import { toFieldLine, toFieldList } from '../../../plugins/sdk/header-fields.ts';
import { NameSet } from '../../../mesh/transport/name-set.ts';
import {
  cut,
  IS_TOKEN,
  IS_VALUE,
  toLatin1,
  toWholeNumber,
} from '../../../mesh/transport/octets.ts';
import { RepeatedTexts } from '../../../mesh/transport/repeated-texts.ts';
import { isAuthority } from '../authority.ts';
import type { HeadLimits } from '../head-limits.ts';
import { isJudged } from '../received-fields.ts';

/** A request, whose parts are in the reader. */
export const WHOLE = 0;
/** What is there begins like one. */
export const PARTIAL = 1;
/** Not canonical, not allowed, or simply unknown: nothing of it has been judged. */
export const ODD = 2;
export type HeadVerdict = typeof WHOLE | typeof PARTIAL | typeof ODD;

/** `bodyLength` of a body in chunks. */
export const CHUNKED = -1;

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const SLASH = 0x2f;

/** Others are rare enough for the other lane, which knows them all. */
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'].map((name) => ({
  name,
  octets: Buffer.from(`${name} `, 'latin1'),
}));
const VERSION = Buffer.from(' HTTP/1.1\r\n', 'latin1');

/** Visible ASCII without `#`: a fragment has no place in a request (RFC 9112 §3.2.1). */
const IS_CANONICAL_TARGET = new Uint8Array(256);
for (let octet = 0x21; octet < 0x7f; octet++) IS_CANONICAL_TARGET[octet] = octet === 0x23 ? 0 : 1;

/** A request of more fields is odd, whatever the listener allows. */
const MAX_FIELDS = 256;
/** Where the fields of the head being read stand: name from, name to, value from, value to. */
const spans = new Int32Array(MAX_FIELDS * 4);
/** What becomes of each: goes on as it stands, goes on with other white space, or is looked at. */
const kinds = new Uint8Array(MAX_FIELDS);
const PASSED = 0;
const REWRITTEN = 1;
const JUDGED = 2;

const HOST = Buffer.from('host', 'latin1');
const hosts = new RepeatedTexts();

/**
 * One pass over the octets decides what is allowed, and names and values are cut from one decoded
 * string. What was read last is in its fields until it reads again.
 */
export class HeadReader {
  method = '';
  target = '';
  authority = '';
  /** As received, without Host, and without those in `text`; a list of its own for each request. */
  headers: string[] = [];
  /** Lines that nothing will become of but to be kept: `Intake.text`. */
  text = '';
  /** In bytes; CHUNKED; 0: no body. */
  bodyLength = 0;
  /** The client asks for nothing after this (`Connection: close`). */
  asksToClose = false;
  /** The offset behind the head. */
  end = 0;
  readonly #limits: HeadLimits;
  readonly #maxFields: number;
  readonly #maxBytes: number;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
    this.#maxFields = Math.min(limits.maxHeaderFields, MAX_FIELDS);
    this.#maxBytes = limits.maxHeaderBytes + limits.maxTargetBytes;
  }

  /** Reads the head that begins at `start`. */
  read(bytes: Buffer, start: number): HeadVerdict {
    const { length } = bytes;
    let at = start;
    const method = findMethod(bytes, start);
    if (typeof method === 'number') return method;
    at += method.octets.length;
    const targetStart = at;
    if (bytes[at] !== SLASH) return at < length ? ODD : PARTIAL;
    while (IS_CANONICAL_TARGET[bytes[at]!] === 1) at++;
    const targetEnd = at;
    if (targetEnd - targetStart > this.#limits.maxTargetBytes) return ODD;
    for (let i = 0; i < VERSION.length; i++, at++) {
      if (bytes[at] !== VERSION[i]) return at < length ? ODD : PARTIAL;
    }
    let count = 0;
    while (bytes[at] !== CR) {
      const nameStart = at;
      let hash = NameSet.SEED;
      for (let octet = bytes[at]!; IS_TOKEN[octet] === 1; octet = bytes[++at]!) {
        hash = NameSet.hash(hash, octet);
      }
      const nameEnd = at;
      if (bytes[at] !== COLON || nameEnd === nameStart) return this.#verdictAt(at, start, length);
      at++;
      while (bytes[at] === SP || bytes[at] === TAB) at++;
      const valueStart = at;
      while (IS_VALUE[bytes[at]!] === 1) at++;
      let valueEnd = at;
      if (bytes[at] !== CR || bytes[at + 1] !== LF) {
        return this.#verdictAt(bytes[at] === CR ? at + 1 : at, start, length);
      }
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) {
        valueEnd--;
      }
      if (count === this.#maxFields) return ODD;
      const isCanonical =
        valueStart === nameEnd + 2 && bytes[nameEnd + 1] === SP && bytes[valueEnd] === CR;
      if (isJudged(hash, bytes, nameStart)) kinds[count] = JUDGED;
      else kinds[count] = isCanonical ? PASSED : REWRITTEN;
      const span = count++ * 4;
      spans[span] = nameStart;
      spans[span + 1] = nameEnd;
      spans[span + 2] = valueStart;
      spans[span + 3] = valueEnd;
      at += 2;
    }
    if (bytes[at + 1] !== LF) return this.#verdictAt(at + 1, start, length);
    this.end = at + 2;
    this.method = method.name;
    const text = toLatin1(bytes, start, at);
    this.target = cut(text, targetStart - start, targetEnd - start);
    return this.#readFields(bytes, text, start, count) ? WHOLE : ODD;
  }

  /** An octet that is not as it must be: one that is not there yet, or is. */
  #verdictAt(at: number, start: number, length: number): HeadVerdict {
    return at < length || length - start > this.#maxBytes ? ODD : PARTIAL;
  }

  /** `head`: the octets that the spans are of, from `start` on and up to the empty line. */
  #readFields(octets: Buffer, head: string, start: number, count: number): boolean {
    const headers: string[] = [];
    let text = '';
    /** Where the lines begin that belong to the text and are not in it; -1: there are none. */
    let runStart = -1;
    let authority: string | undefined;
    let bodyLength = 0;
    let isFramed = false;
    let asksToClose = false;
    let namesFields = false;
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      const span = i * 4;
      const nameStart = spans[span]! - start;
      const nameEnd = spans[span + 1]! - start;
      const valueStart = spans[span + 2]! - start;
      const valueEnd = spans[span + 3]! - start;
      bytes += nameEnd - nameStart + valueEnd - valueStart + 4;
      if (kinds[i] === PASSED) {
        if (runStart === -1) runStart = nameStart;
        continue;
      }
      if (runStart !== -1) {
        text += cut(head, runStart, nameStart);
        runStart = -1;
      }
      if (nameEnd - nameStart === HOST.length && isHost(octets, spans[span]!)) {
        const value = hosts.read(octets, spans[span + 2]!, spans[span + 3]!);
        if (authority !== undefined || !isAuthority(value)) return false;
        authority = value;
        continue;
      }
      const name = cut(head, nameStart, nameEnd);
      const value = cut(head, valueStart, valueEnd);
      if (kinds[i] === REWRITTEN) {
        text += toFieldLine(name, value);
        continue;
      }
      // Names of other lengths cannot matter here: most lines cost one comparison.
      switch (nameEnd - nameStart) {
        case 6:
          if (name.toLowerCase() === 'expect') return false;
          break;
        case 7:
          if (name.toLowerCase() === 'upgrade') return false;
          break;
        case 10:
          if (name !== 'Connection' && name.toLowerCase() !== 'connection') break;
          asksToClose ||= hasClose(value);
          namesFields ||= !isOfConnection(value);
          break;
        case 14:
          if (name !== 'Content-Length' && name.toLowerCase() !== 'content-length') break;
          bodyLength = toWholeNumber(value);
          // A second framing, even an equal one, is one that somebody might read otherwise.
          if (isFramed || bodyLength < 0) return false;
          isFramed = true;
          break;
        case 16:
          // Node's parser heeds this one, which no standard knows.
          if (name.toLowerCase() === 'proxy-connection') return false;
          break;
        case 17:
          if (name.toLowerCase() !== 'transfer-encoding') break;
          if (isFramed || value.toLowerCase() !== 'chunked') return false;
          bodyLength = CHUNKED;
          isFramed = true;
          break;
        default:
      }
      headers.push(name, value);
    }
    if (authority === undefined || bytes > this.#limits.maxHeaderBytes) return false;
    if (runStart !== -1) text += cut(head, runStart);
    // A field that Connection names is not kept, whatever it is.
    this.headers = namesFields ? toFieldList(text).concat(headers) : headers;
    this.text = namesFields ? '' : text;
    this.authority = authority;
    this.bodyLength = bodyLength;
    this.asksToClose = asksToClose;
    return true;
  }
}

function isHost(octets: Buffer, nameStart: number): boolean {
  for (let i = 0; i < HOST.length; i++)
    if ((octets[nameStart + i]! | 0x20) !== HOST[i]) return false;
  return true;
}

function findMethod(bytes: Buffer, start: number): (typeof METHODS)[number] | HeadVerdict {
  for (const method of METHODS) {
    const { octets } = method;
    let i = 0;
    while (i < octets.length && bytes[start + i] === octets[i]) i++;
    if (i === octets.length) return method;
    if (start + i === bytes.length) return PARTIAL;
  }
  return ODD;
}

function hasClose(value: string): boolean {
  if (value === 'keep-alive' || value === 'Keep-Alive') return false;
  if (value === 'close') return true;
  return value.split(',').some((option) => option.trim().toLowerCase() === 'close');
}

/** Says of the connection what it says without naming a field. */
function isOfConnection(value: string): boolean {
  return value === 'keep-alive' || value === 'Keep-Alive' || value === 'close';
}
