/** What a node makes of the tokens that the backplane tells, given those it knows: a pure decision. */
import type { SpaceView } from '../../mesh/backplane/backplane.ts';
import { isObject } from '../../mesh/backplane/json-object.ts';
import { isPast, parseTokenRecord, type TokenRecord } from './token-record.ts';

/** The tokens of one fleet, the revoked ones among them. */
export interface TokenBook {
  /** Names the fleet, so that tokens of one are never taken to another's store; undefined: none was made yet. */
  readonly fleet: string | undefined;
  readonly tokens: ReadonlyMap<string, TokenRecord>;
}

export interface Merge {
  readonly book: TokenBook;
  /** What the store has lost, or is behind with, and has to be told. */
  readonly owed: readonly TokenRecord[];
}

export const FLEET_ID = 'fleet';

export function toTokenBook({ records }: SpaceView): TokenBook {
  const tokens = new Map<string, TokenRecord>();
  let fleet: string | undefined;
  for (const [id, { value }] of records('doc')) {
    if (id === FLEET_ID) {
      fleet = isObject(value) && typeof value['id'] === 'string' ? value['id'] : undefined;
      continue;
    }
    const record = parseTokenRecord(id, value);
    if (record !== undefined) tokens.set(id, record);
  }
  return { fleet, tokens };
}

/**
 * A token lives once and is revoked once, so of two words about it the revocation is the later
 * one. What is missing was forgotten on purpose where the view is continuous, and unless the
 * store had been told of it never; else the store has lost it (emptied, or failed over).
 */
export function mergeTokens(
  known: TokenBook,
  told: TokenBook,
  at: {
    readonly isContinuous: boolean;
    /** Ids of what was owed before, and was not told since. */
    readonly owed: ReadonlySet<string>;
    readonly nowMs: number;
  },
): Merge {
  const { isContinuous, owed: owedBefore, nowMs } = at;
  const isOther = told.fleet !== undefined && told.fleet !== known.fleet;
  if (isOther) return { book: told, owed: [] };
  const tokens = new Map(told.tokens);
  const owed: TokenRecord[] = [];
  for (const [id, record] of known.tokens) {
    if (isPast(record, nowMs)) continue;
    const stored = told.tokens.get(id);
    if (stored === undefined ? isContinuous && !owedBefore.has(id) : !isNewer(record, stored)) {
      continue;
    }
    tokens.set(id, record);
    owed.push(record);
  }
  return { book: { fleet: told.fleet ?? known.fleet, tokens }, owed };
}

function isNewer(record: TokenRecord, stored: TokenRecord): boolean {
  return record.revoked !== undefined && stored.revoked === undefined;
}
