/** Shares out the process's file descriptors, so that no flood of sockets takes the last one. */

/** For files, DNS, probes, the backplane and what the runtime needs; of a small limit an eighth. */
const RESERVED_DESCRIPTORS = 64;

/** How many sockets one side may have. */
export interface SocketShare {
  readonly limit: number;
  readonly open: number;
  /** False: there is none left. Each one taken is to be given back. */
  tryTake(): boolean;
  giveBack(): void;
}

export interface SocketBudget {
  /** Connections that were accepted: half of all descriptors. */
  readonly accepted: SocketShare;
  /** Connections to upstreams: the other half, without the reserve. */
  readonly connected: SocketShare;
}

/**
 * In halves, so that every client may have an upstream connection of its own, and neither side can
 * starve the other. `descriptors`: the process's limit; Infinity where none is known.
 */
export function createSocketBudget(descriptors: number): SocketBudget {
  const half = Math.floor(descriptors / 2);
  const reserved = Math.min(RESERVED_DESCRIPTORS, Math.floor(descriptors / 8));
  return { accepted: new CountedShare(half), connected: new CountedShare(half - reserved) };
}

class CountedShare implements SocketShare {
  readonly limit: number;
  open = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  tryTake(): boolean {
    if (this.open >= this.limit) return false;
    this.open++;
    return true;
  }

  giveBack(): void {
    this.open--;
  }
}
