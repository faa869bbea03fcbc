/** Finds the pieces of one upstream answer in its bytes as they arrive: head, body, trailers (RFC 9112). */
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import { AnswerSyntaxError } from './answer-syntax-error.ts';
import { HTTP_1, parseAnswerHead, parseTrailers } from './http1-answer-head.ts';
import type { AnswerHead } from './http1-answer-head.ts';
import { IS_VALUE, toHexDigit } from './octets.ts';
import { INCOMPLETE, SectionCollector, UNACCEPTABLE } from './http1-section-collector.ts';
import { checkSwitch } from './http1-switch.ts';

/** Hears what is found, in order. May call `stop` from within; nothing more comes then. */
export interface AnswerHandler {
  onInformational(status: number, headers: string[]): void;
  onHead(status: number, reason: string, headers: HeaderFields): void;
  /** A view of the bytes that were pushed, not a copy. */
  onBody(chunk: Buffer): void;
}

// Where the next byte stands. From DONE on, none is wanted.
const HEAD = 0;
const LENGTH_BODY = 1;
const CLOSE_BODY = 2;
const CHUNK_SIZE_START = 3;
const CHUNK_SIZE = 4;
const CHUNK_EXTENSION = 5;
const CHUNK_SIZE_LF = 6;
const CHUNK_DATA = 7;
const CHUNK_DATA_CR = 8;
const CHUNK_DATA_LF = 9;
const TRAILERS_START = 10;
const TRAILERS_LF = 11;
const TRAILERS = 12;
const DONE = 13;
const UPGRADED = 14;
const STOPPED = 15;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
/** 2^48: exact as a number, and no body is that long. */
const MAX_CHUNK_SIZE_DIGITS = 12;
/** On one chunk's line; extensions mean nothing to us (cf. CVE-2024-22019). */
const MAX_CHUNK_EXTENSION_BYTES = 4096;

/**
 * Reads one answer after another from a connection: `start`, then `push` until `isDone`,
 * `upgrade` or `failure`. What it cannot understand to the letter is a failure, because
 * guessing where an answer ends would make its rest the next caller's answer.
 */
export class ResponseParser {
  readonly #handler: AnswerHandler;
  readonly #maxHeadBytes: number;
  readonly #section: SectionCollector;
  #state = STOPPED;
  #isHead = false;
  #upgrade: string | undefined;
  /** Bytes left of the body or chunk; while a chunk's size is read, its value so far. */
  #left = 0;
  /** Digits of the chunk's size, or bytes of its extension. */
  #lineBytes = 0;

  /** The final answer's head has been read. */
  hasHead = false;
  /** Once it is done: the connection stays open after this answer, as far as the upstream goes. */
  keepAlive = false;
  keepAliveTimeoutS: number | undefined;
  trailers: string[] | undefined;
  /** The head of a 101: what follows it is not HTTP, so the handler is not told. */
  upgrade: AnswerHead | undefined;
  /** Why the bytes are not an acceptable answer; undefined while they are. */
  failure: string | undefined;

  constructor(handler: AnswerHandler, maxHeadBytes: number) {
    this.#handler = handler;
    this.#maxHeadBytes = maxHeadBytes;
    this.#section = new SectionCollector(maxHeadBytes);
  }

  get isDone(): boolean {
    return this.#state === DONE;
  }

  /** Expects the answer to a request: one to HEAD has no body, one to an upgrade may be its 101. */
  start(isHead: boolean, upgrade: string | undefined): void {
    this.#state = HEAD;
    this.#isHead = isHead;
    this.#upgrade = upgrade;
    this.#section.clear();
    this.hasHead = false;
    this.keepAlive = true;
    this.keepAliveTimeoutS = undefined;
    this.trailers = undefined;
    this.upgrade = undefined;
    this.failure = undefined;
  }

  /** The handler hears no more of this answer. */
  stop(): void {
    this.#state = STOPPED;
  }

  /** Reads on. Returns how many bytes belonged to the answer; fewer than all only at its end. */
  push(chunk: Buffer): number {
    try {
      return this.#read(chunk);
    } catch (error) {
      if (!(error instanceof AnswerSyntaxError)) throw error;
      this.failure = error.message;
      this.#state = STOPPED;
      return chunk.length;
    }
  }

  /** The connection has ended in good order. Returns whether the answer is complete by that. */
  finish(): boolean {
    if (this.#state === CLOSE_BODY) this.#state = DONE;
    return this.#state === DONE;
  }

  #read(chunk: Buffer): number {
    const { length } = chunk;
    let offset = 0;
    while (offset < length && this.#state < DONE) {
      switch (this.#state) {
        case HEAD:
          offset = this.#readHead(chunk, offset);
          break;
        case LENGTH_BODY:
        case CHUNK_DATA:
          offset = this.#readSized(chunk, offset);
          break;
        case CLOSE_BODY:
          this.#handler.onBody(offset === 0 ? chunk : chunk.subarray(offset));
          offset = length;
          break;
        case TRAILERS:
          offset = this.#readTrailers(chunk, offset);
          break;
        case TRAILERS_START:
          // A section that is not empty is read from this byte on.
          if (chunk[offset] !== CR) {
            this.#state = TRAILERS;
            break;
          }
          this.#state = TRAILERS_LF;
          offset++;
          break;
        default:
          this.#readFramingByte(chunk[offset++]!);
      }
    }
    return offset;
  }

