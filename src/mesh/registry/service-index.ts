/** Which services there are: each registration leaves its service's name, which lasts for minutes. */
import type { Backplane } from '../backplane/backplane.ts';

export const INDEX_SPACE = 'services';

/** A name outlives its last registration by this much, so the reaper still comes by. */
const ENTRY_MS = 600_000;
/** Ten chances in an entry's life. */
const ANNOUNCE_MS = 60_000;

export interface IndexEntry {
  /** To be called at each heartbeat; asks the store only when it is due. */
  announce(): Promise<void>;
  /** The store was emptied: due at once. */
  forget(): void;
}

export function createIndexEntry(
  backplane: Backplane,
  service: string,
  monotonic: () => number,
): IndexEntry {
  let announcedAtMs = -Infinity;
  return {
    async announce() {
      if (monotonic() - announcedAtMs < ANNOUNCE_MS) return;
      await backplane.report(INDEX_SPACE, service, null, ENTRY_MS);
      announcedAtMs = monotonic();
    },
    forget() {
      announcedAtMs = -Infinity;
    },
  };
}
