/** The audit log in the backplane: a space a day in a ring of spaces, so that nothing grows without end. */
import type { Backplane, Json, Mutation } from '../../mesh/backplane/backplane.ts';
import { isRefusal, parseAuditEntry, timeOf, type AuditEntry } from './audit-entry.ts';

/** For how long entries are kept. */
export const AUDIT_DAYS = 90;
/** One space for each day that is kept, for today, and for tomorrow of a node whose clock is ahead. */
const RING = AUDIT_DAYS + 2;
/**
 * A space is read as a whole, and by the embedded backplane written so. Nodes sweep by turns
 * and may be over it meanwhile.
 */
const MAX_ENTRIES_A_DAY = 2_000;
/** Each mutation is two keys of one script. */
const MAX_MUTATIONS = 200;
/** A page reads at most so many entries that do not fit, and then ends where it is. */
const MAX_ENTRIES_A_PAGE = 10_000;
const DAY_MS = 24 * 3_600_000;

export interface AuditQuery {
  /** Only ids before it. */
  readonly before?: string | undefined;
  readonly sinceMs?: number | undefined;
  /** Excluded. */
  readonly untilMs?: number | undefined;
  readonly fits: (entry: AuditEntry) => boolean;
  readonly limit: number;
}

export interface AuditPage {
  /** The newest first. */
  readonly entries: readonly AuditEntry[];
  /** What to give as `before` for the next page; undefined: there is no more. */
  readonly next: string | undefined;
}

function spaceOf(day: number): string {
  return `audit:${day % RING}`;
}

export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

/** All of one day, `dayOf` of their times. */
export async function writeDay(
  backplane: Backplane,
  day: number,
  entries: readonly AuditEntry[],
): Promise<void> {
  for (let i = 0; i < entries.length; i += MAX_MUTATIONS) {
    const puts = entries
      .slice(i, i + MAX_MUTATIONS)
      .map((entry): Mutation => ({ type: 'put', kind: 'doc', id: entry.id, value: entry as Json }));
    await backplane.change(spaceOf(day), puts);
  }
}

/** Clears the day's space of what was there a turn of the ring ago, and of what is too much. */
export async function sweepDay(backplane: Backplane, day: number): Promise<void> {
  const ids = [...(await backplane.read(spaceOf(day))).records('doc').keys()];
  const gone = toSweep(ids, day);
  for (let i = 0; i < gone.length; i += MAX_MUTATIONS) {
    const removals = gone
      .slice(i, i + MAX_MUTATIONS)
      .map((id): Mutation => ({ type: 'remove', kind: 'doc', id }));
    await backplane.change(spaceOf(day), removals);
  }
}

/**
 * Refusals go first: else whoever is refused often enough could push out what was done.
 */
export function toSweep(
  ids: readonly string[],
  day: number,
  max = MAX_ENTRIES_A_DAY,
): readonly string[] {
  const isOfDay = (id: string): boolean => dayOf(timeOf(id)) >= day;
  const current = ids.filter(isOfDay).toSorted();
  const inOrder = [...current.filter(isRefusal), ...current.filter((id) => !isRefusal(id))];
  const excess = Math.max(0, current.length - max);
  return [...ids.filter((id) => !isOfDay(id)), ...inOrder.slice(0, excess)];
}

async function readDay(backplane: Backplane, day: number): Promise<AuditEntry[]> {
  const { records } = await backplane.read(spaceOf(day));
  const entries: AuditEntry[] = [];
  for (const { id, value } of records('doc').values()) {
    if (dayOf(timeOf(id)) !== day) continue;
    const entry = parseAuditEntry(id, value);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/**
 * `pending`: what is not in the backplane yet, or was just written. Rejects with a `BackplaneError`
 * in an outage.
 */
export async function readPage(
  backplane: Backplane,
  query: AuditQuery,
  pending: readonly AuditEntry[],
  nowMs: number,
): Promise<AuditPage> {
  const { before, sinceMs = -Infinity, untilMs = Infinity } = query;
  const beforeMs = before === undefined ? Infinity : Number(before.slice(0, 13));
  const newest = dayOf(Math.min(nowMs + DAY_MS, untilMs, beforeMs));
  const oldest = dayOf(Math.max(nowMs - AUDIT_DAYS * DAY_MS, sinceMs));
  const page = createPage(query);
  let seen = 0;
  for (let day = newest; day >= oldest; day--) {
    const entries = new Map(
      pending.filter(({ id }) => dayOf(timeOf(id)) === day).map((entry) => [entry.id, entry]),
    );
    for (const entry of await readDay(backplane, day)) entries.set(entry.id, entry);
    if (page.add([...entries.values()])) break;
    seen += entries.size;
    if (seen >= MAX_ENTRIES_A_PAGE && day > oldest) {
      // No id of an earlier day is larger.
      return { entries: page.end().entries, next: String(day * DAY_MS).padStart(13, '0') };
    }
  }
  return page.end();
}

/** The page of what is in memory. */
export function pageOf(entries: readonly AuditEntry[], query: AuditQuery): AuditPage {
  const page = createPage(query);
  page.add(entries);
  return page.end();
}

interface PageInMaking {
  /** Older than what was added before; in any order. True once there is more than the page takes. */
  add(more: readonly AuditEntry[]): boolean;
  end(): AuditPage;
}

function createPage(query: AuditQuery): PageInMaking {
  const { before, sinceMs = -Infinity, untilMs = Infinity, fits, limit } = query;
  const entries: AuditEntry[] = [];
  let next: string | undefined;
  return {
    add(more) {
      for (const entry of more.toSorted((a, b) => (a.id > b.id ? -1 : 1))) {
        const atMs = timeOf(entry.id);
        if (before !== undefined && entry.id >= before) continue;
        if (atMs < sinceMs || atMs >= untilMs || !fits(entry)) continue;
        if (entries.length === limit) {
          next = entries.at(-1)!.id;
          return true;
        }
        entries.push(entry);
      }
      return false;
    },
    end: () => ({ entries, next }),
  };
}
