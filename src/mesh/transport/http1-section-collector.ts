/** Gathers a head or a trailer section that arrives in several pieces, up to its limit. */

/** What ends a head and a trailer section. */
const SECTION_END = Buffer.from('\r\n\r\n', 'latin1');

/** What `add` returns while there is no end to report. */
export const INCOMPLETE = -1;
export const UNACCEPTABLE = -2;

const FIRST_BYTES = 1024;
const NOTHING = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;

/**
 * Only sections cut apart by the network come here; whole ones are read where they lie.
 * The buffer doubles and the search goes on where it left off, so that even a section that
 * comes byte by byte costs time in proportion to its length.
 */
export class SectionCollector {
  readonly #maxBytes: number;
  #bytes: Buffer = NOTHING;
  #length = 0;
  #end = INCOMPLETE;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** What has been gathered: the first `length` bytes, until `clear`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** All of the section, once it is complete. */
  get whole(): Buffer {
    return this.#bytes.subarray(0, this.#end + SECTION_END.length);
  }

  /**
   * Takes the bytes of `chunk` from `start` on. Returns the offset in `chunk` just past the
   * section once it is complete; INCOMPLETE before; UNACCEPTABLE if it is over the limit or
   * holds a bare CR or LF, for then its end may never come and the caller would wait in vain.
   */
  add(chunk: Buffer, start: number): number {
    const before = this.#length;
    // One byte over the limit is enough to know.
    const taken = Math.min(chunk.length - start, this.#maxBytes + 1 - before);
    const length = before + taken;
    const bytes = this.#reserve(length);
    chunk.copy(bytes, before, start, start + taken);
    this.#length = length;
    const searchFrom = Math.max(0, before - SECTION_END.length + 1);
    this.#end = bytes.subarray(0, length).indexOf(SECTION_END, searchFrom);
    if (this.#end !== INCOMPLETE) {
      const sectionBytes = this.#end + SECTION_END.length;
      return sectionBytes > this.#maxBytes ? UNACCEPTABLE : start + sectionBytes - before;
    }
    if (length > this.#maxBytes || hasBareLineBreak(bytes, searchFrom, length)) return UNACCEPTABLE;
    return INCOMPLETE;
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    this.#bytes = NOTHING;
    this.#length = 0;
    this.#end = INCOMPLETE;
  }

  #reserve(length: number): Buffer {
    const before = this.#bytes;
    if (before.length >= length) return before;
    const grown = Buffer.allocUnsafe(Math.max(length, before.length * 2, FIRST_BYTES));
    before.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    return grown;
  }
}

function hasBareLineBreak(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] === LF && (i === 0 || bytes[i - 1] !== CR)) return true;
    if (bytes[i] === CR && i + 1 < end && bytes[i + 1] !== LF) return true;
  }
  return false;
}
