import { describe, expect, it, onTestFinished } from 'vitest';
import { createBackplane } from '../../../src/gateway/config/create-backplane.ts';
import { CLOCK, SILENT } from '../../contracts/backplane-fixture.ts';
import { startRedisCluster } from '../../redis/redis-cluster.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startSentinelGroup } from '../../redis/redis-sentinel.ts';
import { acceptText } from './config-file.ts';

async function connects(backplane: object): Promise<boolean> {
  const { config } = await acceptText(JSON.stringify({ meshgate: 1, backplane }));
  const made = createBackplane(config, { clock: CLOCK, log: SILENT, random: Math.random });
  await made.backplane.start();
  onTestFinished(() => made.backplane.close());
  return made.backplane.status().connected;
}

describe('the backplane of a configuration', () => {
  it('is embedded, in the data directory, where none is given', async () => {
    const { config } = await acceptText('meshgate: 1\n');
    const made = createBackplane(config, { clock: CLOCK, log: SILENT, random: Math.random });
    expect([made.redis, made.destination]).toEqual([undefined, undefined]);
    await made.backplane.start();
    expect(made.backplane.status().connected).toBe(true);
    await made.backplane.close();
  });

  it('is one Redis, with the user of its URL or its own', async () => {
    const acl = 'user mesh on >sesame ~* &* +@all';
    const redis = await RedisProcess.start({ config: [acl] });
    onTestFinished(() => redis.stop());
    const address = `127.0.0.1:${redis.port}`;
    expect(await connects({ redis: `redis://${address}` })).toBe(true);
    expect(await connects({ redis: `redis://mesh:sesame@${address}` })).toBe(true);
    expect(await connects({ redis: `redis://mesh:wrong@${address}` })).toBe(false);
    const url = `redis://${address}`;
    expect(await connects({ redis: { url, username: 'mesh', password: 'sesame' } })).toBe(true);
    expect(await connects({ redis: { url, username: 'mesh', password: 'wrong' } })).toBe(false);
  });

  it('is found through Sentinels', async () => {
    const group = await startSentinelGroup();
    onTestFinished(() => group.stop());
    const { topology } = group.target;
    if (topology.type !== 'sentinel') throw new Error('no Sentinels');
    const sentinels = topology.sentinels.map(({ host, port }) => `${host}:${port}`);
    const options = { redis: { sentinels, name: topology.name } };
    await expect.poll(() => connects(options), { timeout: 15_000 }).toBe(true);
  });

  it('is a cluster', async () => {
    const running = await startRedisCluster();
    onTestFinished(() => running.stop());
    const { topology } = running.target;
    if (topology.type !== 'cluster') throw new Error('no cluster');
    const cluster = topology.nodes.map(({ host, port }) => `${host}:${port}`);
    // One that has just come up may take more than one attempt.
    await expect.poll(() => connects({ redis: { cluster } }), { timeout: 15_000 }).toBe(true);
  });
});
