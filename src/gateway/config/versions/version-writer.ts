/** Writes versions to the backplane: the document first, then what names it, in one change that others are judged by. */
import { BackplaneError } from '../../../mesh/backplane/backplane-error.ts';
import type { Backplane, Condition, Mutation } from '../../../mesh/backplane/backplane.ts';
import { sealBody, writeBody } from './document-body.ts';
import { expiredVersions, type HistoryLimits } from './history.ts';
import type { Sealer } from './sealer.ts';
import {
  CONFIG_SPACE,
  HEAD_ID,
  idOfVersion,
  parseHistory,
  toRecordValue,
  type StoredHistory,
  type VersionRecord,
} from './version-record.ts';

/** Names of all documents there are, so that those which nothing names any more are found. */
export const BODIES_SPACE = 'config-bodies';
/** A third of the document's lease: it is still there when the version that names it is. */
const WRITE_WITHIN_MS = 20_000;

export interface WrittenBody {
  readonly hash: string;
  readonly writtenAtMs: number;
}

export interface VersionWriter {
  read(): Promise<StoredHistory>;
  putBody(json: string, hash: string, sealer: Sealer): Promise<WrittenBody>;
  /**
   * Makes it the newest, and takes away those that have had their time. Undefined where another
   * change came first; else their numbers.
   */
  append(
    history: StoredHistory,
    record: VersionRecord,
    body: WrittenBody,
    nowMs: number,
  ): Promise<readonly number[] | undefined>;
  /** Makes it the newest, though another one may be there; false where another change came first. */
  restore(history: StoredHistory, record: VersionRecord, body: WrittenBody): Promise<boolean>;
  /** Writes a version that is there anew; false where another change came first. */
  replace(history: StoredHistory, record: VersionRecord): Promise<boolean>;
}

export function createVersionWriter(
  backplane: Backplane,
  limits: HistoryLimits,
  monotonic: () => number,
): VersionWriter {
  const change = async (mutations: readonly Mutation[]): Promise<boolean> =>
    (await backplane.change(CONFIG_SPACE, mutations)).applied;

  function assertInTime({ writtenAtMs }: WrittenBody): void {
    if (monotonic() - writtenAtMs <= WRITE_WITHIN_MS) return;
    throw new BackplaneError('away', 'the backplane was too slow to write a configuration');
  }

  const read = async (): Promise<StoredHistory> => parseHistory(await backplane.read(CONFIG_SPACE));

  return {
    read,

    async putBody(json, hash, sealer) {
      const body = await sealBody(json, hash, sealer);
      const writtenAtMs = monotonic();
      // Each time anew: by its generation who removes it sees that somebody wants it.
      await backplane.change(BODIES_SPACE, [{ type: 'put', kind: 'doc', id: hash, value: true }]);
      await writeBody(backplane, hash, body);
      return { hash, writtenAtMs };
    },

    async append(history, record, body, nowMs) {
      const kept = Array.from(history.versions.values(), (stored) => stored.record);
      const expired = expiredVersions([record, ...kept], nowMs, limits);
      const removals = expired.map((version): Mutation => {
        const { generation } = history.versions.get(version)!;
        return { type: 'remove', kind: 'doc', id: idOfVersion(version), when: { generation } };
      });
      assertInTime(body);
      const mutations = [toHead(history, record), toVersion(history, record), ...removals];
      try {
        return (await change(mutations)) ? expired : undefined;
      } catch (error) {
        if (!(error instanceof BackplaneError) || error.code !== 'unavailable') throw error;
        // It may have happened. Where that cannot be told, the caller hears of the outage.
        const after = await read().catch(() => undefined);
        const stands = after?.versions.get(record.version)?.record.nonce === record.nonce;
        if (!stands) throw error;
        return expired;
      }
    },

    async restore(history, record, body) {
      assertInTime(body);
      return change([toHead(history, record), toVersion(history, record)]);
    },

    replace: (history, record) => change([toVersion(history, record)]),
  };
}

/** The largest number there is and one: a head that was lost must not lend its number again. */
export function nextVersion({ head, versions }: StoredHistory): number {
  return Math.max(head?.version ?? 0, ...versions.keys()) + 1;
}

function toHead({ head }: StoredHistory, { version }: VersionRecord): Mutation {
  const when = conditionOf(head?.generation);
  return { type: 'put', kind: 'doc', id: HEAD_ID, value: { version }, when };
}

function toVersion({ versions }: StoredHistory, record: VersionRecord): Mutation {
  const when = conditionOf(versions.get(record.version)?.generation);
  const id = idOfVersion(record.version);
  return { type: 'put', kind: 'doc', id, value: toRecordValue(record), when };
}

function conditionOf(generation: number | undefined): Condition {
  return generation === undefined ? { absent: true } : { generation };
}