  #readHead(chunk: Buffer, offset: number): number {
    const section = this.#section;
    if (section.isEmpty) {
      const head = parseAnswerHead(chunk, offset);
      if (head !== undefined) {
        if (head.end - offset > this.#maxHeadBytes) throw tooLong();
        this.#beginBody(head);
        return head.end;
      }
    }
    const next = section.add(chunk, offset);
    if (next === UNACCEPTABLE) throw tooLong();
    if (next === INCOMPLETE) {
      // Refused without waiting for its end.
      const known = Math.min(section.length, HTTP_1.length);
      if (section.bytes.compare(HTTP_1, 0, known, 0, known) !== 0) {
        throw new AnswerSyntaxError('the answer does not begin with an HTTP/1 status line');
      }
      return chunk.length;
    }
    const head = parseAnswerHead(section.whole, 0);
    section.clear();
    if (head === undefined) throw new AnswerSyntaxError('malformed status line');
    this.#beginBody(head);
    return next;
  }

  /** Decides how the body ends (RFC 9112 §6.3), then tells of the head. */
  #beginBody(head: AnswerHead): void {
    const { status } = head;
    // An informational answer may say `close` as well (RFC 9112 §9.6).
    this.keepAlive &&= head.keepAlive;
    if (status < 200) {
      if (status !== 101) {
        this.#handler.onInformational(status, head.headers.raw);
        return;
      }
      checkSwitch(head, this.#upgrade);
      this.hasHead = true;
      this.upgrade = head;
      this.#state = UPGRADED;
      return;
    }
    this.hasHead = true;
    this.keepAliveTimeoutS = head.keepAliveTimeoutS;
    if (this.#isHead || status === 204 || status === 304) {
      this.#state = DONE;
    } else if (head.framing === 'length') {
      this.#left = head.contentLength;
      this.#state = this.#left === 0 ? DONE : LENGTH_BODY;
    } else if (head.framing === 'chunked') {
      this.#state = CHUNK_SIZE_START;
    } else {
      this.keepAlive = false;
      this.#state = CLOSE_BODY;
    }
    this.#handler.onHead(status, head.reason, head.headers);
  }

  #readSized(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#left);
    this.#left -= end - offset;
    // Before the handler is called, which may stop us.
    if (this.#left === 0) this.#state = this.#state === LENGTH_BODY ? DONE : CHUNK_DATA_CR;
    const isWhole = offset === 0 && end === chunk.length;
    this.#handler.onBody(isWhole ? chunk : chunk.subarray(offset, end));
    return end;
  }

  /** The octets between chunks: their size, extensions and line ends (RFC 9112 §7.1). */
  #readFramingByte(octet: number): void {
    switch (this.#state) {
      case CHUNK_SIZE_START:
        this.#left = 0;
        this.#lineBytes = 0;
        this.#state = CHUNK_SIZE;
        this.#readSizeDigit(octet);
        return;
      case CHUNK_SIZE:
        if (octet === CR) this.#state = CHUNK_SIZE_LF;
        else if (octet === SEMICOLON) this.#startExtension();
        else this.#readSizeDigit(octet);
        return;
      case CHUNK_EXTENSION:
        if (octet === CR) this.#state = CHUNK_SIZE_LF;
        else if (IS_VALUE[octet] !== 1 || ++this.#lineBytes > MAX_CHUNK_EXTENSION_BYTES) {
          throw new AnswerSyntaxError('malformed or endless chunk extension');
        }
        return;
      case CHUNK_SIZE_LF:
        expectOctet(octet, LF);
        this.#state = this.#left === 0 ? TRAILERS_START : CHUNK_DATA;
        return;
      case CHUNK_DATA_CR:
        expectOctet(octet, CR);
        this.#state = CHUNK_DATA_LF;
        return;
      case CHUNK_DATA_LF:
        expectOctet(octet, LF);
        this.#state = CHUNK_SIZE_START;
        return;
      default:
        // TRAILERS_LF: the section is empty.
        expectOctet(octet, LF);
        this.#state = DONE;
    }
  }

  #startExtension(): void {
    this.#lineBytes = 0;
    this.#state = CHUNK_EXTENSION;
  }

  #readSizeDigit(octet: number): void {
    const digit = toHexDigit(octet);
    if (digit === -1 || ++this.#lineBytes > MAX_CHUNK_SIZE_DIGITS) {
      throw new AnswerSyntaxError('malformed chunk size');
    }
    this.#left = this.#left * 16 + digit;
  }

  #readTrailers(chunk: Buffer, offset: number): number {
    const section = this.#section;
    const next = section.add(chunk, offset);
    if (next === UNACCEPTABLE) throw tooLong();
    if (next === INCOMPLETE) return chunk.length;
    this.trailers = parseTrailers(section.whole, 0);
    section.clear();
    this.#state = DONE;
    return next;
  }
}

function expectOctet(octet: number, expected: number): void {
  if (octet !== expected) throw new AnswerSyntaxError('malformed chunk framing');
}

function tooLong(): AnswerSyntaxError {
  return new AnswerSyntaxError(
    'a head or trailer section that is too long, or breaks its lines wrongly',
  );
}
