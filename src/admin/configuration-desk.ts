/** Where the shared configuration is read and changed: checked whole, then written whole or not at all. */
import { isEqual } from '../gateway/config/comparison.ts';
import type { ConfigIssue } from '../gateway/config/issue.ts';
import { EMPTY_DOCUMENT, type SharedDocument } from '../gateway/config/versions/shared-document.ts';
import { toVersionInfo } from '../gateway/config/versions/version-record.ts';
import type {
  NodeVersionStore,
  VersionInfo,
  VersionStore,
} from '../gateway/config/versions/version-store.ts';
import { BackplaneError } from '../mesh/backplane/backplane-error.ts';
import { scheduleTimer, type Schedule } from '../mesh/backplane/schedule.ts';
import type { AdminError } from './problem.ts';

/** What is in force, as far as it is known. */
export interface Reading {
  readonly owner: 'file' | 'backplane';
  readonly document: SharedDocument;
  /** Undefined where the file owns it, or nothing has been written yet. */
  readonly head: VersionInfo | undefined;
  /** Milliseconds since it was last confirmed. */
  readonly stalenessMs: number;
}

/** What is to become of the document, or why nothing is. */
export type Edit = { readonly document: SharedDocument } | { readonly refusal: AdminError };

export interface ChangeOrder {
  readonly author: string;
  readonly message: string;
  readonly rollbackOf?: number;
  /** Called with what is in force, and anew where another change came in between. Has no effects. */
  readonly edit: (current: Reading) => Edit | Promise<Edit>;
  /** What the request is about: a change in between that touches it is a conflict. */
  readonly subjectOf: (document: SharedDocument) => unknown;
}

export type ChangeOutcome =
  | {
      readonly kind: 'written';
      readonly version: VersionInfo;
      readonly before: SharedDocument;
      readonly document: SharedDocument;
      readonly warnings: readonly ConfigIssue[];
    }
  /** It says that already. */
  | { readonly kind: 'unchanged'; readonly current: Reading; readonly document: SharedDocument }
  | { readonly kind: 'refused'; readonly refusal: AdminError }
  | {
      readonly kind: 'invalid';
      readonly document: SharedDocument;
      readonly issues: readonly ConfigIssue[];
    }
  | { readonly kind: 'conflict'; readonly head: VersionInfo | undefined }
  | { readonly kind: 'owned-by-file' }
  /** Others write all the time, or wait to. */
  | { readonly kind: 'contended' }
  /** The newest version is not known on this node, which would overwrite it unseen. */
  | { readonly kind: 'behind'; readonly version: number }
  | { readonly kind: 'unavailable'; readonly error: BackplaneError };

export interface Desk {
  /** Resolves to undefined while the backplane has not been heard of yet, and there may be anything. */
  read(): Promise<Reading | undefined>;
  /** Everything that is wrong with a document, and warnings. */
  check(document: SharedDocument): Promise<readonly ConfigIssue[]>;
  /** One at a time: those of the same node wait for each other, and not in vain. */
  change(order: ChangeOrder): Promise<ChangeOutcome>;
}

/** A file is looked into only when somebody asks. */
type MaybeSoon<T> = T | Promise<T>;

/** What of a node's store the admin API needs. */
export type DeskStore = VersionStore & Pick<NodeVersionStore, 'isKnown'>;

export interface DeskDependencies {
  readonly store: DeskStore;
  /** Everything that is wrong with a document together with the node's own part, and warnings. */
  readonly check: (document: SharedDocument) => Promise<readonly ConfigIssue[]>;
  /** What the node's file has of the shared part: then it owns it. */
  readonly fileDocument: () => MaybeSoon<SharedDocument | undefined>;
  readonly schedule?: Schedule;
}

/** Of other nodes, in a row. */
const MAX_OVERTAKEN = 16;
/** Each holds its document in memory. */
const MAX_WAITING = 64;
/** For a version that is written to be known here too. */
const NEWS_TIMEOUT_MS = 2_000;

