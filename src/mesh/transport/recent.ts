/** What was made of texts that requests repeat, such as hosts. */
import { codeAt } from './octets.ts';

const SLOTS = 64;

/** A longer one is not kept, so that clients cannot choose how much is. */
const MAX_LENGTH = 256;

interface Entry<Value> {
  readonly text: string;
  readonly value: Value;
}

/** A text that differs takes the place of another: nobody can use up the room for those to come. */
export class Recent<Value> {
  readonly #slots = Array.from({ length: SLOTS }, (): Entry<Value> | undefined => undefined);

  get(text: string): Value | undefined {
    const entry = this.#slots[slotOf(text)];
    return entry !== undefined && entry.text === text ? entry.value : undefined;
  }

  set(text: string, value: Value): void {
    if (text.length <= MAX_LENGTH) this.#slots[slotOf(text)] = { text, value };
  }
}

/** By some of its characters. */
function slotOf(text: string): number {
  const { length } = text;
  if (length === 0) return 0;
  const sum = codeAt(text, 0) + 3 * codeAt(text, length >> 1) + 5 * codeAt(text, length - 1);
  return (sum + length) % SLOTS;
}
