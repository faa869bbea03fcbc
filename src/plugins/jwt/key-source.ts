/** Where the keys come from, for whoever verifies: a view that is never waited for without need. */
import type { KeySet } from './key-set.ts';

export interface KeySource {
  /** Undefined until they were loaded for the first time. */
  readonly keys: KeySet | undefined;
  /** Changes whenever the keys do. */
  readonly version: number;
  /**
   * Whether the keys may be used without waiting. Begins to load them in the background when it is
   * time to. Synchronous, and called on every request.
   */
  isCurrent(): boolean;
  /** Loads the keys, or joins the load under way; never rejects. Undefined: it is too soon for another. */
  refresh(): Promise<void> | undefined;
}

/** Keys that stand in the configuration. */
export function createFixedKeySource(keys: KeySet): KeySource {
  return { keys, version: 0, isCurrent: () => true, refresh: () => undefined };
}
