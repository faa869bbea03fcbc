/** What the nodes say of a service's health, as the backplane tells it. */
import type { SpaceView, StoredRecord } from '../backplane/backplane.ts';
import type { WeightFactor } from './adaptive-weight.ts';
import { parseFactors } from './factor-record.ts';
import { parseHint, type HealthHint } from './health-hint.ts';
import { parseChecker, type Checker } from './verdict-share.ts';

/** Of records; a node's own name follows those of what it says itself. */
export const FACTORS_ID = 'factors';
const HINT_PREFIX = 'hint/';
const CHECKS_PREFIX = 'checks/';

export function hintIdOf(from: string): string {
  return HINT_PREFIX + from;
}

export function checksIdOf(from: string): string {
  return CHECKS_PREFIX + from;
}

export class HeardHealth {
  hints: readonly HealthHint[] = [];
  checkers: readonly Checker[] = [];
  /**
   * As last heard: that the record is gone means that the store was emptied, and is no reason
   * to let an endpoint have its whole weight at once.
   */
  factors: ReadonlyMap<string, WeightFactor> = new Map();
  /** Of the factors; undefined where the store has none. */
  factorsGeneration: number | undefined;
  /** A view has the same record objects for what did not change. */
  readonly #hints = new WeakMap<StoredRecord, { readonly hint: HealthHint | undefined }>();
  readonly #checkers = new WeakMap<StoredRecord, { readonly checker: Checker | undefined }>();
  #factorsRecord: StoredRecord | undefined;

  hear({ records }: Pick<SpaceView, 'records'>): void {
    const hints: HealthHint[] = [];
    const checkers: Checker[] = [];
    let factors: StoredRecord | undefined;
    for (const record of records('hint').values()) {
      if (record.id === FACTORS_ID) factors = record;
      const hint = this.#hintOf(record);
      if (hint !== undefined) hints.push(hint);
      const checker = this.#checkerOf(record);
      if (checker !== undefined) checkers.push(checker);
    }
    this.hints = hints;
    this.checkers = checkers;
    this.#hearFactors(factors);
  }

  #hearFactors(record: StoredRecord | undefined): void {
    this.factorsGeneration = record?.generation;
    if (record === undefined || record === this.#factorsRecord) return;
    this.#factorsRecord = record;
    this.factors = parseFactors(record.value) ?? this.factors;
  }

  #hintOf(record: StoredRecord): HealthHint | undefined {
    const { id, value } = record;
    if (!id.startsWith(HINT_PREFIX)) return undefined;
    let known = this.#hints.get(record);
    if (known === undefined) {
      known = { hint: parseHint(id.slice(HINT_PREFIX.length), value) };
      this.#hints.set(record, known);
    }
    return known.hint;
  }

  #checkerOf(record: StoredRecord): Checker | undefined {
    const { id, value } = record;
    if (!id.startsWith(CHECKS_PREFIX)) return undefined;
    let known = this.#checkers.get(record);
    if (known === undefined) {
      known = { checker: parseChecker(id.slice(CHECKS_PREFIX.length), value) };
      this.#checkers.set(record, known);
    }
    return known.checker;
  }
}
