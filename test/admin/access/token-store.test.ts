import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTokenStore } from '../../../src/admin/access/token-store.ts';
import { scheduleTimer } from '../../../src/mesh/backplane/schedule.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { createFolder } from '../../gateway/config/config-file.ts';
import { EACH_BACKPLANE, usePair } from '../../redis/each-backplane.ts';
import { openEmbeddedPair } from '../../redis/open-backplane.ts';
import { follow, make, openStore, principalOf, SPACE } from './token-store-fixture.ts';

const DAY = 24 * 3_600_000;

describe.each(EACH_BACKPLANE)('tokens on %s', (_, open) => {
  const pair = usePair(open);

  it('are valid on every node, with their role and scope', async () => {
    const [here, there] = [await openStore(pair.here), await openStore(pair.there)];
    const heard = follow(pair.there);
    const { record, text } = await make(here);
    await heard([record.id, false]);
    for (const store of [here, there]) {
      expect(principalOf(store, text)).toEqual({
        name: 'ci',
        role: 'operator',
        scope: { services: { prefixes: ['shop-'] } },
        tokenId: record.id,
      });
      expect(store.list().map(({ id }) => id)).toContain(record.id);
    }
    expect(principalOf(there, `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`)).toBe(
      'unknown',
    );
  });

  it('are known to a node that comes later, before it serves', async () => {
    const { text } = await make(await openStore(pair.here));
    expect(principalOf(await openStore(pair.there), text)).toMatchObject({ name: 'ci' });
  });

  it('are revoked on every node', async () => {
    const [here, there] = [await openStore(pair.here), await openStore(pair.there)];
    const [heardHere, heardThere] = [follow(pair.here), follow(pair.there)];
    const { record, text } = await make(here);
    await heardThere([record.id, false]);
    expect(await there.revoke(record.id, 'root')).toBe(true);
    expect(principalOf(there, text)).toBe('unknown');
    await heardHere([record.id, true]);
    expect(principalOf(here, text)).toBe('unknown');
    expect([here.find(record.id), there.find(record.id)]).toEqual([undefined, undefined]);
    expect(await here.revoke(record.id, 'root')).toBe(false);
  });

  it('are revoked once, however many ask', async () => {
    const [here, there] = [await openStore(pair.here), await openStore(pair.there)];
    const { record } = await make(here);
    const outcomes = await Promise.all(
      [here, there, here, there].map((store) => store.revoke(record.id, 'root')),
    );
    expect(outcomes.filter(Boolean).length).toBe(1);
  });

  it('keep neither text nor digest where it is not needed', async () => {
    const dataDir = await createFolder();
    const store = await openStore(pair.here, { dataDir });
    const { record, text } = await make(store);
    const stored = JSON.stringify([...(await pair.here.read(SPACE)).records('doc').values()]);
    expect([stored.includes(text), stored.includes(record.digest!)]).toEqual([false, true]);
    await store.revoke(record.id, 'root');
    await store.close();
    const after = JSON.stringify([...(await pair.here.read(SPACE)).records('doc').values()]);
    const file = join(dataDir, 'admin-tokens.json');
    const kept = await readFile(file, 'utf8');
    expect([after.includes(record.digest!), kept.includes(record.digest!)]).toEqual([false, false]);
    expect(kept).toContain(record.id);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('tell every node when they were last used', async () => {
    const [here, there] = [await openStore(pair.here), await openStore(pair.there)];
    const heard = follow(pair.there);
    const { record } = await make(here);
    await heard([record.id, false]);
    expect((await there.lastUses()).get(record.id)).toBeUndefined();
    const before = Date.now();
    here.noteUse(record.id);
    // In order on one connection.
    await here.lastUses();
    expect((await there.lastUses()).get(record.id)).toBeGreaterThanOrEqual(before);
  });

  it('that are made at once on two nodes are all there', async () => {
    const [here, there] = [await openStore(pair.here), await openStore(pair.there)];
    const made = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((i) => make(i % 2 ? here : there, `t${i}`)),
    );
    const late = await openStore(pair.here);
    for (const { text } of made)
      expect(principalOf(late, text)).toMatchObject({ role: 'operator' });
  });
});

describe('the last use of a token', () => {
  it('is told at most once a minute', async () => {
    const pair = await openEmbeddedPair();
    onTestFinished(() => pair.close());
    let monotonic = 0;
    const told: unknown[] = [];
    const store = createTokenStore({
      backplane: {
        ...pair.here,
        report: async (...args) => void told.push(args.slice(0, 2)),
      },
      dataDir: await createFolder(),
      clock: { now: Date.now, monotonic: () => monotonic },
      log: SILENT,
      schedule: scheduleTimer,
    });
    await store.start();
    onTestFinished(() => store.close());
    for (monotonic = 0; monotonic <= 120_000; monotonic += 1_000) store.noteUse('a');
    store.noteUse('b');
    expect(told).toEqual([
      [SPACE, 'a'],
      [SPACE, 'a'],
      [SPACE, 'a'],
      [SPACE, 'b'],
    ]);
  });

  it('outlives a restart', async () => {
    const pair = await openEmbeddedPair();
    onTestFinished(() => pair.close());
    const dataDir = await createFolder();
    const first = await openStore(pair.here, { dataDir });
    const { record } = await make(first);
    first.noteUse(record.id);
    await first.close();
    const second = await openStore({ ...pair.here, reports: async () => [] }, { dataDir });
    expect((await second.lastUses()).get(record.id)).toBeGreaterThan(0);
  });
});

describe('a token that expires', () => {
  it('is refused from then on, shown for a week, and then forgotten', async () => {
    const pair = await openEmbeddedPair();
    onTestFinished(() => pair.close());
    const start = Date.now();
    let nowMs = start;
    const store = await openStore(pair.here, { now: () => nowMs });
    const { record, text } = await make(store, 'short', start + 60_000);
    nowMs = start + 59_999;
    expect(principalOf(store, text)).toMatchObject({ name: 'short' });
    nowMs = start + 60_000;
    expect(principalOf(store, text)).toBe('expired');
    nowMs = start + 6 * DAY;
    expect(store.list().map(({ id }) => id)).toEqual([record.id]);
    nowMs = start + 8 * DAY;
    expect(store.list()).toEqual([]);
    // The next one that is made clears it away.
    await make(store);
    expect((await pair.here.read(SPACE)).records('doc').has(record.id)).toBe(false);
  });
});

describe('too many tokens', () => {
  it('are refused with 409', async () => {
    const pair = await openEmbeddedPair();
    onTestFinished(() => pair.close());
    const { record } = await make(await openStore(pair.here));
    const { value } = (await pair.here.read(SPACE)).records('doc').get(record.id)!;
    await pair.here.change(
      SPACE,
      Array.from({ length: 999 }, (_, i) => ({
        type: 'put' as const,
        kind: 'doc' as const,
        id: i.toString(16).padStart(16, '0'),
        value,
      })),
    );
    const store = await openStore(pair.here);
    await expect(make(store)).rejects.toMatchObject({ status: 409, code: 'too_many_tokens' });
    await store.revoke(record.id, 'root');
    await make(store);
  });
});
