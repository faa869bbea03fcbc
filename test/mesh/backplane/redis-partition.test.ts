/** A node that is cut off from Redis without being told: no FIN, no RST, only silence. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SPACE, startNodes, untilConnected, type MeshNodes } from '../../redis/mesh-nodes.ts';
import { openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { until } from '../../redis/redis-sentinel.ts';
import { startTcpProxy, type TcpProxy } from '../../redis/tcp-proxy.ts';

const IDS = ['a', 'b', 'c'];

let redis: RedisProcess;
let proxy: TcpProxy;
let nodes: MeshNodes;

beforeEach(async () => {
  redis = await RedisProcess.start();
  proxy = await startTcpProxy(redis.port);
  nodes = await startNodes(singleTarget(proxy.port), IDS);
  await nodes.untilTold((ids) => ids.length === IDS.length);
});

afterEach(async () => {
  await nodes.close();
  await proxy.close();
  await redis.stop();
});

describe('a partition', () => {
  it('that leaves dead connections open is noticed, and they are made anew', async () => {
    proxy.cutStanding();
    const cut = performance.now();
    await Promise.all([untilConnected(nodes.caller, false), untilConnected(nodes.provider, false)]);
    await Promise.all([untilConnected(nodes.caller), untilConnected(nodes.provider)]);
    expect(performance.now() - cut).toBeLessThan(6_000);
    // The connection of the feed was as dead, and nothing but its own silence told of it.
    await until(
      async () => Number((await redis.admin.pubsub('NUMSUB', `meshgate:{${SPACE}}:feed`))[1]) === 1,
    );
    await nodes.register('new');
    await nodes.untilTold((ids) => ids.join() === 'a,b,c,new');
  });

  it('leaves the last list in force, and what changed meanwhile is there after it', async () => {
    const beyond = await openRedisBackplane(singleTarget(redis.port));
    proxy.cutAll();
    await untilConnected(nodes.caller, false);
    const value = { host: '127.0.0.1', port: 1 };
    await beyond.change(SPACE, [{ type: 'put', kind: 'inst', id: 'beyond', value }]);
    await until(async () => nodes.caller.status().stalenessMs > 2_000);
    expect(nodes.told).toEqual([IDS]);
    proxy.mend();
    const mended = performance.now();
    await nodes.untilTold((ids) => ids.join() === 'a,b,beyond,c');
    expect(performance.now() - mended).toBeLessThan(5_000);
    expect(nodes.registrations.map(({ state }) => state)).toEqual(Array(3).fill('registered'));
    await beyond.close();
  });
});
