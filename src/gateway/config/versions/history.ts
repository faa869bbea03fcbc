/** Decisions on the history of versions: which are kept, and whose word counts when the store says another thing. */
import type { VersionRecord } from './version-record.ts';

export interface HistoryLimits {
  readonly maxAgeMs: number;
  /** Versions, with the newest. */
  readonly maxCount: number;
}

export const HISTORY_LIMITS: HistoryLimits = { maxAgeMs: 90 * 86_400_000, maxCount: 100 };

/** Numbers of the versions that have had their time; never the newest, nor one that is pinned. */
export function expiredVersions(
  records: Iterable<Pick<VersionRecord, 'version' | 'at' | 'pinned'>>,
  nowMs: number,
  { maxAgeMs, maxCount }: HistoryLimits,
): readonly number[] {
  const [, ...older] = [...records].toSorted((a, b) => b.version - a.version);
  return older
    .filter(({ pinned, at }, index) => {
      // The newest one is counted, and not among these.
      const isTooMany = index + 1 >= maxCount;
      return !pinned && (isTooMany || nowMs - Date.parse(at) > maxAgeMs);
    })
    .map(({ version }) => version);
}

export interface KnownHead {
  readonly version: number;
  readonly hash: string;
  readonly lineage: string;
  /** This process has seen it in the store, or put it there; else it is from the disk. */
  readonly isConfirmed: boolean;
}

/** `take`: the store knows better. `put-back`: the store has lost it. */
export type Reconciliation = 'nothing' | 'confirm' | 'take' | 'put-back';

/**
 * Versions only go up. A store that has an older one than a node, or none, lost some (it was
 * emptied, or failed over to a replica that lagged): the node that knows the highest puts it
 * back. Of two with one number the one in the store counts, as it alone was compared and set. A
 * node that merely remembers another history, since it was moved here from another mesh, has no
 * say against what it finds.
 */
export function reconcile(
  known: KnownHead | undefined,
  stored: Omit<KnownHead, 'isConfirmed'> | undefined,
): Reconciliation {
  if (known === undefined) return stored === undefined ? 'nothing' : 'take';
  if (stored === undefined) return 'put-back';
  const isSameHistory = stored.lineage === known.lineage;
  if (stored.version < known.version) {
    return isSameHistory || known.isConfirmed ? 'put-back' : 'take';
  }
  const isSame = stored.version === known.version && stored.hash === known.hash && isSameHistory;
  return isSame ? 'confirm' : 'take';
}
