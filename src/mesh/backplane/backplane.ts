/** The port of the backplane: shared records with leases and generations, and a feed of their changes. */

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * What a record is about: an instance of a service, an operator's weight or drain of an
 * endpoint, what a node saw of an endpoint's health, or a document (configuration versions,
 * identities).
 */
export const RECORD_KINDS = ['inst', 'weight', 'hint', 'doc'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

export interface StoredRecord {
  readonly id: string;
  /** Given by the store; of two records with one id the larger is the newer. */
  readonly generation: number;
  /** Whose it is; empty where nobody's in particular. */
  readonly owner: string;
  readonly value: Json;
}

/**
 * `absent`: there is no such record. `generation`: it is exactly that one (compare-and-set).
 * `notNewerThan`: there is none, it is the same owner's, or it is no newer than that
 * generation; so a late word of an older registration does nothing.
 */
export type Condition =
  | { readonly absent: true }
  | { readonly generation: number }
  | { readonly notNewerThan: number };

export interface Put {
  readonly type: 'put';
  readonly kind: RecordKind;
  /** At most 256 characters. */
  readonly id: string;
  readonly value: Json;
  /**
   * A random token without blanks. Putting again by the same owner keeps the generation, so
   * that a repeated registration is the same one.
   */
  readonly owner?: string | undefined;
  /** Milliseconds by the store's clock after which `expire` may take the record; default: never. */
  readonly leaseMs?: number | undefined;
  readonly when?: Condition | undefined;
}

export interface Remove {
  readonly type: 'remove';
  readonly kind: RecordKind;
  readonly id: string;
  readonly owner?: string | undefined;
  readonly when?: Condition | undefined;
}

export type Mutation = Put | Remove;

export type ChangeOutcome =
  | {
      readonly applied: true;
      readonly epoch: string;
      readonly revision: number;
      /** One a mutation; 0 for a removal. */
      readonly generations: readonly number[];
    }
  | {
      readonly applied: false;
      /** Index of the first mutation whose condition did not hold. */
      readonly mutation: number;
      /** Of the record that stands there; 0 for none. */
      readonly generation: number;
    };

/** `unknown`: there is no such record, register again. `superseded`: it is another owner's now. */
export type Renewal = 'renewed' | 'unknown' | 'superseded';

export interface ExpireRules {
  /** Share of the kind's records that one pass may take at most, but always one. */
  readonly maxShare: number;
  /** Milliseconds after the beginning of an epoch in which nothing is taken. */
  readonly restMs: number;
  /**
   * A space that has no record left is forgotten, its revision too: for spaces that come and go,
   * and that nobody watches. Default false.
   */
  readonly forget?: boolean | undefined;
}

export interface SpaceView {
  /** Changes whenever revisions may have gone backwards; empty for a space that nobody wrote to. */
  readonly epoch: string;
  readonly revision: number;
  /** It follows from the view before by changes alone: what is gone was removed on purpose or expired. */
  readonly continuous: boolean;
  readonly records: (kind: RecordKind) => ReadonlyMap<string, StoredRecord>;
}

export interface Report {
  readonly id: string;
  readonly value: Json;
}

export interface BackplaneStatus {
  readonly connected: boolean;
  /** Monotonic milliseconds of the last change of `connected`. */
  readonly sinceMs: number;
  /** Milliseconds since the store last answered; 0 while it is connected. */
  readonly stalenessMs: number;
  /** Why it is not connected, as far as was heard. */
  readonly reason?: string | undefined;
}

/**
 * The shared state of all nodes, in spaces: a space is a service or another topic, and the
 * unit of atomic change. A name has up to 128 of `A-Z a-z 0-9 . _ : / -`.
 *
 * Every method that asks the store rejects with a `BackplaneError` and never waits longer
 * than a second or so. None belongs on the way of a request.
 */
export interface Backplane {
  /**
   * Connects, and keeps at it until `close`. Resolves when the first attempt has ended, well
   * or not; rejects only where trying again would not help.
   */
  start(): Promise<void>;
  close(): Promise<void>;
  status(): BackplaneStatus;
  /** Hears each change of `connected`; returns how to stop that. */
  onStatus(listener: () => void): () => void;

  /** All mutations or none. Those that change anything are one revision, and the feed tells of it. */
  change(space: string, mutations: readonly Mutation[]): Promise<ChangeOutcome>;
  /** Extends a lease; the feed is silent about it. */
  renew(space: string, kind: RecordKind, id: string, lease: Lease): Promise<Renewal>;
  /** Removes records whose lease has run out, oldest first; idempotent. Resolves to their ids. */
  expire(space: string, kind: RecordKind, rules: ExpireRules): Promise<readonly string[]>;

  read(space: string): Promise<SpaceView>;
  /**
   * Tells the first view as soon as the store gives it, and a new one at most 100 ms after
   * each change. An outage is silent: the last view stays in force.
   */
  watch(space: string, listener: (view: SpaceView) => void): () => void;

  /** Leaves a note that vanishes by itself; no revision, no feed. For what is said often and read seldom. */
  report(space: string, id: string, value: Json, leaseMs: number): Promise<void>;
  reports(space: string): Promise<readonly Report[]>;

  /** True for one caller among all nodes in `forMs`. */
  takeTurn(name: string, forMs: number): Promise<boolean>;
  /** Milliseconds since 1970 by the store's clock. */
  timeMs(): Promise<number>;
}

export interface Lease {
  readonly owner: string;
  readonly leaseMs: number;
}
