/** The backplane of one machine: in this process, and on the disk before a change is acknowledged. */
import { randomBytes } from 'node:crypto';
import type { Clock, Log } from '../../../plugins/sdk/plugin-context.ts';
import { applyMutations, type HeldRecord, type LeaseChange } from '../apply-mutations.ts';
import { BackplaneError, reasonOf } from '../backplane-error.ts';
import type { Backplane, ChangeOutcome, Mutation, RecordKind, SpaceView } from '../backplane.ts';
import type { Change, FullRead } from '../delta.ts';
import { assertMutations, assertSpace } from '../names.ts';
import { scheduleTimer, type Schedule } from '../schedule.ts';
import { SpaceRecords } from '../space-records.ts';
import { ViewFeed } from '../view-feed.ts';
import { Leases } from './leases.ts';
import { Notes } from './notes.ts';
import { loadSpaces, removeSpace, saveSpace } from './space-file.ts';

export interface EmbeddedBackplaneOptions {
  /** Of this process alone; made with mode 0700. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
}

interface Space {
  readonly epoch: string;
  readonly revision: number;
  readonly records: SpaceRecords<HeldRecord>;
  /** Monotonic: nothing expires for a while after it. */
  readonly bornAtMs: number;
}

interface Waiting {
  readonly space: string;
  readonly mutations: readonly Mutation[];
  /** Where nothing is left after it. */
  readonly forget: boolean;
  readonly resolve: (outcome: ChangeOutcome) => void;
  readonly reject: (error: BackplaneError) => void;
}

/** What a batch makes of one space. */
interface Draft {
  readonly epoch: string;
  revision: number;
  readonly records: SpaceRecords<HeldRecord>;
  readonly bornAtMs: number;
  readonly deltas: { readonly revision: number; readonly changes: readonly Change[] }[];
  readonly leases: LeaseChange[];
  forget: boolean;
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

  function draftOf(space: string, drafts: Map<string, Draft>): Draft {
    let draft = drafts.get(space);
    if (draft === undefined) {
      const known = spaces.get(space);
      draft = {
        epoch: known?.epoch ?? newEpoch(),
        revision: known?.revision ?? 0,
        records: known?.records.fork() ?? new SpaceRecords(),
        bornAtMs: known?.bornAtMs ?? monotonic(),
        deltas: [],
        leases: [],
        forget: false,
        settle: [],
      };
      drafts.set(space, draft);
    }
    return draft;
  }

  function decide(
    { space, mutations, forget, resolve, reject }: Waiting,
    drafts: Map<string, Draft>,
  ): void {
    const draft = draftOf(space, drafts);
    draft.forget ||= forget;
    const verdict = applyMutations(draft.records, mutations, Math.floor(clock.now()) * 1_000);
    let outcome: ChangeOutcome = verdict as ChangeOutcome & { applied: false };
    if (verdict.applied) {
      const { generations, changes } = verdict;
      draft.leases.push(...verdict.leases);
      if (changes.length > 0) draft.deltas.push({ revision: ++draft.revision, changes });
      outcome = { applied: true, epoch: draft.epoch, revision: draft.revision, generations };
    }
    draft.settle.push((error) => (error === undefined ? resolve(outcome) : reject(error)));
  }

  async function write(space: string, draft: Draft): Promise<void> {
    const { epoch, revision, records, bornAtMs, deltas } = draft;
    const isForgotten = draft.forget && records.isEmpty;
    if (deltas.length > 0 || isForgotten) {
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
        for (const settle of draft.settle) settle(refusal);
        return;
      }
      if (isForgotten) spaces.delete(space);
      else spaces.set(space, { epoch, revision, records, bornAtMs });
    }
    if (isForgotten) leases.forget(space);
    else for (const { kind, id, leaseMs } of draft.leases) leases.set(space, kind, id, leaseMs);
    tell(space, draft);
    for (const settle of draft.settle) settle();
  }

  function tell(space: string, { epoch, deltas }: Draft): void {
    const feed = feeds.get(space);
    if (feed === undefined) return;
    for (const delta of deltas) {
      if (feed.apply({ epoch, ...delta }) !== 'applied') feed.replace(fullRead(space));
    }
  }

  async function commit(): Promise<void> {
    while (waiting.length > 0) {
      const drafts = new Map<string, Draft>();
      const batch = waiting;
      waiting = [];
      for (const one of batch) decide(one, drafts);
      await Promise.all([...drafts].map(([space, draft]) => write(space, draft)));
    }
    committing = undefined;
  }

  async function change(space: string, mutations: readonly Mutation[]): Promise<ChangeOutcome> {
    assertOpen();
    assertSpace(space);
    assertMutations(mutations);
    return queue(space, mutations, false);
  }

  function queue(
    space: string,
    mutations: readonly Mutation[],
    forget: boolean,
  ): Promise<ChangeOutcome> {
    return new Promise((resolve, reject) => {
      waiting.push({ space, mutations, forget, resolve, reject });
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
      const record = spaces.get(space)?.records.get(kind, id);
      if (record === undefined) return 'unknown';
      if (record.owner !== owner) return 'superseded';
      leases.set(space, kind, id, leaseMs);
      return 'renewed';
    },
    async expire(space, kind, { maxShare, restMs, forget = false }) {
      assertOpen();
      const known = spaces.get(space);
      if (known === undefined || monotonic() - known.bornAtMs < restMs) return [];
      const total = known.records.handOut()(kind).size;
      const ids = leases.expired(space, kind).slice(0, Math.max(1, Math.floor(total * maxShare)));
      const mutations: Mutation[] = [];
      for (const id of ids) {
        const record = known.records.get(kind, id);
        if (record === undefined) leases.set(space, kind, id, undefined);
        else mutations.push(toRemoval(kind, record));
      }
      if (mutations.length === 0 && !forget) return [];
      const { applied } = await queue(space, mutations, forget);
      return applied ? mutations.map((mutation) => mutation.id) : [];
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

function toRemoval(kind: RecordKind, { id, generation }: HeldRecord): Mutation {
  return { type: 'remove', kind, id, when: { generation } };
}
