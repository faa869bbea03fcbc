/** The store of versions over any backplane: reads from what is known, writes by compare-and-set. */
import { createHash, randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BackplaneError } from '../../../mesh/backplane/backplane-error.ts';
import type { Backplane } from '../../../mesh/backplane/backplane.ts';
import { scheduleTimer, type Schedule } from '../../../mesh/backplane/schedule.ts';
import type { Clock, Log } from '../../../plugins/sdk/plugin-context.ts';
import { ConfigKeyError, type ConfigKeys } from './config-keys.ts';
import { openBody, readBody } from './document-body.ts';
import { createHeadFollower, headRecord, recordsOf } from './head-follower.ts';
import { HISTORY_LIMITS, type HistoryLimits } from './history.ts';
import { HEAD_FILE } from './last-known-part.ts';
import { KnownHead, toKnown } from './known-head.ts';
import { canonicalPieces, type SharedDocument } from './shared-document.ts';
import { SealError, type Sealer } from './sealer.ts';
import { createVersionFile } from './version-file.ts';
import {
  sealerFor,
  signRecord,
  toVersionInfo,
  verifyRecord,
  type StoredHistory,
  type VersionRecord,
} from './version-record.ts';
import {
  UnreadableVersionError,
  type KnownVersion,
  type NodeVersionStore,
  type WriteOutcome,
  type WrittenBy,
} from './version-store.ts';
import { createVersionUpkeep } from './version-upkeep.ts';
import { createVersionWriter, nextVersion, type WrittenBody } from './version-writer.ts';

export interface VersionStoreOptions {
  readonly backplane: Backplane;
  readonly keys: ConfigKeys;
  /** Where the newest version is kept, for a start while the backplane is away. */
  readonly directory: string;
  readonly clock: Clock;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
  /** Default: 90 days, and 100 versions. */
  readonly limits?: HistoryLimits | undefined;
}

/** How long a start waits for the newest version of a backplane that answers. */
const FIRST_WITHIN_MS = 1_500;
/** Changes that came in between without moving the head: versions that were pinned, mostly. */
const MAX_TRIES = 10;
const MAX_TEXT_CHARACTERS = 4_096;
const PIECE_CHARACTERS = 64 * 1024;

