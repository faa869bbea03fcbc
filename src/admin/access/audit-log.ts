/** The audit log: every entry a line of the log at once, and in the backplane soon after. */
import { randomBytes } from 'node:crypto';
import { BackplaneError, reasonOf } from '../../mesh/backplane/backplane-error.ts';
import type { Backplane } from '../../mesh/backplane/backplane.ts';
import type { Schedule } from '../../mesh/backplane/schedule.ts';
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';
import {
  dayOf,
  pageOf,
  readPage,
  sweepDay,
  writeDay,
  type AuditPage,
  type AuditQuery,
} from './audit-days.ts';
import {
  isRefusal,
  timeOf,
  toAuditEntry,
  type AuditEntry,
  type AuditEvent,
} from './audit-entry.ts';

export interface AuditLog {
  start(): void;
  /** Writes what waits, as far as the backplane takes it. */
  stop(): Promise<void>;
  /** Waits for nothing. */
  record(event: AuditEvent): void;
  /** In an outage: what this node recorded itself. */
  page(query: AuditQuery): Promise<AuditPage & { readonly stalenessMs: number }>;
  /** Entries that this node could not keep in the backplane since it was started. */
  readonly dropped: number;
}

export interface AuditLogOptions {
  readonly backplane: Backplane;
  /** Of this node. */
  readonly node: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly schedule: Schedule;
}

/** What comes within it is written together. */
const GATHER_MS = 200;
/** From one write, or attempt, to the next: the embedded backplane writes a whole day anew. */
const REST_MS = 1_000;
const MAX_PENDING = 1_000;
/** Strangers that are refused must not fill the backplane: a second's worth. */
const MAX_PENDING_STRANGERS = 50;
/** Of this node's own, shown in an outage. */
const MAX_RECENT = 1_000;
const SWEEP_EVERY_MS = 3_600_000;
/** And after so many entries of this node. */
const SWEEP_EVERY_ENTRIES = 200;

export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { backplane, node, clock, log, schedule } = options;
  const nonce = randomBytes(4).toString('hex');
  let sequence = 0;
  let dropped = 0;
  let isDropping = false;
  let pending: AuditEntry[] = [];
  let recent: AuditEntry[] = [];
  let writing: Promise<void> | undefined;
  let wroteAtMs = -Infinity;
  let unswept = 0;
  let isStopped = false;
  let callOffWrite: (() => void) | undefined;
  let callOffSweep = (): void => {};

  function drop(entry: AuditEntry | undefined): void {
    if (entry === undefined) return;
    pending = pending.filter((one) => one !== entry);
    dropped += 1;
    if (isDropping) return;
    isDropping = true;
    log.warn({}, 'audit entries are dropped: from now on some are in this log alone');
  }

  function enqueue(entry: AuditEntry): void {
    pending.push(entry);
    recent.push(entry);
    if (recent.length >= 2 * MAX_RECENT) recent = recent.slice(-MAX_RECENT);
    if (entry.author === null && countStrangers() > MAX_PENDING_STRANGERS) drop(entry);
    else if (pending.length > MAX_PENDING) {
      drop(pending.find(({ id }) => isRefusal(id)) ?? pending[0]);
    }
  }

  function countStrangers(): number {
    return pending.filter(({ author }) => author === null).length;
  }

  function writeSoon(): void {
    if (isStopped || callOffWrite !== undefined) return;
    const delayMs = Math.max(GATHER_MS, wroteAtMs + REST_MS - clock.monotonic());
    callOffWrite = schedule(delayMs, () => {
      writing = write();
    });
  }

  async function write(): Promise<void> {
    wroteAtMs = clock.monotonic();
    const entries = pending;
    try {
      const days = Map.groupBy(entries, ({ id }) => dayOf(timeOf(id)));
      for (const [day, ofDay] of days) await writeDay(backplane, day, ofDay);
      const done = new Set(entries);
      pending = pending.filter((entry) => !done.has(entry));
      isDropping = false;
      unswept += entries.length;
      if (unswept >= SWEEP_EVERY_ENTRIES) await sweep();
    } catch (error) {
      if (!(error instanceof BackplaneError)) throw error;
      log.debug({ reason: reasonOf(error) }, 'audit entries wait for the backplane');
    } finally {
      writing = undefined;
      callOffWrite = undefined;
      if (pending.length > 0) writeSoon();
    }
  }

  async function sweep(): Promise<void> {
    unswept = 0;
    await sweepDay(backplane, dayOf(clock.now()));
  }

  async function sweepNowAndThen(): Promise<void> {
    // In an outage the next time will do.
    await sweep().catch((error: unknown) => {
      log.debug({ reason: reasonOf(error) }, 'the audit log could not be swept');
    });
    if (!isStopped) callOffSweep = schedule(SWEEP_EVERY_MS, () => void sweepNowAndThen());
  }

  return {
    start: () => void sweepNowAndThen(),
    async stop() {
      isStopped = true;
      callOffSweep();
      callOffWrite?.();
      await writing;
      if (pending.length > 0) await write();
    },
    record(event) {
      const entry = toAuditEntry(event, { atMs: clock.now(), sequence: sequence++, nonce }, node);
      log.info({ audit: true, ...entry }, 'audit');
      enqueue(entry);
      writeSoon();
    },
    async page(query) {
      try {
        // As it is now: what is written while this reads would else be in neither.
        const page = await readPage(backplane, query, [...pending], clock.now());
        return { ...page, stalenessMs: 0 };
      } catch (error) {
        if (!(error instanceof BackplaneError)) throw error;
        const { stalenessMs } = backplane.status();
        return { ...pageOf(recent, query), stalenessMs: Math.max(1, stalenessMs) };
      }
    },
    get dropped() {
      return dropped;
    },
  };
}
