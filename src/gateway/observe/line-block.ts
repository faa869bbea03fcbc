/** Memory that lines of a log are written into until it is full. */
import { endianness } from 'node:os';
import { codeAt } from '../../mesh/transport/octets.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const POINT = 0x2e;

/** What stands for itself in a JSON string, and takes one byte (RFC 8259 §7). */
const IS_PLAIN = new Uint8Array(256);
for (let octet = 0x20; octet < 0x7f; octet++) {
  IS_PLAIN[octet] = octet === QUOTE || octet === BACKSLASH ? 0 : 1;
}

/** Larger numbers are written by the engine. */
const MAX_INTEGER = 1e9;

/** Of the words that lines are copied by. */
const WORD = 8;
/** The order that the words of a piece are in. */
const IS_LITTLE = endianness() === 'LE';

/** UTF-8 that lines repeat, in words. */
export class LinePiece {
  readonly length: number;
  readonly words: Float64Array;

  constructor(text: string) {
    const octets = Buffer.from(text);
    this.length = octets.length;
    this.words = new Float64Array(Math.ceil(octets.length / WORD));
    Buffer.from(this.words.buffer).set(octets);
  }
}

/**
 * A line is begun, put together of its pieces, and ended. It is not there in the end where it is longer
 * than the room that is left, or holds what none of the methods can write.
 */
export class LineBlock {
  readonly bytes: Buffer;
  /** Bytes of whole lines. */
  length = 0;
  lines = 0;
  readonly #view: DataView;
  #at = 0;
  #isOdd = false;

  constructor(size: number) {
    const memory = Buffer.allocUnsafeSlow(size + WORD);
    this.bytes = memory.subarray(0, size);
    this.#view = new DataView(memory.buffer);
  }

  clear(): void {
    this.length = 0;
    this.lines = 0;
  }

  /** Writes a whole line, or says that there is no room for it. */
  add(line: string): boolean {
    const { bytes, length } = this;
    // No character has more than three bytes for each of its units.
    if (bytes.length - length < line.length * 3) return false;
    this.length = length + bytes.write(line, length);
    this.lines++;
    return true;
  }

  begin(): void {
    this.#at = this.length;
    this.#isOdd = false;
  }

  /** Returns its bytes; 0: it is not there. */
  end(): number {
    const bytes = this.#at - this.length;
    // What goes beyond the end is not written, but counted.
    if (this.#isOdd || this.#at > this.bytes.length) return 0;
    this.length = this.#at;
    this.lines++;
    return bytes;
  }

  /** Takes back the newest line, which has so many bytes. */
  remove(bytes: number): void {
    this.length -= bytes;
    this.lines--;
  }

  /**
   * As it is. By words, which costs a quarter of what octets do; as floating-point numbers, which stay what
   * they are in registers, and none of which is a NaN: in UTF-8 no 0x7f comes after an octet from 0xf0 on.
   */
  piece({ words, length }: LinePiece): void {
    const at = this.#at;
    this.#at = at + length;
    if (this.#at > this.bytes.length) return;
    const view = this.#view;
    for (let i = 0; i < words.length; i++) view.setFloat64(at + i * WORD, words[i]!, IS_LITTLE);
  }

  /** ASCII, as it is. It has as many octets as a word behind it. */
  ascii(octets: DataView, from: number, length: number): void {
    const at = this.#at;
    this.#at = at + length;
    if (this.#at > this.bytes.length) return;
    const view = this.#view;
    for (let i = 0; i < length; i += WORD) {
      view.setFloat64(at + i, octets.getFloat64(from + i, true), true);
    }
  }

  /** What is within the quotes of a JSON string and needs no escapes; any other makes the line one that cannot be written. */
  text(text: string): void {
    const { bytes } = this;
    const { length } = text;
    let at = this.#at;
    for (let i = 0; i < length; i++) {
      const octet = codeAt(text, i);
      if (IS_PLAIN[octet] !== 1) this.#isOdd = true;
      bytes[at++] = octet;
    }
    this.#at = at;
  }

  /** A whole number from 0 on. */
  integer(value: number): void {
    if (!(value >= 0 && value < MAX_INTEGER)) {
      this.#number(value);
      return;
    }
    const { bytes } = this;
    let digits = 1;
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++;
    let at = this.#at + digits;
    this.#at = at;
    let rest = value | 0;
    do {
      const tenth = (rest / 10) | 0;
      bytes[--at] = ZERO + rest - tenth * 10;
      rest = tenth;
    } while (rest > 0);
  }

  /** A number of thousandths, divided by a thousand: 1500 is written as 1.5. */
  thousandths(value: number): void {
    if (!(value >= 0 && value < MAX_INTEGER)) {
      this.#number(value / 1000);
      return;
    }
    const whole = (value / 1000) | 0;
    let rest = value - whole * 1000;
    this.integer(whole);
    if (rest === 0) return;
    const { bytes } = this;
    bytes[this.#at++] = POINT;
    for (let place = 100; rest > 0; place /= 10) {
      const digit = (rest / place) | 0;
      bytes[this.#at++] = ZERO + digit;
      rest -= digit * place;
    }
  }

  #number(value: number): void {
    if (!Number.isFinite(value)) this.#isOdd = true;
    const text = String(value);
    this.bytes.write(text, Math.min(this.#at, this.bytes.length), 'latin1');
    this.#at += text.length;
  }
}

/** A log's writer waits until one is full, or for its interval: each write costs a hop to another thread. */
const BLOCK_BYTES = 256 * 1024;
/** One is written while the other fills. */
const MAX_SPARE = 2;

/** The blocks of one log, which it uses again and again. */
export class LineBlocks {
  readonly #spare: LineBlock[] = [];

  /** An empty one, with room for so many bytes at least. */
  take(bytes: number): LineBlock {
    if (bytes > BLOCK_BYTES) return new LineBlock(bytes);
    return this.#spare.pop() ?? new LineBlock(BLOCK_BYTES);
  }

  giveBack(block: LineBlock): void {
    if (this.#spare.length === MAX_SPARE || block.bytes.length > BLOCK_BYTES) return;
    block.clear();
    this.#spare.push(block);
  }
}
