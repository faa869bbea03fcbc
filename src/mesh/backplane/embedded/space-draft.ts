/** What a batch of changes makes of one space, before any of it is written. */
import { applyMutations, type HeldRecord, type LeaseChange } from '../apply-mutations.ts';
import type { ChangeOutcome, ExpireRules, Mutation, RecordKind } from '../backplane.ts';
import type { Change } from '../delta.ts';
import type { SpaceRecords } from '../space-records.ts';

export interface Space {
  readonly epoch: string;
  readonly revision: number;
  readonly records: SpaceRecords<HeldRecord>;
  /** Monotonic: nothing expires for a while after it. */
  readonly bornAtMs: number;
}

/** Each step sees what those before it made of the space, as on a store that takes one at a time. */
export class SpaceDraft {
  readonly records: SpaceRecords<HeldRecord>;
  readonly deltas: { readonly revision: number; readonly changes: readonly Change[] }[] = [];
  readonly leases: LeaseChange[] = [];
  readonly #before: Space;
  #revision: number;
  #forgets = false;

  constructor(before: Space) {
    this.#before = before;
    this.#revision = before.revision;
    this.records = before.records.fork();
  }

  get epoch(): string {
    return this.#before.epoch;
  }

  /** Nothing is left, and it was asked to leave no trace then. */
  get isForgotten(): boolean {
    return this.#forgets && this.records.isEmpty;
  }

  change(mutations: readonly Mutation[], nowMicros: number): ChangeOutcome {
    const verdict = applyMutations(this.records, mutations, nowMicros);
    if (!verdict.applied) return verdict;
    const { generations, changes, leases } = verdict;
    this.leases.push(...leases);
    if (changes.length > 0) this.deltas.push({ revision: ++this.#revision, changes });
    return { applied: true, epoch: this.epoch, revision: this.#revision, generations };
  }

  /** `ended`: whose lease had run out before the batch, the longest ago first. Returns whom it took. */
  expire(
    kind: RecordKind,
    ended: readonly string[],
    { maxShare, forget = false }: Omit<ExpireRules, 'restMs'>,
  ): readonly string[] {
    const written = new Set(this.leases.filter((one) => one.kind === kind).map(({ id }) => id));
    const most = Math.max(1, Math.floor(this.records.count(kind) * maxShare));
    const taken = ended.filter((id) => !written.has(id)).slice(0, most);
    // A removal makes no generation.
    this.change(
      taken.map((id) => ({ type: 'remove', kind, id })),
      0,
    );
    this.#forgets ||= forget;
    return taken;
  }

  toSpace(): Space {
    const { records } = this;
    return { ...this.#before, revision: this.#revision, records };
  }
}
