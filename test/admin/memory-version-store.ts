/** A store of versions in memory, whose backplane can go away and whose other writers can be told when to write. */
import {
  hashDocument,
  type SharedDocument,
} from '../../src/gateway/config/versions/shared-document.ts';
import type { DeskStore } from '../../src/admin/configuration-desk.ts';
import type {
  StoredVersion,
  WriteOutcome,
  WrittenBy,
} from '../../src/gateway/config/versions/version-store.ts';
import { BackplaneError } from '../../src/mesh/backplane/backplane-error.ts';

export class MemoryVersionStore implements DeskStore {
  readonly versions: StoredVersion[] = [];
  readonly #listeners = new Set<(head: StoredVersion) => void>();
  /** Set: the backplane cannot be asked, and what is known is that old. */
  outageMs = 0;
  /** Of another node, between the check and the write. */
  beforeWrite: (() => void) | undefined;
  /** How many writes were tried. */
  writes = 0;

  start = async (): Promise<void> => {};
  close = async (): Promise<void> => {};
  head = (): StoredVersion | undefined => this.versions.at(-1);
  isKnown = (): boolean => this.versions.length > 0 || this.outageMs === 0;
  stalenessMs = (): number => this.outageMs;
  newest = async (): Promise<number> => {
    this.#assertThere();
    return this.versions.length;
  };
  list = (): readonly StoredVersion[] => this.versions.toReversed();

  onHead(listener: (head: StoredVersion) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async read(version: number): Promise<StoredVersion | undefined> {
    this.#assertThere();
    return this.versions.find((one) => one.version === version);
  }

  async write(document: SharedDocument, by: WrittenBy): Promise<WriteOutcome> {
    this.writes++;
    const interloper = this.beforeWrite;
    this.beforeWrite = undefined;
    interloper?.();
    this.#assertThere();
    const head = this.head();
    if ((head?.version ?? 0) !== by.basedOn) return { written: false, head };
    return { written: true, version: this.put(document, by) };
  }

  async pin(version: number, pinned: boolean): Promise<boolean> {
    this.#assertThere();
    const at = this.versions.findIndex((one) => one.version === version);
    if (at !== -1) this.versions[at] = { ...this.versions[at]!, pinned };
    return at !== -1;
  }

  /** As by another node. */
  put(document: SharedDocument, by: Partial<WrittenBy> = {}): StoredVersion {
    const version = (this.head()?.version ?? 0) + 1;
    const { author = 'another', message = 'by another', rollbackOf } = by;
    const stored: StoredVersion = {
      version,
      author,
      message,
      at: new Date(version * 1_000).toISOString(),
      hash: hashDocument(document),
      pinned: false,
      ...(rollbackOf !== undefined && { rollbackOf }),
      // As from a store: nothing is shared with whoever wrote it.
      document: structuredClone(document),
    };
    this.versions.push(stored);
    for (const listener of this.#listeners) listener(stored);
    return stored;
  }

  #assertThere(): void {
    if (this.outageMs > 0) throw new BackplaneError('unavailable', 'nobody answers');
  }
}
