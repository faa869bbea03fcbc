/** What long work lets traffic go by. */

export interface Pacer {
  /** Lets everything else have its turn. */
  readonly pause: () => Promise<void>;
  readonly monotonic: () => number;
}

/** Longest stretch of work between two pauses, in milliseconds. */
export const SLICE_MS = 2;
