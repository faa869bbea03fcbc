/** A set of field names that a scan asks without making strings of the names it comes by. */

/** A power of two; far more than there are names, so that few others are taken for one. */
const SIZE = 4096;

const UNDERSCORE = 0x5f;
const HYPHEN = 0x2d;

export class NameSet {
  /** The hash of no octets. */
  static readonly SEED = 0;
  readonly #marks = new Uint8Array(SIZE);

  constructor(names: readonly string[]) {
    for (const name of names) {
      let hash = NameSet.SEED;
      for (const octet of Buffer.from(name, 'latin1')) hash = NameSet.hash(hash, octet);
      this.#marks[hash & (SIZE - 1)] = 1;
    }
  }

  /**
   * The hash of a name by one octet more, without regard to its case, and with a hyphen for an
   * underscore: back ends that name variables after fields do not tell these apart.
   */
  static hash(hash: number, octet: number): number {
    return (Math.imul(hash, 31) + (octet === UNDERSCORE ? HYPHEN : octet | 0x20)) | 0;
  }

  /** False: the name of this hash is not in the set. True: it is, or is one of the few that look like it. */
  mayHave(hash: number): boolean {
    return this.#marks[hash & (SIZE - 1)] === 1;
  }
}
