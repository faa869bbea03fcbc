/** One revision of a space as the feed tells it. */
import { RECORD_KINDS, type Json, type RecordKind, type StoredRecord } from './backplane.ts';

export type Change =
  | { readonly type: 'put'; readonly kind: RecordKind; readonly record: StoredRecord }
  | { readonly type: 'remove'; readonly kind: RecordKind; readonly id: string };

export interface Delta {
  readonly epoch: string;
  readonly revision: number;
  /** Undefined where they are too large to be told: only a full read has them. */
  readonly changes: readonly Change[] | undefined;
}

/** Everything there is in a space, as of one revision. */
export interface FullRead {
  /** Empty for a space that nobody wrote to. */
  readonly epoch: string;
  readonly revision: number;
  readonly records: Iterable<readonly [RecordKind, StoredRecord]>;
}

const KINDS: ReadonlySet<string> = new Set(RECORD_KINDS);

export function isRecordKind(kind: unknown): kind is RecordKind {
  return typeof kind === 'string' && KINDS.has(kind);
}

/**
 * Reads `{epoch, rev, delta: [[kind, id, generation, owner, value] | [kind, id]]}`, or a delta
 * of null for one that is too large. Undefined for anything else: a channel is open to whoever may
 * publish, and a poll finds out the truth.
 */
export function parseDelta(text: string): Delta | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof message !== 'object' || message === null) return undefined;
  const { epoch, rev, delta } = message as Record<string, unknown>;
  if (typeof epoch !== 'string' || !Number.isSafeInteger(rev)) return undefined;
  if (delta === null) return { epoch, revision: rev as number, changes: undefined };
  if (!Array.isArray(delta)) return undefined;
  const changes: Change[] = [];
  for (const entry of delta as unknown[]) {
    const change = parseChange(entry);
    // A kind that a newer version knows: the revision still counts.
    if (change === 'unknown-kind') continue;
    if (change === undefined) return undefined;
    changes.push(change);
  }
  return { epoch, revision: rev as number, changes };
}

function parseChange(entry: unknown): Change | 'unknown-kind' | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [kind, id, generation, owner, value] = entry as unknown[];
  if (typeof kind !== 'string' || typeof id !== 'string') return undefined;
  if (!isRecordKind(kind)) return 'unknown-kind';
  if (entry.length === 2) return { type: 'remove', kind, id };
  if (typeof generation !== 'number' || typeof owner !== 'string') return undefined;
  return { type: 'put', kind, record: { id, generation, owner, value: value as Json } };
}
