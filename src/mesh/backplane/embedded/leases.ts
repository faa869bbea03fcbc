/** When the leases of the embedded backplane run out, by the monotonic clock. */
import { RECORD_KINDS, type RecordKind } from '../backplane.ts';

export class Leases {
  readonly #ends = new Map<string, Map<string, number>>();
  readonly #monotonic: () => number;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Undefined for a record without a lease. */
  set(space: string, kind: RecordKind, id: string, leaseMs: number | undefined): void {
    if (leaseMs === undefined) this.#of(space, kind).delete(id);
    else this.#of(space, kind).set(id, this.#monotonic() + leaseMs);
  }

  /** All of a space. */
  forget(space: string): void {
    for (const kind of RECORD_KINDS) this.#ends.delete(`${space} ${kind}`);
  }

  /** Those that ran out, the longest ago first. */
  expired(space: string, kind: RecordKind): readonly string[] {
    const now = this.#monotonic();
    return [...this.#of(space, kind)]
      .filter(([, end]) => end <= now)
      .toSorted(([, a], [, b]) => a - b)
      .map(([id]) => id);
  }

  #of(space: string, kind: RecordKind): Map<string, number> {
    const key = `${space} ${kind}`;
    let ends = this.#ends.get(key);
    if (ends === undefined) this.#ends.set(key, (ends = new Map()));
    return ends;
  }
}
