/** Follows the newest version in the backplane, and puts it back where the backplane has lost it. */
import { BackplaneError, reasonOf } from '../../../mesh/backplane/backplane-error.ts';
import type { Backplane } from '../../../mesh/backplane/backplane.ts';
import type { Schedule } from '../../../mesh/backplane/schedule.ts';
import { retryDelayMs } from '../../../mesh/backplane/timing.ts';
import type { Log } from '../../../plugins/sdk/plugin-context.ts';
import type { ConfigKeys } from './config-keys.ts';
import { openBody, readBody } from './document-body.ts';
import { reconcile, type KnownHead as Head } from './history.ts';
import type { KnownHead } from './known-head.ts';
import { SealError } from './sealer.ts';
import {
  CONFIG_SPACE,
  parseHistory,
  sealerFor,
  signRecord,
  type StoredHistory,
  type VersionRecord,
} from './version-record.ts';
import type { VersionWriter } from './version-writer.ts';

export interface HeadFollowerOptions {
  readonly backplane: Backplane;
  readonly writer: VersionWriter;
  readonly keys: ConfigKeys;
  readonly known: KnownHead;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly schedule: Schedule;
}

export interface HeadFollower {
  start(): void;
  stop(): Promise<void>;
  /** The backplane was heard, and what it says is known here. */
  readonly hasHeard: boolean;
  /** Resolves when it has been heard for the first time, and what it said was followed. */
  readonly first: Promise<void>;
  /** True where the store had lost what is known here; then it should be read again. */
  heal(history: StoredHistory): Promise<boolean>;
}

/** All nodes see at once that a store was emptied, and one is enough to fill it. */
const PUT_BACK_SPREAD_MS = 300;

export function createHeadFollower(options: HeadFollowerOptions): HeadFollower {
  const { backplane, writer, keys, known, random, log, schedule } = options;
  const { promise: first, resolve: hasFollowed } = Promise.withResolvers<void>();
  let stopWatching = (): void => {};
  let latest: StoredHistory | undefined;
  let pending: StoredHistory | undefined;
  let following: Promise<void> | undefined;
  let callOff: (() => void) | undefined;
  let failures = 0;
  let hasHeard = false;
  let isStopped = false;
  let stopWaiting = (): void => {};

  function wake(): void {
    if (isStopped) return;
    pending = latest;
    following ??= followAll();
  }

  /** The newest alone: what comes while one is followed is looked at after it, once. */
  async function followAll(): Promise<void> {
    while (pending !== undefined) {
      const history = pending;
      pending = undefined;
      await follow(history);
    }
    following = undefined;
  }

  async function follow(history: StoredHistory): Promise<void> {
    callOff?.();
    callOff = undefined;
    try {
      const record = headRecord(history);
      if (history.head !== undefined && record === undefined) {
        throw new Error('its record is not in the backplane');
      }
      switch (reconcile(headOf(known), record)) {
        case 'take':
          await take(record!);
          break;
        case 'confirm':
          known.confirm();
          break;
        case 'put-back':
          await putBack();
          break;
        default:
          known.readable();
      }
      failures = 0;
      hasHeard = true;
    } catch (error) {
      failed(history, error);
    }
    hasFollowed();
  }

  function failed({ head, versions }: StoredHistory, error: unknown): void {
    failures += 1;
    const isOutage = error instanceof BackplaneError;
    if (isOutage) {
      log.debug({ reason: reasonOf(error) }, 'the newest version could not be followed');
    } else if (head !== undefined) {
      const hash = versions.get(head.version)?.record.hash ?? '';
      known.missing({ version: head.version, hash, reason: reasonOf(error) });
    }
    // Without its key it can be read only once it was sealed anew, which is a change that is told.
    if (error instanceof SealError && error.code === 'unknown-key') return;
    callOff = schedule(retryDelayMs(failures, random), wake);
  }

  async function take(record: VersionRecord): Promise<void> {
    const json = await read(record);
    // What was written here meanwhile is newer.
    if (reconcile(headOf(known), record) !== 'take') return;
    const before = known.state?.record;
    if (before !== undefined && before.lineage !== record.lineage) {
      log.warn(
        { before: before.version, version: record.version },
        'the backplane has another history of versions, which is taken over',
      );
    }
    known.adopt(record, json);
  }

  async function read(record: VersionRecord): Promise<string> {
    const sealer = await sealerFor(record, keys);
    const { state } = known;
    if (state?.record.hash === record.hash) return state.json;
    const body = await readBody(backplane, record.hash);
    if (body === undefined) throw new Error('its document is not in the backplane');
    return openBody(body, record.hash, sealer);
  }

  async function putBack(): Promise<void> {
    await new Promise<void>((resolve) => {
      callOff = schedule(random() * PUT_BACK_SPREAD_MS, resolve);
      stopWaiting = resolve;
    });
    if (isStopped) return;
    await heal(await writer.read());
  }

  async function heal(history: StoredHistory): Promise<boolean> {
    const { state } = known;
    if (state === undefined || isOfHigher(history, state.record)) return false;
    if (reconcile(headOf(known), headRecord(history)) !== 'put-back') return false;
    const { record, json } = state;
    const sealer = await keys.forWriting();
    const body = await writer.putBody(json, record.hash, sealer);
    if (await writer.restore(history, signRecord(record, sealer), body)) {
      known.confirm();
      log.warn(
        { version: record.version, found: history.head?.version ?? 0 },
        'the backplane had lost the newest version of the configuration; it was put back',
      );
    }
    return true;
  }

  return {
    start() {
      stopWatching = backplane.watch(CONFIG_SPACE, (view) => {
        latest = parseHistory(view);
        known.learnHistory(recordsOf(latest));
        wake();
      });
    },
    async stop() {
      isStopped = true;
      pending = undefined;
      stopWatching();
      callOff?.();
      stopWaiting();
      await following;
    },
    get hasHeard() {
      return hasHeard;
    },
    first,
    heal,
  };
}

function headOf({ state }: KnownHead): Head | undefined {
  return state && { ...state.record, isConfirmed: state.isConfirmed };
}

export function headRecord({ head, versions }: StoredHistory): VersionRecord | undefined {
  return head && versions.get(head.version)?.record;
}

/** Whatever became of its record: numbers are not used again. */
function isOfHigher({ head }: StoredHistory, { version }: VersionRecord): boolean {
  return head !== undefined && head.version > version;
}

export function recordsOf({ versions }: StoredHistory): ReadonlyMap<number, VersionRecord> {
  return new Map(Array.from(versions, ([version, { record }]) => [version, record]));
}
