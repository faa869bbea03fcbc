/** Reads a request body in chunks (RFC 9112 §7.1): the canonical form, and what node's strict parser takes besides. */
import type { MeshgateError } from '../../../errors.ts';
import { parseTrailers } from '../../../mesh/transport/http1-answer-head.ts';
import { IS_TOKEN, IS_VALUE, toHexDigit } from '../../../mesh/transport/octets.ts';
import { keep } from '../../../mesh/transport/read-memory.ts';
import { sameName } from '../../../plugins/sdk/header-fields.ts';
import type { HeadLimits } from '../head-limits.ts';
import { badRequest, fieldsTooLarge } from '../request-refusals.ts';

export interface ChunkSink {
  /** A view of the bytes that were read, not a copy. */
  push(chunk: Buffer): void;
}

const SIZE_START = 0;
const SIZE = 1;
const EXTENSION_START = 2;
const EXTENSION_NAME = 3;
const EXTENSION_VALUE = 4;
const QUOTED = 5;
const QUOTED_PAIR = 6;
const QUOTED_END = 7;
const SIZE_LF = 8;
const DATA = 9;
const DATA_CR = 10;
const DATA_LF = 11;
const LINE_START = 12;
const NAME = 13;
const VALUE = 14;
const VALUE_LF = 15;
const LAST_LF = 16;
// From here on no byte is wanted.
const DONE = 17;
const FAILED = 18;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Exact as a number, and no chunk is that large. */
const MAX_SIZE = 2 ** 48;
/** On one chunk's line, as with node's parser: extensions mean nothing to us (cf. CVE-2024-22019). */
const MAX_EXTENSION_BYTES = 16 * 1024;

/** Reads one body after another: `start`, then `read` until `isDone` or `failure`. */
export class ChunkReader {
  readonly #limits: HeadLimits;
  #state = FAILED;
  /** Bytes left of the chunk; while its size is read, its value so far. */
  #left = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  /** The trailer section so far. */
  #section: Buffer[] = [];
  failure: MeshgateError | undefined = undefined;
  trailers: string[] | undefined = undefined;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  get isDone(): boolean {
    return this.#state === DONE;
  }

  start(): void {
    this.#state = SIZE_START;
    this.#trailerBytes = 0;
    this.#section = [];
    this.failure = undefined;
    this.trailers = undefined;
  }

