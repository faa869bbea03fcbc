/** A Redis that dies, hangs or forgets: nobody notices at the endpoints, and all comes back by itself. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  SPACE,
  startNodes,
  untilConnected,
  untilStored,
  type MeshNodes,
} from '../../redis/mesh-nodes.ts';
import { singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { until } from '../../redis/redis-sentinel.ts';

const IDS = ['a', 'b', 'c'];

let redis: RedisProcess;
let nodes: MeshNodes;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshgate-outage-'));
  redis = await RedisProcess.start();
  nodes = await startNodes(singleTarget(redis.port), IDS, directory);
  await nodes.untilTold((ids) => ids.length === IDS.length);
});

afterEach(async () => {
  await nodes.close();
  await redis.stop();
  // The last list may just be written.
  await rm(directory, { recursive: true, maxRetries: 10 });
});

/** Discovery told nothing new: the list of before stands. */
function expectUndisturbed(): void {
  expect(nodes.told).toEqual([IDS]);
}

/** The feed works: a new instance is seen. */
async function expectRecovered(): Promise<void> {
  await nodes.register('new');
  await nodes.untilTold((ids) => ids.includes('new'));
  for (const ids of nodes.told) expect(ids).toEqual(expect.arrayContaining(IDS));
}

describe('Redis that goes away', () => {
  it('is missed by no endpoint when killed, and has all registrations again when it is back', async () => {
    await redis.kill('SIGKILL');
    await Promise.all([untilConnected(nodes.caller, false), untilConnected(nodes.provider, false)]);
    await until(async () => nodes.caller.status().stalenessMs > 500);
    const asked = performance.now();
    await expect(nodes.caller.read(SPACE)).rejects.toMatchObject({
      code: 'away',
      message: `connect ECONNREFUSED 127.0.0.1:${redis.port}`,
    });
    await expect(nodes.caller.client.get('x')).rejects.toThrow(/writeable/);
    // Nothing queues: whoever counts on Redis on the way of a request knows at once.
    expect(performance.now() - asked).toBeLessThan(20);
    expectUndisturbed();
    await redis.start();
    const back = performance.now();
    await untilStored(nodes, IDS);
    expect(performance.now() - back).toBeLessThan(5_000);
    await untilConnected(nodes.caller);
    expect(nodes.caller.status().stalenessMs).toBe(0);
    await expectRecovered();
  });

  it('is given up when it hangs with its connections open, and taken up again', async () => {
    redis.freeze();
    const asked = performance.now();
    await expect(
      nodes.provider.change(SPACE, [{ type: 'remove', kind: 'inst', id: 'x' }]),
    ).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(performance.now() - asked).toBeLessThan(2_500);
    await untilConnected(nodes.caller, false);
    expectUndisturbed();
    redis.thaw();
    const back = performance.now();
    await untilConnected(nodes.caller);
    await expectRecovered();
    expect(performance.now() - back).toBeLessThan(5_000);
  });

  it('holds nobody up while its clients are paused', async () => {
    await redis.admin.call('CLIENT', 'PAUSE', 3_000, 'ALL');
    const reads = Array.from({ length: 5 }, () =>
      nodes.caller.read(SPACE).then(
        () => 'answered',
        (error: { code: string }) => error.code,
      ),
    );
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['unavailable']));
    expectUndisturbed();
    await untilConnected(nodes.caller);
    await expectRecovered();
  });

  it('heals when it is emptied, and discovery never shrinks meanwhile', async () => {
    const before = nodes.registrations.map(({ generation }) => generation!);
    await redis.admin.flushall();
    await untilStored(nodes, IDS);
    await until(async () =>
      nodes.registrations.every(({ generation }, index) => generation! > before[index]!),
    );
    expect(await nodes.registry.services()).toEqual(['orders']);
    await expectRecovered();
  });

  it('loses its scripts and nobody notices', async () => {
    await redis.admin.script('FLUSH');
    await expectRecovered();
    const renewal = nodes.registrations[0]!;
    await redis.admin.script('FLUSH');
    expect(await renewal.drain()).toBe(true);
    await nodes.untilTold((_, specs) => specs.some(({ draining }) => draining === true));
  });

  it('refuses writes as a replica, and takes them when it is a master again', async () => {
    await redis.admin.call('REPLICAOF', '127.0.0.1', '1');
    const put = { type: 'put', kind: 'doc', id: 'x', value: 1 } as const;
    await expect(nodes.provider.change(SPACE, [put])).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('READONLY') as string,
    });
    await redis.admin.call('REPLICAOF', 'NO', 'ONE');
    await untilConnected(nodes.provider);
    await expectRecovered();
  });

  it('keeps leases alive while it is out of memory, and refuses the rest whole', async () => {
    await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.admin.config('SET', 'maxmemory', '1');
    const before = await nodes.caller.read(SPACE);
    const oom = { code: 'refused', message: expect.stringContaining('OOM') as string };
    const put = { type: 'put', kind: 'doc', id: 'x', value: 1 } as const;
    await expect(nodes.provider.change(SPACE, [put])).rejects.toMatchObject(oom);
    const rules = { maxShare: 1, restMs: 0 };
    await expect(nodes.provider.expire(SPACE, 'inst', rules)).rejects.toMatchObject(oom);
    const scores = async (): Promise<number> =>
      Number(await redis.admin.zscore('meshgate:{svc:orders}:hb', 'a'));
    const score = await scores();
    await until(async () => (await scores()) > score);
    expect((await nodes.caller.read(SPACE)).revision).toBe(before.revision);
    await redis.admin.config('SET', 'maxmemory', '0');
    await expectRecovered();
  });

  it('starts a node from the disk while it is down', async () => {
    await until(async () => existsSync(join(directory, 'orders.json')));
    await redis.kill();
    const restarted = await startNodes(singleTarget(redis.port), [], directory);
    await restarted.untilTold((ids) => ids.join() === IDS.join());
    expect(restarted.source.status()).toMatchObject({ origin: 'disk' });
    expect(restarted.caller.status().connected).toBe(false);
    await redis.start();
    await nodes.register('new');
    await restarted.untilTold((ids) => ids.join() === 'a,b,c,new');
    expect(restarted.source.status()).toMatchObject({ origin: 'backplane' });
    await restarted.close();
  });
});
