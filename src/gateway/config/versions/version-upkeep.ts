/** What a store of versions needs from time to time: one node does it for all. */
import type { Log } from '../../../plugins/sdk/plugin-context.ts';
import { reasonOf } from '../../../mesh/backplane/backplane-error.ts';
import type { Backplane } from '../../../mesh/backplane/backplane.ts';
import type { Schedule } from '../../../mesh/backplane/schedule.ts';
import type { ConfigKeys } from './config-keys.ts';
import { expireBody, openBody, readBody, renewBody } from './document-body.ts';
import { SealError, type Sealer } from './sealer.ts';
import {
  signRecord,
  verifyRecord,
  type StoredHistory,
  type VersionRecord,
} from './version-record.ts';
import { BODIES_SPACE, type VersionWriter } from './version-writer.ts';

export interface VersionUpkeepOptions {
  readonly backplane: Backplane;
  readonly writer: VersionWriter;
  readonly keys: ConfigKeys;
  /** What this node has of the newest version. */
  readonly known: () => { readonly record: VersionRecord; readonly json: string } | undefined;
  readonly monotonic: () => number;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly schedule: Schedule;
}

export interface VersionUpkeep {
  start(): void;
  stop(): Promise<void>;
}

/** Between two passes of a node, give or take a fifth. */
const UPKEEP_MS = 60_000;
const TURN_MS = 45_000;
/** Of a pass: a third of a document's lease, after which what it knows may be out of date. */
const PASS_MS = 20_000;

export function createVersionUpkeep(options: VersionUpkeepOptions): VersionUpkeep {
  const { backplane, writer, keys, known, monotonic, random, log, schedule } = options;
  let callOff = (): void => {};
  let passing: Promise<void> | undefined;
  let isStopped = false;
  /** Once a process, or two nodes with their keys in another order would take turns at it. */
  let isResealed = false;

  async function pass(): Promise<void> {
    const untilMs = monotonic() + PASS_MS;
    const isOver = (): boolean => isStopped || monotonic() > untilMs;
    const sealer = await keys.forReading();
    if (sealer === undefined) return;
    if (!isResealed) isResealed = await reseal(sealer, isOver);
    if (!(await backplane.takeTurn('config-upkeep', TURN_MS))) return;
    const history = await writer.read();
    await keepHead(history, sealer);
    await sweep(history, isOver);
  }

  /** Its document may have been evicted, or lost by a cluster that lost a shard. */
  async function keepHead({ head, versions }: StoredHistory, sealer: Sealer): Promise<void> {
    const own = known();
    const hash = versions.get(head?.version ?? 0)?.record.hash;
    if (own === undefined || hash !== own.record.hash) return;
    if (await renewBody(backplane, hash, own.json)) return;
    log.warn(
      { version: own.record.version },
      'the document of the version was lost, and is put back',
    );
    await writer.putBody(own.json, hash, sealer);
  }

  /** Documents that no version names: of writes that were cut off, and of versions that are gone. */
  async function sweep({ versions }: StoredHistory, isOver: () => boolean): Promise<void> {
    const wanted = new Set(Array.from(versions.values(), ({ record }) => record.hash));
    for (const { id, generation } of (await backplane.read(BODIES_SPACE)).records('doc').values()) {
      if (isOver()) return;
      if (wanted.has(id) || !(await expireBody(backplane, id))) continue;
      const removal = { type: 'remove', kind: 'doc', id, when: { generation } } as const;
      await backplane.change(BODIES_SPACE, [removal]);
    }
  }

  /** What another key sealed: else that one could never be let go of. True where there is no more to do. */
  async function reseal(sealer: Sealer, isOver: () => boolean): Promise<boolean> {
    const history = await writer.read();
    const failures: string[] = [];
    let resealed = 0;
    let isDone = true;
    for (const { record } of history.versions.values()) {
      if (isOver()) return false;
      if (sealer.isOwn(record.signature)) continue;
      try {
        if (await resealOne(history, record, sealer)) resealed++;
        else isDone = false;
      } catch (error) {
        if (!(error instanceof SealError)) throw error;
        failures.push(`version ${record.version}: ${error.message}`);
      }
    }
    if (resealed > 0) log.info({ versions: resealed }, 'versions were sealed with the new key');
    if (failures.length > 0) log.warn({ failures }, 'versions cannot be sealed with the new key');
    return isDone;
  }

  async function resealOne(
    history: StoredHistory,
    record: VersionRecord,
    sealer: Sealer,
  ): Promise<boolean> {
    verifyRecord(record, sealer);
    const body = await readBody(backplane, record.hash);
    if (body === undefined) return false;
    const json = await openBody(body, record.hash, sealer);
    await writer.putBody(json, record.hash, sealer);
    return writer.replace(history, signRecord(record, sealer));
  }

  function plan(): void {
    callOff = schedule(UPKEEP_MS * (0.8 + 0.4 * random()), () => {
      passing = pass()
        .catch((error: unknown) => {
          log.debug({ reason: reasonOf(error) }, 'the upkeep of the versions was cut short');
        })
        .finally(() => {
          if (!isStopped) plan();
        });
    });
  }

  return {
    start: plan,
    async stop() {
      isStopped = true;
      callOff();
      await passing;
    },
  };
}