  /** Returns the offset behind what belongs to the body; less than all only at its end. */
  read(bytes: Buffer, start: number, sink: ChunkSink): number {
    const { length } = bytes;
    let offset = start;
    let sectionStart = this.#state >= LINE_START ? start : -1;
    while (offset < length && this.#state < DONE) {
      if (this.#state === DATA) {
        const end = Math.min(length, offset + this.#left);
        this.#left -= end - offset;
        if (this.#left === 0) this.#state = DATA_CR;
        sink.push(bytes.subarray(offset, end));
        offset = end;
        continue;
      }
      if (sectionStart === -1 && this.#state >= LINE_START) sectionStart = offset;
      this.#step(bytes[offset++]!);
    }
    if (sectionStart !== -1 && this.#state !== FAILED) {
      this.#section.push(keep(bytes.subarray(sectionStart, offset)));
      if (this.#state === DONE) this.#finish();
    }
    return offset;
  }

  #step(octet: number): void {
    if (this.#state >= LINE_START) this.#stepTrailers(octet);
    else if (this.#state >= SIZE_LF) this.#stepFrame(octet);
    else if (this.#state >= EXTENSION_START) this.#stepExtension(octet);
    else this.#stepSize(octet);
  }

  #stepSize(octet: number): void {
    const digit = toHexDigit(octet);
    if (this.#state === SIZE_START) {
      if (digit === -1) this.#fail('Invalid character in chunk size');
      else {
        this.#left = digit;
        this.#state = SIZE;
      }
    } else if (digit !== -1) {
      this.#left = this.#left * 16 + digit;
      if (this.#left > MAX_SIZE) this.#fail('Chunk size overflow');
    } else if (octet === CR) {
      this.#state = SIZE_LF;
    } else if (octet === SEMICOLON) {
      this.#extensionBytes = 0;
      this.#state = EXTENSION_START;
    } else {
      this.#fail('Invalid character in chunk size');
    }
  }

  #stepExtension(octet: number): void {
    if (++this.#extensionBytes > MAX_EXTENSION_BYTES) {
      this.#fail('chunk extensions overflow');
      return;
    }
    const state = this.#state;
    if (state === QUOTED) {
      if (octet === QUOTE) this.#state = QUOTED_END;
      else if (octet === BACKSLASH) this.#state = QUOTED_PAIR;
      else if (IS_VALUE[octet] !== 1)
        this.#fail('Invalid character in chunk extensions quoted value');
    } else if (state === QUOTED_PAIR) {
      if (IS_VALUE[octet] === 1) this.#state = QUOTED;
      else this.#fail('Invalid quoted-pair in chunk extensions quoted value');
    } else if (octet === CR && state !== EXTENSION_START) {
      this.#state = SIZE_LF;
    } else if (octet === SEMICOLON && state !== EXTENSION_START) {
      this.#state = EXTENSION_START;
    } else if (octet === EQUALS && state === EXTENSION_NAME) {
      this.#state = EXTENSION_VALUE;
    } else if (octet === QUOTE && state === EXTENSION_VALUE) {
      this.#state = QUOTED;
    } else if (state === QUOTED_END || IS_TOKEN[octet] !== 1) {
      this.#fail('Invalid character in chunk extensions');
    } else if (state === EXTENSION_START) {
      this.#state = EXTENSION_NAME;
    }
  }

  /** The line ends after a size and after a chunk. */
  #stepFrame(octet: number): void {
    const wanted = this.#state === DATA_CR ? CR : LF;
    if (octet !== wanted) this.#fail(`Expected ${wanted === CR ? 'CR' : 'LF'} in chunk framing`);
    else if (this.#state === SIZE_LF) this.#state = this.#left === 0 ? LINE_START : DATA;
    else this.#state = this.#state === DATA_CR ? DATA_LF : SIZE_START;
  }

  #stepTrailers(octet: number): void {
    const { maxHeaderBytes, maxTargetBytes } = this.#limits;
    // What node's parser leaves room for, for which target and fields are one.
    if (++this.#trailerBytes > maxHeaderBytes + maxTargetBytes) {
      this.#state = FAILED;
      this.failure = fieldsTooLarge(maxHeaderBytes);
      return;
    }
    switch (this.#state) {
      case LINE_START:
        if (octet === CR) this.#state = LAST_LF;
        else if (IS_TOKEN[octet] === 1) this.#state = NAME;
        else this.#fail('Invalid header token');
        return;
      case NAME:
        if (octet === COLON) this.#state = VALUE;
        else if (IS_TOKEN[octet] !== 1) this.#fail('Invalid header token');
        return;
      case VALUE:
        if (octet === CR) this.#state = VALUE_LF;
        else if (IS_VALUE[octet] !== 1) this.#fail('Invalid header value char');
        return;
      default:
        if (octet !== LF) this.#fail('Missing expected LF after header value');
        else this.#state = this.#state === VALUE_LF ? LINE_START : DONE;
    }
  }

  #finish(): void {
    const section = this.#section.length === 1 ? this.#section[0]! : Buffer.concat(this.#section);
    this.#section = [];
    const isEmpty = section.length === 2;
    if (isEmpty) return;
    const trailers = parseTrailers(section, 0);
    if (trailers.some(isFraming)) this.#fail('A trailer about the framing');
    else this.trailers = trailers;
  }

  #fail(reason: string): void {
    this.#state = FAILED;
    this.failure = badRequest(`The bytes are not an HTTP request: ${reason}.`);
  }
}

/** Of a flat field list. Whoever heeds it reads another body (RFC 9110 §6.5.1). */
function isFraming(name: string, at: number): boolean {
  return at % 2 === 0 && (sameName(name, 'content-length') || sameName(name, 'transfer-encoding'));
}
