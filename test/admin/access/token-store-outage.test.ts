import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTokenStore } from '../../../src/admin/access/token-store.ts';
import { BackplaneError } from '../../../src/mesh/backplane/backplane-error.ts';
import { scheduleTimer } from '../../../src/mesh/backplane/schedule.ts';
import { CLOCK, SILENT } from '../../contracts/backplane-fixture.ts';
import { createFolder } from '../../gateway/config/config-file.ts';
import { openEmbeddedPair, openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { toUnsteady } from '../unsteady-backplane.ts';
import { follow, make, openStore, principalOf, SPACE } from './token-store-fixture.ts';

describe('in an outage', () => {
  it('tokens go on to work, revoked ones stay so, and nothing can be made or revoked', async () => {
    const pair = await openEmbeddedPair();
    onTestFinished(() => pair.close());
    const state = toUnsteady(pair.here);
    const store = await openStore(state.port);
    const [kept, gone] = [await make(store), await make(store)];
    await store.revoke(gone.record.id, 'root');
    state.isAway = true;
    expect(principalOf(store, kept.text)).toMatchObject({ name: 'ci' });
    expect(principalOf(store, gone.text)).toBe('unknown');
    expect(store.stalenessMs()).toBe(5_000);
    store.noteUse(kept.record.id);
    expect((await store.lastUses()).has(kept.record.id)).toBe(true);
    await expect(make(store)).rejects.toBeInstanceOf(BackplaneError);
    await expect(store.revoke(kept.record.id, 'root')).rejects.toBeInstanceOf(BackplaneError);
    expect(principalOf(store, kept.text)).toMatchObject({ name: 'ci' });
  });

  it('a node that starts knows them from its disk, the revoked ones too', async () => {
    const pair = await openEmbeddedPair();
    onTestFinished(() => pair.close());
    const dataDir = await createFolder();
    const first = await openStore(pair.here, { dataDir });
    const [kept, gone] = [await make(first), await make(first)];
    await first.revoke(gone.record.id, 'root');
    await first.close();
    const state = toUnsteady(pair.here);
    state.isAway = true;
    const second = await openStore({ ...state.port, watch: () => () => {} }, { dataDir });
    expect(principalOf(second, kept.text)).toMatchObject({ name: 'ci', role: 'operator' });
    expect(principalOf(second, gone.text)).toBe('unknown');
  });

  it('a node that starts while Redis is down knows them, and takes up what changed afterwards', async () => {
    const redis = await RedisProcess.start({ config: ['appendonly yes', 'appendfsync always'] });
    const target = singleTarget(redis.port);
    const [before, other] = [await openRedisBackplane(target), await openRedisBackplane(target)];
    const dataDir = await createFolder();
    const first = await openStore(before, { dataDir });
    const [kept, gone] = [await make(first), await make(first)];
    await first.close();
    await before.close();
    // While the first node is away.
    expect(await (await openStore(other)).revoke(gone.record.id, 'root')).toBe(true);
    await redis.kill();
    const after = await openRedisBackplane(target);
    onTestFinished(async () => {
      await Promise.all([after.close(), other.close()]);
      await redis.stop();
    });
    const second = await openStore(after, { dataDir });
    expect(principalOf(second, kept.text)).toMatchObject({ name: 'ci' });
    expect(second.stalenessMs()).toBeGreaterThan(0);
    const heard = follow(after);
    await redis.start();
    await heard([kept.record.id, false], [gone.record.id, true]);
    expect(principalOf(second, gone.text)).toBe('unknown');
    expect(principalOf(second, kept.text)).toMatchObject({ name: 'ci' });
  });

  it('a node that never was started does not write over what is on its disk', async () => {
    const pair = await openEmbeddedPair();
    onTestFinished(() => pair.close());
    const dataDir = await createFolder();
    const first = await openStore(pair.here, { dataDir });
    await make(first);
    await first.close();
    const before = await readFile(join(dataDir, 'admin-tokens.json'), 'utf8');
    const unstarted = createTokenStore({
      backplane: pair.here,
      dataDir,
      clock: CLOCK,
      log: SILENT,
      schedule: scheduleTimer,
    });
    await unstarted.close();
    expect(await readFile(join(dataDir, 'admin-tokens.json'), 'utf8')).toBe(before);
  });
});

describe('a Redis that was emptied', () => {
  it('is given back the tokens, and the revocations', async () => {
    const redis = await RedisProcess.start();
    const backplane = await openRedisBackplane(singleTarget(redis.port));
    onTestFinished(async () => {
      await backplane.close();
      await redis.stop();
    });
    const dataDir = await createFolder();
    const store = await openStore(backplane, { dataDir });
    const [kept, gone] = [await make(store, 'kept'), await make(store, 'gone')];
    await store.revoke(gone.record.id, 'root');
    const heard = follow(backplane);
    await redis.admin.flushall();
    // Whoever writes next meets the empty store; so does the next poll.
    const third = await make(store, 'third');
    await heard([kept.record.id, false], [gone.record.id, true], [third.record.id, false]);
    const fresh = await openStore(backplane);
    expect([kept, gone, third].map(({ text }) => principalOf(fresh, text))).toEqual([
      expect.objectContaining({ name: 'kept' }),
      'unknown',
      expect.objectContaining({ name: 'third' }),
    ]);
  });

  it('does not get the tokens of another fleet', async () => {
    const pair = await openEmbeddedPair();
    const other = await openEmbeddedPair();
    onTestFinished(async () => {
      await pair.close();
      await other.close();
    });
    const dataDir = await createFolder();
    const first = await openStore(pair.here, { dataDir });
    const mine = await make(first, 'mine');
    await first.close();
    const theirs = await make(await openStore(other.here), 'theirs');

    const moved = await openStore(other.here, { dataDir });
    expect(principalOf(moved, mine.text)).toBe('unknown');
    expect(principalOf(moved, theirs.text)).toMatchObject({ name: 'theirs' });
    expect((await other.here.read(SPACE)).records('doc').has(mine.record.id)).toBe(false);
  });

  it('that is new takes over the tokens of the fleet that moves to it', async () => {
    const [pair, fresh] = [await openEmbeddedPair(), await openEmbeddedPair()];
    onTestFinished(async () => {
      await pair.close();
      await fresh.close();
    });
    const dataDir = await createFolder();
    const first = await openStore(pair.here, { dataDir });
    const mine = await make(first, 'mine');
    await first.close();
    await openStore(fresh.here, { dataDir });
    await follow(fresh.here)([mine.record.id, false]);
    await rm(dataDir, { recursive: true });
    expect(principalOf(await openStore(fresh.here), mine.text)).toMatchObject({ name: 'mine' });
  });
});
