/** The configurations that the nodes share, one after the other, each under its number. */
import { reasonOf } from '../../../mesh/backplane/backplane-error.ts';
import type { SharedDocument } from './shared-document.ts';

export interface VersionInfo {
  /** From 1; each accepted change is one more. */
  readonly version: number;
  /** Who wrote it. */
  readonly author: string;
  /** ISO 8601, by the clock of the backplane. */
  readonly at: string;
  /** Why, in the words of the author; may be empty. */
  readonly message: string;
  /** Of the document; two versions that say the same have the same. */
  readonly hash: string;
  /** Kept for as long as it is. */
  readonly pinned: boolean;
  /** The version that this one says again. */
  readonly rollbackOf?: number;
}

export interface StoredVersion extends VersionInfo {
  readonly document: SharedDocument;
}

export type WriteOutcome =
  | { readonly written: true; readonly version: VersionInfo }
  /** Another one was there first. */
  | { readonly written: false; readonly head: VersionInfo | undefined };

export interface WrittenBy {
  readonly author: string;
  readonly message: string;
  /** The version that was changed; 0: there was none. */
  readonly basedOn: number;
  readonly rollbackOf?: number | undefined;
}

/** The newest version cannot be had here, which is no reason to let go of the one before. */
export interface UnreadableHead {
  readonly version: number;
  readonly hash: string;
  readonly reason: string;
}

export interface VersionStore {
  /** Resolves when the newest version is known, as far as can be told within a second or so. */
  start(): Promise<void>;
  close(): Promise<void>;
  /** As last known. */
  head(): StoredVersion | undefined;
  /** Milliseconds since what is known was last confirmed by the backplane; 0 while connected. */
  stalenessMs(): number;
  /** Hears of each new head; returns how to stop that. */
  onHead(listener: (head: StoredVersion) => void): () => void;
  /**
   * Number of the newest version in the backplane, which may be ahead of what is known here; 0:
   * none. Rejects with a `BackplaneError` in an outage.
   */
  newest(): Promise<number>;
  /** Newest first, as last known. */
  list(): readonly VersionInfo[];
  /**
   * Undefined where there is none. Rejects with a `BackplaneError` in an outage, and with an
   * `UnreadableVersionError`.
   */
  read(version: number): Promise<StoredVersion | undefined>;
  /**
   * Compare-and-set: only where the newest version is still `basedOn`. Rejects with a
   * `BackplaneError` in an outage, and a `ConfigKeyError` where there is no key to seal it with.
   */
  write(document: SharedDocument, by: WrittenBy): Promise<WriteOutcome>;
  /** False where there is no such version. Rejects with a `BackplaneError` in an outage. */
  pin(version: number, pinned: boolean): Promise<boolean>;
}

/** What a node runs. */
export interface KnownVersion extends StoredVersion {
  /** The document as canonical JSON. */
  readonly json: string;
}

/** As the node itself needs it, which has to run what is written. */
export interface NodeVersionStore extends VersionStore {
  head(): KnownVersion | undefined;
  onHead(listener: (head: KnownVersion) => void): () => void;
  read(version: number): Promise<KnownVersion | undefined>;
  /** Whether `head` is known at all: else there may be one. */
  isKnown(): boolean;
  /** The newest one, where it is not what `head` says. */
  unreadable(): UnreadableHead | undefined;
  /** Hears when there is something `unreadable`, and when there is not any more. */
  onUnreadable(listener: () => void): () => void;
}

/** A version is there, and what it says cannot be had. */
export class UnreadableVersionError extends Error {
  readonly version: number;

  constructor(version: number, cause: unknown) {
    super(`version ${version} cannot be read: ${reasonOf(cause)}`, { cause });
    this.name = 'UnreadableVersionError';
    this.version = version;
  }
}
