/** Field lines with random hexadecimal digits, drawn many at a time. */
import { randomFillSync } from 'node:crypto';
import { cut, toLatin1, writeLatin1 } from '../../mesh/transport/octets.ts';

/** What is not left to chance: changes the octets of a line that begins at `at`. */
export type Settle = (octets: DataView, at: number) => void;

/**
 * Makes what is wanted of a line. Its octets are those from `at` on, with no fewer than eight behind its
 * end, so that they can be copied by words.
 */
export type ToDrawn<Item> = (line: string, octets: DataView, at: number) => Item;

/** Made at a time. */
const BATCH = 512;
const SLACK = 8;
/** Digits that are copied at once. */
const GROUP = 4;

/**
 * In the template each `####` stands for four random digits. The lines are cut from one text for many:
 * `crypto.randomUUID` joins each from twenty strings, which are put together anew wherever it is written.
 */
export class DrawnLines<Item> {
  readonly #template: string;
  readonly #toDrawn: ToDrawn<Item>;
  readonly #settle: Settle | undefined;
  /** Where the groups of digits are. */
  readonly #places: Uint8Array;
  readonly #random: Buffer;
  readonly #digits: Buffer;
  readonly #items: Item[] = [];

  constructor(template: string, toDrawn: ToDrawn<Item>, settle?: Settle) {
    this.#template = template;
    this.#toDrawn = toDrawn;
    this.#settle = settle;
    this.#places = Uint8Array.from(template.matchAll(/####/g), ({ index }) => index);
    this.#random = Buffer.alloc((BATCH * this.#places.length * GROUP) / 2);
    this.#digits = Buffer.alloc(this.#random.length * 2);
  }

  next(): Item {
    if (this.#items.length === 0) this.#draw();
    return this.#items.pop()!;
  }

  #draw(): void {
    const { length } = this.#template;
    const places = this.#places;
    writeLatin1(this.#digits, randomFillSync(this.#random).toString('hex'), 0);
    const digits = new DataView(this.#digits.buffer, this.#digits.byteOffset);
    const written = Buffer.alloc(BATCH * length + SLACK, this.#template, 'latin1');
    const octets = new DataView(written.buffer);
    let next = 0;
    for (let at = 0; at < BATCH * length; at += length) {
      for (let i = 0; i < places.length; i++, next += GROUP) {
        octets.setUint32(at + places[i]!, digits.getUint32(next));
      }
      this.#settle?.(octets, at);
    }
    const text = toLatin1(written, 0, BATCH * length);
    for (let at = 0; at < BATCH * length; at += length) {
      this.#items.push(this.#toDrawn(cut(text, at, at + length), octets, at));
    }
  }
}
