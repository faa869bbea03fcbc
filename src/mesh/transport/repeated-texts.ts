/** Texts that message after message repeats, such as hosts and dates: of the same octets the same string. */

const SLOTS = 64;

/** A longer one is cut anew each time, so that clients and upstreams cannot choose how much is kept. */
const MAX_LENGTH = 128;

interface Known {
  readonly octets: Uint8Array;
  readonly text: string;
}

/**
 * Beside the making of it, whoever compares such a text or looks it up finds the same string again, which is
 * one comparison, and has its hash already. A text that differs takes the place of another: nobody can use
 * up the room for those to come.
 */
export class RepeatedTexts {
  readonly #slots = Array.from({ length: SLOTS }, (): Known | undefined => undefined);

  /** The octets from `start` to `end` as Latin-1. */
  read(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > MAX_LENGTH) return bytes.toString('latin1', start, end);
    const slot = slotOf(bytes, start, end);
    const known = this.#slots[slot];
    if (known !== undefined && isSame(known.octets, bytes, start, length)) return known.text;
    const text = intern(bytes.toString('latin1', start, end));
    this.#slots[slot] = { octets: new Uint8Array(bytes.subarray(start, end)), text };
    return text;
  }
}

/** By some of the octets: hosts differ at their beginning, dates before their `GMT`, addresses at their end. */
function slotOf(bytes: Buffer, start: number, end: number): number {
  const middle = (start + end) >> 1;
  const late = Math.max(start, end - 5);
  const sum = 3 * bytes[start]! + 5 * bytes[middle]! + 7 * bytes[late]! + 11 * bytes[end - 1]!;
  return (sum + end - start) % SLOTS;
}

/** The one string that the engine has of these characters, so that a literal of them is the same too. */
function intern(text: string): string {
  return Object.keys({ [text]: true })[0]!;
}

function isSame(octets: Uint8Array, bytes: Buffer, start: number, length: number): boolean {
  if (octets.length !== length) return false;
  for (let i = 0; i < length; i++) if (octets[i] !== bytes[start + i]) return false;
  return true;
}