export function createVersionStore(options: VersionStoreOptions): NodeVersionStore {
  const { backplane, keys, clock, random, log, schedule = scheduleTimer } = options;
  const monotonic = (): number => clock.monotonic();
  const writer = createVersionWriter(backplane, options.limits ?? HISTORY_LIMITS, monotonic);
  const file = createVersionFile(options.directory, HEAD_FILE);
  const known = new KnownHead(file, keys, () => clock.now(), log);
  const follower = createHeadFollower({ backplane, writer, keys, known, random, log, schedule });
  const upkeep = createVersionUpkeep({
    backplane,
    writer,
    keys,
    known: () => known.state,
    monotonic,
    random,
    log,
    schedule,
  });

  async function readStored(record: VersionRecord): Promise<KnownVersion | undefined> {
    const { version, hash } = record;
    try {
      const sealer = await sealerFor(record, keys);
      const body = await readBody(backplane, hash);
      if (body !== undefined) return toKnown(record, await openBody(body, hash, sealer));
      // It may have had its time meanwhile.
      if (!(await writer.read()).versions.has(version)) return undefined;
      throw new Error('its document is not in the backplane');
    } catch (error) {
      if (error instanceof BackplaneError) throw error;
      throw new UnreadableVersionError(version, error);
    }
  }

  async function write(document: SharedDocument, by: WrittenBy): Promise<WriteOutcome> {
    assertText(by.author, 'an author');
    assertText(by.message, 'a message');
    const sealer = await keys.forWriting();
    const { json, hash } = await encode(document);
    let body: WrittenBody | undefined;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const history = await writer.read();
      if (await follower.heal(history)) continue;
      const head = headRecord(history);
      if ((history.head?.version ?? 0) !== by.basedOn) {
        known.learnHistory(recordsOf(history));
        return { written: false, head: head && toVersionInfo(head) };
      }
      const lineage = lineageOf(head, sealer) ?? known.state?.record.lineage ?? randomId();
      body ??= await writer.putBody(json, hash, sealer);
      const nowMs = await backplane.timeMs();
      const record = signRecord(
        {
          version: nextVersion(history),
          author: by.author,
          at: new Date(nowMs).toISOString(),
          message: by.message,
          hash,
          pinned: false,
          ...(by.rollbackOf !== undefined && { rollbackOf: by.rollbackOf }),
          lineage,
          nonce: randomId(),
        },
        sealer,
      );
      const expired = await writer.append(history, record, body, nowMs);
      if (expired === undefined) continue;
      written(history, record, json, expired);
      return { written: true, version: toVersionInfo(record) };
    }
    throw overtaken();
  }

  /** Known here before the feed tells of it. */
  function written(
    history: StoredHistory,
    record: VersionRecord,
    json: string,
    expired: readonly number[],
  ): void {
    // The feed may have been faster, and told of a newer one too.
    if (record.version <= (known.state?.record.version ?? 0)) return;
    const records = new Map(recordsOf(history)).set(record.version, record);
    for (const version of expired) records.delete(version);
    known.learnHistory(records);
    known.adopt(record, json);
  }

  return {
    async start() {
      await known.load();
      follower.start();
      upkeep.start();
      if (!backplane.status().connected) return;
      await new Promise<void>((resolve) => {
        const callOff = schedule(FIRST_WITHIN_MS, resolve);
        void follower.first.then(callOff).then(resolve);
      });
    },
    async close() {
      await Promise.all([follower.stop(), upkeep.stop()]);
      await known.settled();
    },
    head: () => known.state?.version,
    isKnown: () => known.state !== undefined || follower.hasHeard,
    unreadable: () => known.unreadable,
    stalenessMs() {
      const { connected, stalenessMs } = backplane.status();
      if (connected) return 0;
      const { keptAtMs, state } = known;
      if (state?.isConfirmed !== false || keptAtMs === undefined) return stalenessMs;
      return Math.max(stalenessMs, clock.now() - keptAtMs);
    },
    onHead: (listener) => known.onHead(listener),
    onUnreadable: (listener) => known.onUnreadable(listener),
    async newest() {
      const history = await writer.read();
      known.learnHistory(recordsOf(history));
      return history.head?.version ?? 0;
    },
    list: () => [...known.history.values()].toSorted(byNewest).map(toVersionInfo),
    async read(version) {
      const { state } = known;
      if (state?.record.version === version) return state.version;
      const record =
        known.history.get(version) ?? (await writer.read()).versions.get(version)?.record;
      return record && readStored(record);
    },
    write,
    async pin(version, pinned) {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const history = await writer.read();
        const record = history.versions.get(version)?.record;
        if (record === undefined) return false;
        if (record.pinned === pinned) return true;
        const changed = { ...record, pinned };
        if (!(await writer.replace(history, changed))) continue;
        known.learnHistory(new Map(recordsOf(history)).set(version, changed));
        return true;
      }
      throw overtaken();
    },
  };
}

function overtaken(): BackplaneError {
  return new BackplaneError('refused', 'others change the versions all the time; try again');
}

/** Undefined for a record that was altered. What is written must be readable by those who wrote last. */
function lineageOf(head: VersionRecord | undefined, sealer: Sealer): string | undefined {
  if (head === undefined) return undefined;
  try {
    verifyRecord(head, sealer);
    return head.lineage;
  } catch (error) {
    if (!(error instanceof SealError) || error.code === 'damaged') return undefined;
    throw new ConfigKeyError(
      `version ${head.version} was written with another key (${error.message}): give this node the key of the others`,
    );
  }
}

function byNewest(a: VersionRecord, b: VersionRecord): number {
  return b.version - a.version;
}

function randomId(): string {
  return randomBytes(9).toString('base64url');
}

function assertText(text: string, what: string): void {
  if (text.length <= MAX_TEXT_CHARACTERS) return;
  throw new RangeError(`${what} has at most ${MAX_TEXT_CHARACTERS} characters`);
}

/** Its canonical JSON and the hash of that; a document of megabytes holds up nobody else. */
async function encode(document: SharedDocument): Promise<{ json: string; hash: string }> {
  const digest = createHash('sha256');
  let json = '';
  let piece = '';
  for (const next of canonicalPieces(document)) {
    piece += next;
    if (piece.length < PIECE_CHARACTERS) continue;
    digest.update(piece);
    json += piece;
    piece = '';
    await nextTurn();
  }
  digest.update(piece);
  return { json: json + piece, hash: digest.digest('hex') };
}
