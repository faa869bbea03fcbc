/** The newest version as this node knows it: in memory, on the disk, and told to who has to run it. */
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../../plugins/sdk/plugin-context.ts';
import { reasonOf } from '../../../mesh/backplane/backplane-error.ts';
import { createPaced } from '../paced.ts';
import type { ConfigKeys } from './config-keys.ts';
import { fromCanonicalJson, type SharedDocument } from './shared-document.ts';
import type { VersionFile } from './version-file.ts';
import { toVersionInfo, type VersionRecord } from './version-record.ts';
import type { KnownVersion, UnreadableHead } from './version-store.ts';

export interface KnownState {
  readonly record: VersionRecord;
  readonly json: string;
  readonly isConfirmed: boolean;
  readonly version: KnownVersion;
}

/** Milliseconds from one write to the disk to the next. */
const KEEP_REST_MS = 1_000;

export class KnownHead {
  readonly #file: VersionFile;
  readonly #keys: ConfigKeys;
  readonly #now: () => number;
  readonly #log: Log;
  readonly #listeners = new Set<(head: KnownVersion) => void>();
  readonly #unreadableListeners = new Set<() => void>();
  #state: KnownState | undefined;
  #unreadable: UnreadableHead | undefined;
  #keptAtMs: number | undefined;
  /** A crash within the rest costs nothing but what the backplane has anyway. */
  readonly #keeping = createPaced(() => this.#keepNow(), KEEP_REST_MS);
  #history: ReadonlyMap<number, VersionRecord> = new Map();

  constructor(file: VersionFile, keys: ConfigKeys, now: () => number, log: Log) {
    this.#file = file;
    this.#keys = keys;
    this.#now = now;
    this.#log = log;
  }

  get state(): KnownState | undefined {
    return this.#state;
  }

  get unreadable(): UnreadableHead | undefined {
    return this.#unreadable;
  }

  /** When what came from the disk was put there, in milliseconds since 1970. */
  get keptAtMs(): number | undefined {
    return this.#keptAtMs;
  }

  get history(): ReadonlyMap<number, VersionRecord> {
    return this.#history;
  }

  onHead(listener: (head: KnownVersion) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onUnreadable(listener: () => void): () => void {
    this.#unreadableListeners.add(listener);
    return () => this.#unreadableListeners.delete(listener);
  }

  /** What the disk has; tells nobody. */
  async load(): Promise<void> {
    try {
      const kept = await this.#file.read(await this.#keys.forReading());
      if (kept === undefined) return;
      const { record, json, history, keptAtMs } = kept;
      this.#state = { record, json, isConfirmed: false, version: toKnown(record, json) };
      this.#history = new Map([record, ...history].map((one) => [one.version, one]));
      this.#keptAtMs = keptAtMs;
    } catch (error) {
      this.#log.warn(
        { reason: reasonOf(error) },
        'the last known version of the configuration could not be read from the disk',
      );
    }
  }

  /** As the backplane has them; an empty list is one that was lost. */
  learnHistory(records: ReadonlyMap<number, VersionRecord>): void {
    if (records.size === 0) return;
    this.#history = records;
    const own = this.#state && records.get(this.#state.record.version);
    if (own?.hash === this.#state?.record.hash && own?.lineage === this.#state?.record.lineage) {
      this.#refresh(own);
    }
  }

  adopt(record: VersionRecord, json: string): void {
    this.#state = { record, json, isConfirmed: true, version: toKnown(record, json) };
    if (!this.#history.has(record.version)) {
      this.#history = new Map([...this.#history, [record.version, record]]);
    }
    this.readable();
    this.#keeping.want();
    for (const listener of this.#listeners) listener(this.#state.version);
  }

  confirm(): void {
    if (this.#state?.isConfirmed === false) {
      this.#state = { ...this.#state, isConfirmed: true };
      // Once more, since the key that it was sealed with may be on its way out.
      this.#keeping.want();
    }
    this.readable();
  }

  /** Another one is the newest, and cannot be had. */
  missing(head: UnreadableHead): void {
    if (isDeepStrictEqual(head, this.#unreadable)) return;
    this.#unreadable = head;
    const { version, reason } = head;
    this.#log.error(
      { version, reason },
      'a version of the configuration cannot be read; the one before stays in force',
    );
    for (const listener of this.#unreadableListeners) listener();
  }

  readable(): void {
    if (this.#unreadable === undefined) return;
    this.#unreadable = undefined;
    for (const listener of this.#unreadableListeners) listener();
  }

  /** Keeps on the disk at once what waits for it; resolves when nothing does. */
  async settled(): Promise<void> {
    await this.#keeping.settled();
    await this.#file.settled();
  }

  /** It was pinned, or sealed with another key: the same version all the same. */
  #refresh(record: VersionRecord | undefined): void {
    if (record === undefined || this.#state === undefined) return;
    if (isDeepStrictEqual(record, this.#state.record)) return;
    const { json } = this.#state;
    this.#state = { ...this.#state, record, version: toKnown(record, json) };
    this.#keeping.want();
  }

  async #keepNow(): Promise<void> {
    try {
      const sealer = await this.#keys.forReading();
      if (sealer === undefined || this.#state === undefined) return;
      const { record, json } = this.#state;
      const history = [...this.#history.values()].filter(({ version }) => version < record.version);
      history.sort((a, b) => b.version - a.version);
      await this.#file.write({ record, json, history, keptAtMs: this.#now() }, sealer);
    } catch (error) {
      this.#log.warn(
        { reason: reasonOf(error) },
        'the version of the configuration could not be kept on the disk',
      );
    }
  }
}

/** The document is parsed for who asks for it: a node that only runs it has no use for it. */
export function toKnown(record: VersionRecord, json: string): KnownVersion {
  let document: SharedDocument | undefined;
  return {
    ...toVersionInfo(record),
    json,
    get document() {
      return (document ??= fromCanonicalJson(json));
    },
  };
}
