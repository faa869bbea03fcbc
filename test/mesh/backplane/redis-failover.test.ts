/** Failovers that lose acknowledged writes: revisions go backwards, an epoch tells, and nothing stays wrong. */
import { afterEach, describe, expect, it } from 'vitest';
import { idsOf, watchSpace } from '../../contracts/backplane-fixture.ts';
import { SPACE, startNodes, type MeshNodes } from '../../redis/mesh-nodes.ts';
import { openRedisBackplane } from '../../redis/open-backplane.ts';
import { startRedisCluster } from '../../redis/redis-cluster.ts';
import { startSentinelGroup, until } from '../../redis/redis-sentinel.ts';

const IDS = ['a', 'b', 'c'];

let closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing = [];
}, 30_000);

async function start(target: Parameters<typeof startNodes>[0]): Promise<MeshNodes> {
  const nodes = await startNodes(target, IDS);
  closing.push(() => nodes.close());
  await nodes.untilTold((ids) => ids.length === IDS.length);
  return nodes;
}

function expectNeverFewer(nodes: MeshNodes): void {
  for (const ids of nodes.told) expect(ids).toEqual(expect.arrayContaining(IDS));
}

describe('a failover', () => {
  it('by Sentinel that loses writes is followed in a new epoch, and what was lost registers again', async () => {
    const group = await startSentinelGroup();
    closing.push(() => group.stop());
    const nodes = await start(group.target);
    // The replica has this much, and misses what comes.
    await until(async () => (await group.replica.admin.hlen(`meshgate:{${SPACE}}:inst`)) === 3);
    await group.replica.admin.save();
    await group.replica.kill();
    const lost = await nodes.register('lost');
    await nodes.untilTold((ids) => ids.includes('lost'));
    const before = await nodes.caller.read(SPACE);
    await group.master.kill();
    await group.replica.start();
    await until(async () => (await group.replica.admin.role())[0] === 'master');

    // Back by its heartbeats, though the new master has never heard of it.
    await until(async () => idsOf(await nodes.caller.read(SPACE)).includes('lost'));
    // More changes than were lost: by number alone nobody could tell.
    await nodes.register('after');
    const after = await nodes.caller.read(SPACE);
    expect(after.revision).toBeGreaterThan(before.revision);
    expect(after.epoch).not.toBe(before.epoch);
    await nodes.untilTold((ids) => ids.join() === 'a,after,b,c,lost');
    expect(lost.state).toBe('registered');
    expectNeverFewer(nodes);
  }, 40_000);

  it('of a part of a cluster is followed, and its feed goes on', async () => {
    const cluster = await startRedisCluster({ replicas: 3 });
    closing.push(() => cluster.stop());
    const nodes = await start(cluster.target);
    const other = await openRedisBackplane(cluster.target);
    closing.push(() => other.close());
    const watching = watchSpace(other, SPACE);
    await watching.until(() => true);

    const slot = Number(await cluster.masters[0]!.admin.call('CLUSTER', 'KEYSLOT', `{${SPACE}}`));
    const owner = Math.min(2, Math.floor((slot * 3) / 16_384));
    const { epoch } = await nodes.caller.read(SPACE);
    await until(async () => (await cluster.replicas[owner]!.admin.dbsize()) > 0);
    await cluster.masters[owner]!.kill();
    await until(async () => (await cluster.replicas[owner]!.admin.role())[0] === 'master');

    await until(async () => {
      const outcome = await nodes.provider.change(SPACE, [
        { type: 'put', kind: 'doc', id: 'after', value: 1 },
      ]);
      return outcome.applied && outcome.epoch !== epoch;
    });
    await watching.until((view) => view.records('doc').has('after'));
    expect(watching.views.at(-1)!.continuous).toBe(false);
    await nodes.register('after');
    await nodes.untilTold((ids) => ids.includes('after'));
    expectNeverFewer(nodes);
    // Not by a poll, which would take 10 s at least: by the subscription on the new master.
    await until(async () => Number(await subscribers(cluster.replicas[owner]!)) > 0);
    const { revision } = watching.views.at(-1)!;
    const changed = performance.now();
    await nodes.provider.change(SPACE, [{ type: 'put', kind: 'doc', id: 'later', value: 1 }]);
    await watching.until((view) => view.records('doc').has('later'));
    expect(performance.now() - changed).toBeLessThan(5_000);
    expect(watching.views.at(-1)!.revision).toBeGreaterThan(revision);
  }, 40_000);
});

async function subscribers(redis: {
  admin: { call(...args: [string, ...string[]]): Promise<unknown> };
}): Promise<unknown> {
  const reply = await redis.admin.call('PUBSUB', 'SHARDNUMSUB', `meshgate:{${SPACE}}:feed`);
  return (reply as unknown[])[1];
}
