/** The tokens of a fleet: kept in the backplane, verified from memory, and on the disk for a start without it. */
import { randomBytes } from 'node:crypto';
import { BackplaneError, reasonOf } from '../../mesh/backplane/backplane-error.ts';
import type {
  Backplane,
  Condition,
  Mutation,
  Put,
  SpaceView,
  StoredRecord,
} from '../../mesh/backplane/backplane.ts';
import type { Schedule } from '../../mesh/backplane/schedule.ts';
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';
import { AdminError } from '../problem.ts';
import type { Principal, Role } from './principal.ts';
import type { Scope } from './scope.ts';
import { createTokenFile } from './token-file.ts';
import { createTokenIndex } from './token-index.ts';
import { FLEET_ID, mergeTokens, toTokenBook, type TokenBook } from './token-merge.ts';
import { isExpired, isPast, toRevoked, toTokenValue, type TokenRecord } from './token-record.ts';
import { createTokenText, digestOf } from './token-text.ts';
import { createTokenUses } from './token-uses.ts';

export type Verified =
  | { readonly principal: Principal }
  | { readonly refused: 'unknown' | 'expired' };

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  readonly scope: Scope | undefined;
  /** Milliseconds since 1970; undefined: never. */
  readonly expiresAtMs: number | undefined;
  readonly createdBy: string;
}

export interface TokenStore {
  /** Resolves when the tokens of the backplane are known, or those of the disk where it is away. */
  start(): Promise<void>;
  close(): Promise<void>;
  /** From memory; asks nobody. */
  verify(text: string): Verified;
  /** Hears when tokens were made or revoked; returns how to stop that. */
  onChange(listener: () => void): () => void;
  noteUse(id: string): void;
  /** Those that were not revoked, the expired ones among them for a week; in the order of their ids. */
  list(): readonly TokenRecord[];
  find(id: string): TokenRecord | undefined;
  /** Rejects with a `BackplaneError` in an outage, and with an `AdminError` (409) where there are too many. */
  create(token: NewToken): Promise<{ readonly record: TokenRecord; readonly text: string }>;
  /** False where there is no such token any more. Rejects with a `BackplaneError` in an outage. */
  revoke(id: string, by: string): Promise<boolean>;
  /** Milliseconds since 1970, by id. */
  lastUses(): Promise<ReadonlyMap<string, number>>;
  /** 0 while the backplane is connected. */
  stalenessMs(): number;
}

export interface TokenStoreOptions {
  readonly backplane: Backplane;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly schedule: Schedule;
}

const SPACE = 'admin-tokens';
/** Every node holds them all, and reads them whole. */
const MAX_TOKENS = 1_000;
/** With the revoked ones that never expire, and are therefore never forgotten. */
const MAX_RECORDS = 5_000;
/** In one change. */
const MAX_FORGOTTEN = 100;
const RETRY_MS = 1_000;
/** Each lost attempt is one that another node won. */
const MAX_ATTEMPTS = 5;

