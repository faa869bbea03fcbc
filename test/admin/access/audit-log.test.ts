import { describe, expect, it, onTestFinished } from 'vitest';
import {
  AUDIT_DAYS,
  dayOf,
  readPage,
  sweepDay,
  toSweep,
  writeDay,
} from '../../../src/admin/access/audit-days.ts';
import {
  toAuditEntry,
  type AuditEntry,
  type AuditEvent,
} from '../../../src/admin/access/audit-entry.ts';
import { createAuditLog, type AuditLog } from '../../../src/admin/access/audit-log.ts';
import { LOCAL_ADMIN } from '../../../src/admin/access/principal.ts';
import { BackplaneError } from '../../../src/mesh/backplane/backplane-error.ts';
import type { Backplane, Mutation } from '../../../src/mesh/backplane/backplane.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { ManualTime } from '../../mesh/backplane/manual-time.ts';
import { EACH_BACKPLANE, usePair } from '../../redis/each-backplane.ts';
import { openEmbeddedPair } from '../../redis/open-backplane.ts';

const DAY = 24 * 3_600_000;
const NOON = dayOf(Date.UTC(2026, 0, 31)) * DAY + DAY / 2;
const ALL = { fits: () => true, limit: 1_000 };

function event(path: string, more: Partial<AuditEvent> = {}): AuditEvent {
  return {
    principal: LOCAL_ADMIN,
    source: '127.0.0.1',
    method: 'PUT',
    path,
    outcome: 'done',
    status: 200,
    requestId: 'r',
    ...more,
  };
}

let sequence = 0;
function entry(path: string, atMs: number, more: Partial<AuditEvent> = {}): AuditEntry {
  return toAuditEntry(event(path, more), { atMs, sequence: sequence++, nonce: 'abcdef01' }, 'n1');
}

const pathsOf = (entries: readonly AuditEntry[]): string[] => entries.map(({ path }) => path);

describe.each(EACH_BACKPLANE)('the audit log on %s', (_, open) => {
  const pair = usePair(open);

  it('is read newest first on another node, over days and pages', async () => {
    const entries = [0, 1, 2, 3, 4, 5, 6].map((i) => entry(`/${i}`, NOON - (6 - i) * DAY * 0.75));
    for (const one of entries) await writeDay(pair.here, dayOf(Date.parse(one.at)), [one]);
    const read: string[][] = [];
    let before: string | undefined;
    do {
      const page = await readPage(pair.there, { ...ALL, before, limit: 3 }, [], NOON);
      read.push(pathsOf(page.entries));
      before = page.next;
    } while (before !== undefined);
    expect(read).toEqual([['/6', '/5', '/4'], ['/3', '/2', '/1'], ['/0']]);
    const page = await readPage(pair.there, ALL, [], NOON);
    expect(page.entries).toEqual(entries.toReversed());
  });

  it('is read from and until a time', async () => {
    const start = NOON + 20 * DAY;
    for (let i = 0; i < 4; i++) {
      await writeDay(pair.here, dayOf(start + i * DAY), [entry(`/d${i}`, start + i * DAY)]);
    }
    const read = async (sinceMs?: number, untilMs?: number): Promise<string[]> =>
      pathsOf(
        (await readPage(pair.there, { ...ALL, sinceMs, untilMs }, [], start + 4 * DAY)).entries,
      ).filter((path) => path.startsWith('/d'));
    expect(await read(start + DAY, start + 3 * DAY)).toEqual(['/d2', '/d1']);
    expect(await read(start + 3 * DAY)).toEqual(['/d3']);
    expect(await read(undefined, start)).toEqual([]);
  });

  it('forgets what is older than 90 days, and takes its place', async () => {
    const start = NOON + 200 * DAY;
    await writeDay(pair.here, dayOf(start), [entry('/old', start)]);
    const later = start + (AUDIT_DAYS + 2) * DAY;
    const read = async (nowMs: number): Promise<string[]> =>
      pathsOf((await readPage(pair.there, ALL, [], nowMs)).entries);
    expect(await read(start + AUDIT_DAYS * DAY)).toEqual(['/old']);
    expect(await read(start + (AUDIT_DAYS + 1) * DAY)).toEqual([]);
    await writeDay(pair.here, dayOf(later), [entry('/new', later)]);
    expect(await read(later)).toEqual(['/new']);
    await sweepDay(pair.there, dayOf(later));
    expect(await read(start + AUDIT_DAYS * DAY)).toEqual([]);
    expect(await read(later)).toEqual(['/new']);
  });
});

describe('what is swept from a day', () => {
  const day = dayOf(NOON);
  const ids = (count: number, more: Partial<AuditEvent> = {}): string[] =>
    Array.from({ length: count }, (_, i) => entry(`/${i}`, NOON + i, more).id);

  it('is nothing while there is room', () => {
    expect(toSweep(ids(10), day, 10)).toEqual([]);
  });

  it('is what was there a turn of the ring ago, and nothing of a node whose clock is ahead', () => {
    const [old, ahead] = [entry('/', NOON - 92 * DAY).id, entry('/', NOON + DAY).id];
    expect(toSweep([old, ...ids(3), ahead, 'what is this'], day, 10)).toEqual([
      old,
      'what is this',
    ]);
  });

  it('is the oldest refusals first: nobody pushes out what was done by being refused', () => {
    const done = ids(4);
    const refused = ids(4, { outcome: 'refused' });
    expect(toSweep([...refused, ...done], day, 6)).toEqual(refused.slice(0, 2));
    expect(toSweep([...refused, ...done], day, 3)).toEqual([...refused, done[0]]);
  });
});

