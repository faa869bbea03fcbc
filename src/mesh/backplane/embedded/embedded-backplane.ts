/** The backplane of one machine: in this process, and on the disk before a change is acknowledged. */
import { randomBytes } from 'node:crypto';
import type { Clock, Log } from '../../../plugins/sdk/plugin-context.ts';
import type { HeldRecord } from '../apply-mutations.ts';
import { BackplaneError, reasonOf } from '../backplane-error.ts';
import type { Backplane, ChangeOutcome, Mutation, SpaceView } from '../backplane.ts';
import type { FullRead } from '../delta.ts';
import { assertMutations, assertSpace } from '../names.ts';
import { scheduleTimer, type Schedule } from '../schedule.ts';
import { SpaceRecords } from '../space-records.ts';
import { ViewFeed } from '../view-feed.ts';
import { Leases } from './leases.ts';
import { Notes } from './notes.ts';
import { SpaceDraft, type Space } from './space-draft.ts';
import { loadSpaces, removeSpace, saveSpace } from './space-file.ts';

export interface EmbeddedBackplaneOptions {
  /** Of this process alone; made with mode 0700. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
}

interface Waiting {
  readonly space: string;
  /** Returns what tells of it once it is written. */
  readonly decide: (draft: SpaceDraft) => () => void;
  readonly reject: (error: BackplaneError) => void;
}

/** What a batch makes of one space, and who waits for it. */
interface Writing {
  readonly draft: SpaceDraft;
  readonly settle: ((error?: BackplaneError) => void)[];
}

/**
 * Changes that come while one is written are written together next: as many fsyncs as the
 * disk can do, and never more. What was not written did not happen. Rejects where the
 * directory cannot be read.
 */