export function createTokenStore(options: TokenStoreOptions): TokenStore {
  const { backplane, dataDir, clock, log, schedule } = options;
  const index = createTokenIndex();
  let book: TokenBook = { fleet: undefined, tokens: new Map() };
  let last: SpaceView | undefined;
  /** What this node wrote last; a view that is older is not told. */
  let written = { epoch: '', revision: 0 };
  let owed = new Map<string, TokenRecord>();
  let isPaying = false;
  let callOffRetry = (): void => {};
  let stopWatching = (): void => {};
  let isStarted = false;
  let isClosed = false;
  const listeners = new Set<() => void>();

  const file = createTokenFile(dataDir, () => ({ book, uses: uses.known }), log);
  const uses = createTokenUses({ backplane, space: SPACE, clock, onTold: () => file.save() });

  function adopt(next: TokenBook): void {
    const isSame =
      next.fleet === book.fleet &&
      next.tokens.size === book.tokens.size &&
      [...next.tokens].every(([id, { revoked }]) => {
        const known = book.tokens.get(id);
        return known !== undefined && (known.revoked === undefined) === (revoked === undefined);
      });
    book = next;
    if (isSame) return;
    index.fill(book.tokens.values());
    uses.forget((id) => book.tokens.has(id));
    file.save();
    for (const listener of listeners) listener();
  }

  function hear(view: SpaceView): void {
    const isOld = view.epoch === written.epoch && view.revision < written.revision;
    // Where it is not continuous, the store itself may have gone back.
    if (isClosed || (isOld && view.continuous)) return;
    last = view;
    const told = toTokenBook(view);
    if (book.fleet !== undefined && told.fleet !== undefined && told.fleet !== book.fleet) {
      log.warn({}, "the backplane is another fleet's: its tokens are in force, and no others");
    }
    const merge = mergeTokens(book, told, {
      isContinuous: view.continuous,
      owed: new Set(owed.keys()),
      nowMs: clock.now(),
    });
    adopt(merge.book);
    owed = new Map(merge.owed.map((record) => [record.id, record]));
    if (owed.size > 0 || isFleetOwed()) void pay();
  }

  function isFleetOwed(): boolean {
    return book.fleet !== undefined && last?.records('doc').has(FLEET_ID) === false;
  }

  /** Tells the store what it has lost. Others do so too: who comes second does nothing. */
  async function pay(): Promise<void> {
    if (isPaying) return;
    isPaying = true;
    callOffRetry();
    try {
      log.warn({ tokens: owed.size }, 'the backplane has lost tokens; they are put back');
      if (book.fleet !== undefined) await backplane.change(SPACE, [putFleet(book.fleet)]);
      // A view that comes meanwhile may bring more.
      for (;;) {
        const [next] = owed;
        if (next === undefined || isClosed) break;
        const [id, record] = next;
        const when = conditionOf(last?.records('doc').get(id));
        await backplane.change(SPACE, [{ ...putToken(record), when }]);
        owed.delete(id);
      }
    } catch (error) {
      if (!(error instanceof BackplaneError)) throw error;
      log.warn({ reason: reasonOf(error) }, 'tokens could not be put back; it is tried again');
      if (!isClosed) callOffRetry = schedule(RETRY_MS, () => void pay());
    } finally {
      isPaying = false;
    }
  }

  /** The next view may take a moment; who asked must not meet the state before. */
  function take(record: TokenRecord, fleet: string | undefined): void {
    adopt({ fleet, tokens: new Map(book.tokens).set(record.id, record) });
  }

  async function refresh(): Promise<SpaceView> {
    const view = await backplane.read(SPACE);
    hear(view);
    return view;
  }

  function assertRoom(): void {
    const live = [...book.tokens.values()].filter(({ revoked }) => revoked === undefined).length;
    if (live < MAX_TOKENS && book.tokens.size < MAX_RECORDS) return;
    const detail =
      live < MAX_TOKENS
        ? `There are ${MAX_RECORDS} tokens with the revoked ones that never expire.`
        : `There are ${MAX_TOKENS} tokens; revoke some first.`;
    throw new AdminError(409, 'too_many_tokens', detail);
  }

  function pastOnes(): Mutation[] {
    const past = [...book.tokens.values()].filter((record) => isPast(record, clock.now()));
    return past.slice(0, MAX_FORGOTTEN).map(({ id }) => ({ type: 'remove', kind: 'doc', id }));
  }

  return {
    async start() {
      const saved = await file.read();
      if (saved !== undefined) {
        book = saved.book;
        index.fill(book.tokens.values());
        uses.hear(saved.uses);
      }
      isStarted = true;
      // A good token must not be refused in the moment before the first view.
      await refresh().catch((error: unknown) => {
        log.warn({ reason: reasonOf(error) }, 'the tokens known last are in force');
      });
      stopWatching = backplane.watch(SPACE, hear);
    },
    async close() {
      isClosed = true;
      stopWatching();
      callOffRetry();
      // What was never read must not be written over.
      if (isStarted) file.save();
      await file.settled();
    },
    verify(text) {
      const record = index.find(text);
      if (record === undefined) return { refused: 'unknown' };
      if (isExpired(record, clock.now())) return { refused: 'expired' };
      const { id: tokenId, name, role, scope } = record;
      return { principal: { name, role, scope, tokenId } };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    noteUse: (id) => uses.note(id),
    list() {
      const nowMs = clock.now();
      return [...book.tokens.values()]
        .filter((record) => record.revoked === undefined && !isPast(record, nowMs))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    },
    find(id) {
      const record = book.tokens.get(id);
      return record === undefined || record.revoked !== undefined ? undefined : record;
    },

    async create(token) {
      // A store that hangs must not make one later, when its text is lost.
      await refresh();
      assertRoom();
      const text = createTokenText();
      const record: TokenRecord = {
        id: randomBytes(8).toString('hex'),
        ...token,
        digest: digestOf(text).toString('hex'),
        createdAtMs: clock.now(),
        revoked: undefined,
      };
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const { fleet = randomBytes(8).toString('hex') } = book;
        const first = book.fleet === undefined ? [putFleet(fleet)] : [];
        const put: Put = { ...putToken(record), when: { absent: true } };
        const outcome = await backplane.change(SPACE, [...first, put, ...pastOnes()]);
        if (outcome.applied) {
          written = outcome;
          take(record, fleet);
          return { record, text };
        }
        // Another node was the first to make a token.
        await refresh();
      }
      throw new BackplaneError('refused', 'other nodes change the tokens all the time');
    },

    async revoke(id, by) {
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const stored = (await refresh()).records('doc').get(id);
        const record = book.tokens.get(id);
        if (record === undefined || record.revoked !== undefined) return false;
        const revoked = toRevoked(record, clock.now(), by);
        const put: Put = { ...putToken(revoked), when: conditionOf(stored) };
        const outcome = await backplane.change(SPACE, [put]);
        if (!outcome.applied) continue;
        written = outcome;
        take(revoked, book.fleet);
        return true;
      }
      throw new BackplaneError('refused', 'other nodes change the token all the time');
    },

    lastUses: () => uses.read(),
    stalenessMs() {
      const { connected, stalenessMs } = backplane.status();
      return connected ? 0 : stalenessMs;
    },
  };
}

function putFleet(fleet: string): Put {
  return { type: 'put', kind: 'doc', id: FLEET_ID, value: { id: fleet }, when: { absent: true } };
}

function putToken(record: TokenRecord): Put {
  return { type: 'put', kind: 'doc', id: record.id, value: toTokenValue(record) };
}

function conditionOf(stored: StoredRecord | undefined): Condition {
  return stored === undefined ? { absent: true } : { generation: stored.generation };
}
