/** Decides on a change: all its mutations or none, by conditions, owners and generations. */
import { isDeepStrictEqual } from 'node:util';
import type { Condition, Mutation, RecordKind, StoredRecord } from './backplane.ts';
import type { Change } from './delta.ts';
import type { SpaceRecords } from './space-records.ts';

/** A record, and for how long each renewal keeps it. */
export interface HeldRecord extends StoredRecord {
  readonly leaseMs: number | undefined;
}

export interface LeaseChange {
  readonly kind: RecordKind;
  readonly id: string;
  /** Undefined where the record has no lease, or is gone. */
  readonly leaseMs: number | undefined;
}

export type Verdict =
  | {
      readonly applied: true;
      readonly generations: readonly number[];
      /** Empty where everything stood as asked already: no new revision. */
      readonly changes: readonly Change[];
      readonly leases: readonly LeaseChange[];
    }
  | { readonly applied: false; readonly mutation: number; readonly generation: number };

function holds(when: Condition, stored: StoredRecord | undefined, owner: string): boolean {
  if ('absent' in when) return stored === undefined;
  if ('generation' in when) return stored?.generation === when.generation;
  if (stored === undefined || (owner !== '' && stored.owner === owner)) return true;
  return stored.generation <= when.notNewerThan;
}

/**
 * Writes to `records`, unless a condition fails: conditions look at what was there before all
 * of the change. The script `change` does the same on Redis.
 */
export function applyMutations(
  records: SpaceRecords<HeldRecord>,
  mutations: readonly Mutation[],
  nowMicros: number,
): Verdict {
  for (const [mutation, { kind, id, owner = '', when }] of mutations.entries()) {
    const stored = records.get(kind, id);
    if (when !== undefined && !holds(when, stored, owner)) {
      return { applied: false, mutation, generation: stored?.generation ?? 0 };
    }
  }
  const generations: number[] = [];
  const changes: Change[] = [];
  const leases: LeaseChange[] = [];
  for (const mutation of mutations) {
    const { kind, id } = mutation;
    if (mutation.type === 'remove') {
      generations.push(0);
      leases.push({ kind, id, leaseMs: undefined });
      if (records.remove(kind, id)) changes.push({ type: 'remove', kind, id });
      continue;
    }
    const { owner = '', value, leaseMs } = mutation;
    const stored = records.get(kind, id);
    const isSameOwner = stored !== undefined && owner !== '' && stored.owner === owner;
    const generation = isSameOwner
      ? stored.generation
      : Math.max(nowMicros, (stored?.generation ?? 0) + 1);
    const record: HeldRecord = { id, generation, owner, value, leaseMs };
    generations.push(generation);
    leases.push({ kind, id, leaseMs });
    records.put(kind, record);
    if (isSameOwner && isDeepStrictEqual(stored.value, value)) continue;
    changes.push({ type: 'put', kind, record: { id, generation, owner, value } });
  }
  return { applied: true, generations, changes, leases };
}