export function createEmbeddedBackplane(options: EmbeddedBackplaneOptions): Backplane {
  const { directory, clock, log, schedule = scheduleTimer } = options;
  const monotonic = (): number => clock.monotonic();
  const spaces = new Map<string, Space>();
  const feeds = new Map<string, ViewFeed>();
  const leases = new Leases(monotonic);
  const reports = new Notes(monotonic);
  const turns = new Notes(monotonic);
  let startedAtMs: number | undefined;
  let isClosed = false;
  let waiting: Waiting[] = [];
  let committing: Promise<void> | undefined;
  /** The batch that is being written, by its spaces. */
  let writing: ReadonlyMap<string, Writing> = new Map();

  const newEpoch = (): string => `${Math.floor(clock.now())}-${randomBytes(6).toString('hex')}`;

  function fullRead(space: string): FullRead {
    const known = spaces.get(space);
    if (known === undefined) return { epoch: '', revision: 0, records: [] };
    return { epoch: known.epoch, revision: known.revision, records: known.records.entries() };
  }

  function assertOpen(): void {
    if (isClosed || startedAtMs === undefined) {
      throw new BackplaneError('closed', 'the backplane is not open');
    }
  }

  function newSpace(): Space {
    const records = new SpaceRecords<HeldRecord>();
    return { epoch: newEpoch(), revision: 0, records, bornAtMs: monotonic() };
  }

  function decide({ space, ...one }: Waiting, batch: Map<string, Writing>): void {
    let known = batch.get(space);
    if (known === undefined) {
      known = { draft: new SpaceDraft(spaces.get(space) ?? newSpace()), settle: [] };
      batch.set(space, known);
    }
    const tell = one.decide(known.draft);
    known.settle.push((error) => (error === undefined ? tell() : one.reject(error)));
  }

  async function write(space: string, { draft, settle }: Writing): Promise<void> {
    const { isForgotten } = draft;
    if (draft.deltas.length > 0 || isForgotten) {
      const { epoch, revision, records, bornAtMs } = draft.toSpace();
      try {
        if (isForgotten) await removeSpace(directory, space);
        else
          await saveSpace(directory, space, { epoch, revision, records: [...records.entries()] });
      } catch (error) {
        log.error(
          { space, reason: reasonOf(error) },
          'a change could not be saved, and was not made',
        );
        const refusal = new BackplaneError('refused', 'the change could not be saved', error);
        for (const one of settle) one(refusal);
        return;
      }
      if (isForgotten) spaces.delete(space);
      else spaces.set(space, { epoch, revision, records, bornAtMs });
    }
    if (isForgotten) leases.forget(space);
    else for (const { kind, id, leaseMs } of draft.leases) leases.set(space, kind, id, leaseMs);
    tell(space, draft);
    for (const one of settle) one();
  }

  function tell(space: string, { epoch, deltas }: SpaceDraft): void {
    const feed = feeds.get(space);
    if (feed === undefined) return;
    for (const delta of deltas) {
      if (feed.apply({ epoch, ...delta }) !== 'applied') feed.replace(fullRead(space));
    }
  }

  async function commit(): Promise<void> {
    while (waiting.length > 0) {
      const batch = new Map<string, Writing>();
      for (const one of waiting) decide(one, batch);
      waiting = [];
      writing = batch;
      await Promise.all([...batch].map(([space, one]) => write(space, one)));
      writing = new Map();
    }
    committing = undefined;
  }

  async function change(space: string, mutations: readonly Mutation[]): Promise<ChangeOutcome> {
    assertOpen();
    assertSpace(space);
    assertMutations(mutations);
    return inTurn(space, (draft) => draft.change(mutations, Math.floor(clock.now()) * 1_000));
  }

  /** Decided after all that was asked before, and told once it is on the disk. */
  function inTurn<Outcome>(
    space: string,
    decideOn: (draft: SpaceDraft) => Outcome,
  ): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const decideOne = (draft: SpaceDraft): (() => void) => {
        const outcome = decideOn(draft);
        return () => resolve(outcome);
      };
      waiting.push({ space, decide: decideOne, reject });
      committing ??= commit();
    });
  }

  async function load(): Promise<void> {
    const now = monotonic();
    for (const { space, saved, damaged } of await loadSpaces(directory)) {
      if (damaged.length > 0) {
        const kept = saved === undefined ? 'nothing' : 'the generation before';
        log.error({ space, damaged, kept }, 'saved state was damaged');
      }
      if (saved === undefined) continue;
      // What was lost with a damaged file makes revisions go backwards.
      const epoch = damaged.length > 0 ? newEpoch() : saved.epoch;
      const records = new SpaceRecords<HeldRecord>(saved.records);
      spaces.set(space, { epoch, revision: saved.revision, records, bornAtMs: now });
      for (const [kind, { id, leaseMs }] of saved.records) leases.set(space, kind, id, leaseMs);
    }
    startedAtMs = now;
    for (const [space, feed] of feeds) feed.replace(fullRead(space));
  }

  return {
    start: load,
    async close() {
      isClosed = true;
      for (const feed of feeds.values()) feed.stop();
      await committing;
    },
    status() {
      const connected = startedAtMs !== undefined && !isClosed;
      return { connected, sinceMs: startedAtMs ?? 0, stalenessMs: 0 };
    },
    onStatus: () => () => {},

    change,
    async renew(space, kind, id, { owner, leaseMs }) {
      assertOpen();
      const stored = spaces.get(space)?.records.get(kind, id);
      const draft = writing.get(space)?.draft;
      // One that is about to go, or to be another's, cannot be kept.
      const record = stored && draft ? draft.records.get(kind, id) : stored;
      if (record === undefined) return 'unknown';
      if (record.owner !== owner) return 'superseded';
      leases.set(space, kind, id, leaseMs);
      return 'renewed';
    },
    async expire(space, kind, { restMs, ...rules }) {
      assertOpen();
      const known = spaces.get(space);
      if (known === undefined || monotonic() - known.bornAtMs < restMs) return [];
      const ended = (): readonly string[] => leases.expired(space, kind);
      if (rules.forget !== true && ended().length === 0) return [];
      return inTurn(space, (draft) => draft.expire(kind, ended(), rules));
    },

    async read(space): Promise<SpaceView> {
      assertOpen();
      assertSpace(space);
      const { epoch, revision } = fullRead(space);
      const records = spaces.get(space)?.records.handOut() ?? (() => new Map());
      return { epoch, revision, continuous: false, records };
    },
    watch(space, listener) {
      assertSpace(space);
      let feed = feeds.get(space);
      if (feed === undefined) {
        feeds.set(space, (feed = new ViewFeed(schedule)));
        if (startedAtMs !== undefined) feed.replace(fullRead(space));
      }
      return feed.add(listener);
    },

    async report(space, id, value, leaseMs) {
      assertOpen();
      assertSpace(space);
      reports.put(space, id, value, leaseMs);
    },
    async reports(space) {
      assertOpen();
      return reports.list(space);
    },
    async takeTurn(name, forMs) {
      assertOpen();
      if (turns.list(name).length > 0) return false;
      turns.put(name, '', null, forMs);
      return true;
    },
    async timeMs() {
      assertOpen();
      return Math.floor(clock.now());
    },
  };
}
