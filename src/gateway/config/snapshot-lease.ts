/** Counts the exchanges on a snapshot, and retires it when it is superseded and the last one has ended. */

export class SnapshotLease {
  #exchanges = 0;
  #superseded = false;
  #retire: (() => void) | undefined;

  constructor(retire: () => void) {
    this.#retire = retire;
  }

  acquire(): void {
    this.#exchanges++;
  }

  release(): void {
    this.#exchanges--;
    this.#retireIfUnused();
  }

  /** Another snapshot serves from now on; this one takes no new exchanges. */
  supersede(): void {
    this.#superseded = true;
    this.#retireIfUnused();
  }

  #retireIfUnused(): void {
    if (!this.#superseded || this.#exchanges > 0) return;
    const retire = this.#retire;
    this.#retire = undefined;
    retire?.();
  }
}