interface Scene {
  readonly audit: AuditLog;
  readonly time: ManualTime;
  readonly lines: object[];
  readonly warnings: string[];
  /** Sizes of the changes that were written. */
  readonly changes: readonly Mutation[][];
  isAway: boolean;
  /** Lets a write that is due come to its end. */
  readonly pass: (ms: number) => Promise<void>;
  readonly paths: () => Promise<string[]>;
}

async function openAudit(): Promise<Scene> {
  const pair = await openEmbeddedPair();
  const time = new ManualTime();
  const changes: Mutation[][] = [];
  const lines: object[] = [];
  const warnings: string[] = [];
  const check = (): void => {
    if (scene.isAway) throw new BackplaneError('unavailable', 'no answer');
  };
  const backplane: Backplane = {
    ...pair.here,
    async change(space, mutations) {
      check();
      changes.push([...mutations]);
      return pair.here.change(space, mutations);
    },
    async read(space) {
      check();
      return pair.here.read(space);
    },
    status: () => ({ connected: !scene.isAway, sinceMs: 0, stalenessMs: scene.isAway ? 7_000 : 0 }),
  };
  const audit = createAuditLog({
    backplane,
    node: 'n1',
    clock: { now: () => NOON + time.monotonic(), monotonic: time.monotonic },
    log: {
      ...SILENT,
      info: (fields) => lines.push(fields),
      warn: (_, message) => warnings.push(message),
    },
    schedule: time.schedule,
  });
  const scene: Scene = {
    audit,
    time,
    lines,
    warnings,
    changes,
    isAway: false,
    async pass(ms) {
      time.advance(ms);
      // Ends when the write that has begun has: it is in the order of the backplane's changes.
      for (let i = 0; i < 5; i++) await pair.here.change('nothing', [NOTHING]);
      await new Promise((resolve) => setImmediate(resolve));
    },
    paths: async () => pathsOf((await audit.page(ALL)).entries),
  };
  onTestFinished(async () => {
    await audit.stop();
    await pair.close();
  });
  return scene;
}

const NOTHING: Mutation = { type: 'remove', kind: 'doc', id: 'nothing' };

describe('an entry', () => {
  it('is a line of the log at once, and shown at once', async () => {
    const { audit, lines, paths, changes } = await openAudit();
    audit.record(event('/v1/x', { version: 7, location: '/v1/x/1', code: undefined }));
    expect(lines).toEqual([
      expect.objectContaining({
        audit: true,
        author: 'admin-token',
        node: 'n1',
        path: '/v1/x',
        version: 7,
        location: '/v1/x/1',
      }),
    ]);
    expect(await paths()).toEqual(['/v1/x']);
    expect(changes).toEqual([]);
  });

  it('is written together with those that come soon after', async () => {
    const { audit, paths, changes, pass } = await openAudit();
    for (let i = 0; i < 5; i++) audit.record(event(`/${i}`));
    await pass(200);
    expect(changes.map(({ length }) => length)).toEqual([5]);
    audit.record(event('/5'));
    await pass(200);
    expect(changes.length).toBe(1);
    await pass(800);
    expect(changes.map(({ length }) => length)).toEqual([5, 1]);
    expect(await paths()).toEqual(['/5', '/4', '/3', '/2', '/1', '/0']);
  });

  it('is written when the node stops', async () => {
    const { audit, changes } = await openAudit();
    audit.record(event('/last'));
    await audit.stop();
    expect(changes.map(({ length }) => length)).toEqual([1]);
  });
});

describe('in an outage', () => {
  it('entries wait, are shown by their node, and are written after it', async () => {
    const scene = await openAudit();
    const { audit, pass, changes } = scene;
    audit.record(event('/before'));
    await pass(200);
    scene.isAway = true;
    audit.record(event('/meanwhile'));
    await pass(5_000);
    const { entries, stalenessMs } = await audit.page(ALL);
    expect([pathsOf(entries), stalenessMs]).toEqual([['/meanwhile', '/before'], 7_000]);
    scene.isAway = false;
    await pass(1_000);
    expect(changes.length).toBe(2);
    expect(audit.dropped).toBe(0);
    expect(await scene.paths()).toEqual(['/meanwhile', '/before']);
  });

  it('what is too much is dropped, refusals first, and counted; the log has it all', async () => {
    const scene = await openAudit();
    const { audit, pass, lines, warnings } = scene;
    scene.isAway = true;
    for (let i = 0; i < 10; i++) audit.record(event('/refused', { outcome: 'refused' }));
    for (let i = 0; i < 1_005; i++) audit.record(event(`/${i}`));
    expect([audit.dropped, lines.length]).toEqual([15, 1_015]);
    expect(warnings.length).toBe(1);
    scene.isAway = false;
    for (let i = 0; i < 3; i++) await pass(1_000);
    const paths = await scene.paths();
    expect([paths.length, paths[0], paths.at(-1)]).toEqual([1_000, '/1004', '/5']);
  });
});

describe('strangers that are refused', () => {
  it('do not fill the backplane: a second has room for fifty', async () => {
    const { audit, changes, pass, lines } = await openAudit();
    for (let i = 0; i < 500; i++) {
      audit.record(event('/x', { principal: undefined, outcome: 'refused', status: 401 }));
    }
    audit.record(event('/mine'));
    await pass(200);
    expect(changes.map(({ length }) => length)).toEqual([51]);
    expect([audit.dropped, lines.length]).toEqual([450, 501]);
  });
});
