/** The records of a space in memory; what was handed out never changes. */
import { RECORD_KINDS, type RecordKind, type StoredRecord } from './backplane.ts';

type KindMap<R> = Map<string, R>;

/**
 * Maps are copied when they are written after having been handed out, so a view of 10,000
 * records costs nothing until the next change, and then one copy, however many changes follow.
 */
export class SpaceRecords<R extends StoredRecord = StoredRecord> {
  readonly #kinds = new Map<RecordKind, KindMap<R>>();
  readonly #handedOut = new Set<RecordKind>();

  constructor(records: Iterable<readonly [RecordKind, R]> = []) {
    for (const kind of RECORD_KINDS) this.#kinds.set(kind, new Map());
    for (const [kind, record] of records) this.#of(kind).set(record.id, record);
  }

  get isEmpty(): boolean {
    return this.#kinds.values().every((records) => records.size === 0);
  }

  count(kind: RecordKind): number {
    return this.#of(kind).size;
  }

  get(kind: RecordKind, id: string): R | undefined {
    return this.#of(kind).get(id);
  }

  put(kind: RecordKind, record: R): void {
    this.#writable(kind).set(record.id, record);
  }

  remove(kind: RecordKind, id: string): boolean {
    return this.#of(kind).has(id) && this.#writable(kind).delete(id);
  }

  /** As of now; later writes do not show in it. */
  handOut(): (kind: RecordKind) => ReadonlyMap<string, R> {
    for (const kind of RECORD_KINDS) this.#handedOut.add(kind);
    const kinds = new Map(this.#kinds);
    return (kind) => kinds.get(kind) ?? new Map();
  }

  /** A copy that is written apart. */
  fork(): SpaceRecords<R> {
    const fork = new SpaceRecords<R>();
    for (const [kind, records] of this.#kinds) {
      fork.#kinds.set(kind, records);
      fork.#handedOut.add(kind);
      this.#handedOut.add(kind);
    }
    return fork;
  }

  *entries(): Generator<readonly [RecordKind, R]> {
    for (const [kind, records] of this.#kinds) {
      for (const record of records.values()) yield [kind, record];
    }
  }

  #of(kind: RecordKind): KindMap<R> {
    return this.#kinds.get(kind)!;
  }

  #writable(kind: RecordKind): KindMap<R> {
    if (!this.#handedOut.delete(kind)) return this.#of(kind);
    const copy = new Map(this.#of(kind));
    this.#kinds.set(kind, copy);
    return copy;
  }
}