export function createDesk(dependencies: DeskDependencies): Desk {
  const { store, check, fileDocument, schedule = scheduleTimer } = dependencies;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function read(): Promise<Reading | undefined> {
    const own = await fileDocument();
    if (own !== undefined) {
      return { owner: 'file', document: own, head: undefined, stalenessMs: 0 };
    }
    const stalenessMs = store.stalenessMs();
    const stored = store.head();
    if (stored === undefined) {
      if (!store.isKnown()) return undefined;
      return { owner: 'backplane', document: EMPTY_DOCUMENT, head: undefined, stalenessMs };
    }
    return {
      owner: 'backplane',
      document: stored.document,
      head: toVersionInfo(stored),
      stalenessMs,
    };
  }

  async function change(order: ChangeOrder): Promise<ChangeOutcome> {
    // Who has just written by another node means what came of it, and so do their entity tags.
    if ((await fileDocument()) === undefined) {
      const newest = await store.newest();
      if (!(await heardOf(newest))) return { kind: 'behind', version: newest };
    }
    let first: unknown;
    for (let round = 0; round < MAX_OVERTAKEN; round++) {
      const current = await read();
      if (current?.owner === 'file') return { kind: 'owned-by-file' };
      if (current === undefined) return { kind: 'unavailable', error: unheardOf() };
      const subject = order.subjectOf(current.document);
      if (round === 0) first = subject;
      else if (!isEqual(first, subject)) return { kind: 'conflict', head: current.head };
      const outcome = await attempt(order, current);
      if (outcome !== undefined) return outcome;
    }
    return { kind: 'contended' };
  }

  /** Undefined where another change came in between. */
  async function attempt(order: ChangeOrder, current: Reading): Promise<ChangeOutcome | undefined> {
    const { author, message, rollbackOf } = order;
    const edit = await order.edit(current);
    if ('refusal' in edit) return { kind: 'refused', refusal: edit.refusal };
    const { document } = edit;
    const { head } = current;
    // What was not touched is the very same value, and found to be equal at once.
    if (head !== undefined && isEqual(current.document, document)) {
      return { kind: 'unchanged', current, document };
    }
    const issues = await check(document);
    if (issues.some(({ severity }) => severity === 'error')) {
      return { kind: 'invalid', document, issues };
    }
    const basedOn = head?.version ?? 0;
    const outcome = await store.write(document, { author, message, basedOn, rollbackOf });
    const newest = (outcome.written ? outcome.version : outcome.head)?.version ?? 0;
    const isKnown = await heardOf(newest);
    if (!outcome.written) return isKnown ? undefined : { kind: 'behind', version: newest };
    const { version } = outcome;
    return { kind: 'written', version, before: current.document, document, warnings: issues };
  }

  /** Who has written reads what was written, and who was overtaken what came in between. */
  function heardOf(version: number): Promise<boolean> {
    const isKnown = (): boolean => (store.head()?.version ?? 0) >= version;
    if (isKnown()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (): void => {
        stopListening();
        callOff();
        resolve(isKnown());
      };
      const stopListening = store.onHead(() => {
        if (isKnown()) settle();
      });
      const callOff = schedule(NEWS_TIMEOUT_MS, settle);
    });
  }

  return {
    read,
    check,
    async change(order) {
      if (waiting >= MAX_WAITING) return { kind: 'contended' };
      waiting++;
      const mine = last.then(() => change(order));
      last = mine.catch(() => undefined);
      try {
        return await mine;
      } catch (error) {
        if (error instanceof BackplaneError) return { kind: 'unavailable', error };
        throw error;
      } finally {
        waiting--;
      }
    },
  };
}

/** Of a node that does not know yet what there is. */
export function unheardOf(): BackplaneError {
  return new BackplaneError('away', 'it has not told yet what there is');
}
