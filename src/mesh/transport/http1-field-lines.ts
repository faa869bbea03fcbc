/**
 * Reads the field lines of an answer (RFC 9112 §5). One pass over the octets decides what is allowed, and names
 * and values are cut from one decoded string: several times faster than decoding or matching line by line.
 */
import { toFieldLine } from '../../plugins/sdk/header-fields.ts';
import { AnswerSyntaxError } from './answer-syntax-error.ts';
import { NameSet } from './name-set.ts';
import { cut, IS_TOKEN, IS_VALUE, toLatin1 } from './octets.ts';
import { RepeatedTexts } from './repeated-texts.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** Names, and what most answers have to say by them. */
export const repeated = new RepeatedTexts();

/** The lines go on beyond the bytes. */
export const INCOMPLETE = -1;

/**
 * Of the lines that were scanned last and do not just go on as they are: name from, name to, value from,
 * value to, the next line, and whether it is in the list (1) or only to be written anew (0). It keeps its room.
 */
const marks: number[] = [];
const MARK = 6;
let marked = 0;

/**
 * Checks lines up to the empty one, and marks those whose names may be in `listed`, all where there is no
 * such set. Returns where the empty line begins.
 */
export function scanFieldLines(bytes: Buffer, start: number, listed: NameSet | undefined): number {
  let offset = start;
  marked = 0;
  while (bytes[offset] !== CR) {
    const nameStart = offset;
    let hash = NameSet.SEED;
    for (let octet = bytes[offset]!; IS_TOKEN[octet] === 1; octet = bytes[++offset]!) {
      hash = NameSet.hash(hash, octet);
    }
    // A folded line begins with a space, so it has an empty name: refused too (RFC 9112 §5.2).
    if (offset === nameStart || bytes[offset] !== COLON) {
      if (offset >= bytes.length) return INCOMPLETE;
      throw new AnswerSyntaxError('malformed header field name');
    }
    const nameEnd = offset++;
    while (bytes[offset] === SP || bytes[offset] === TAB) offset++;
    const valueStart = offset;
    while (IS_VALUE[bytes[offset]!] === 1) offset++;
    if (bytes[offset] !== CR || bytes[offset + 1] !== LF) {
      if (isBeyond(bytes, offset)) return INCOMPLETE;
      throw new AnswerSyntaxError('a header field value holds a character that it must not');
    }
    let valueEnd = offset;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) {
      valueEnd--;
    }
    const isCanonical =
      valueStart === nameEnd + 2 && bytes[nameEnd + 1] === SP && valueEnd === offset;
    offset += 2;
    const isListed = listed === undefined || listed.mayHave(hash);
    if (isCanonical && !isListed) continue;
    marks[marked] = nameStart;
    marks[marked + 1] = nameEnd;
    marks[marked + 2] = valueStart;
    marks[marked + 3] = valueEnd;
    marks[marked + 4] = offset;
    marks[marked + 5] = isListed ? 1 : 0;
    marked += MARK;
  }
  if (bytes[offset + 1] === LF) return offset;
  if (isBeyond(bytes, offset)) return INCOMPLETE;
  throw new AnswerSyntaxError('malformed header field name');
}

/** The line end that would begin here is not there yet. */
export function isBeyond(bytes: Buffer, offset: number): boolean {
  return offset >= bytes.length || (bytes[offset] === CR && offset + 1 === bytes.length);
}

/** Of the lines just scanned, from `start` to `end`: puts the listed ones into `fields`, and returns the text of the others. */
export function takeFieldLines(
  bytes: Buffer,
  start: number,
  end: number,
  fields: string[],
): string {
  const text = toLatin1(bytes, start, end);
  let passed = '';
  /** Where the lines begin that have not been added to `passed`. */
  let runStart = start;
  for (let mark = 0; mark < marked; mark += MARK) {
    const nameStart = marks[mark]!;
    const nameEnd = marks[mark + 1]!;
    const valueStart = marks[mark + 2]!;
    const valueEnd = marks[mark + 3]!;
    if (nameStart > runStart) passed += cut(text, runStart - start, nameStart - start);
    runStart = marks[mark + 4]!;
    if (marks[mark + 5] === 0) {
      const name = cut(text, nameStart - start, nameEnd - start);
      passed += toFieldLine(name, cut(text, valueStart - start, valueEnd - start));
      continue;
    }
    const name = repeated.read(bytes, nameStart, nameEnd);
    // Lengths repeat less than the others do.
    const value =
      name === 'Content-Length'
        ? cut(text, valueStart - start, valueEnd - start)
        : repeated.read(bytes, valueStart, valueEnd);
    fields.push(name, value);
  }
  return runStart < end ? passed + cut(text, runStart - start) : passed;
}
