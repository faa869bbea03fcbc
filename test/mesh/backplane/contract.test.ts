/** The contract suite on every backplane there is. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedBackplane } from '../../../src/mesh/backplane/embedded/embedded-backplane.ts';
import { describeBackplane } from '../../contracts/backplane.ts';
import { CLOCK, SILENT, type BackplanePair } from '../../contracts/backplane-fixture.ts';
import { openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { startRedisCluster } from '../../redis/redis-cluster.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startSentinelGroup } from '../../redis/redis-sentinel.ts';
import type { RedisTarget } from '../../../src/mesh/backplane/redis/redis-target.ts';

async function pairOn(target: RedisTarget, stop: () => Promise<void>): Promise<BackplanePair> {
  const namespace = `test-${randomUUID().slice(0, 8)}`;
  const [here, there] = await Promise.all([
    openRedisBackplane(target, { namespace }),
    openRedisBackplane(target, { namespace }),
  ]);
  return {
    here,
    there,
    async close() {
      await Promise.all([here.close(), there.close()]);
      await stop();
    },
  };
}

describeBackplane('embedded', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'meshgate-backplane-'));
  const here = createEmbeddedBackplane({ directory, clock: CLOCK, log: SILENT });
  await here.start();
  return {
    here,
    there: here,
    async close() {
      await here.close();
      await rm(directory, { recursive: true });
    },
  };
});

describeBackplane('Redis', async () => {
  const redis = await RedisProcess.start();
  return pairOn(singleTarget(redis.port), () => redis.stop());
});

describeBackplane('Redis by Sentinel', async () => {
  const group = await startSentinelGroup();
  return pairOn(group.target, () => group.stop());
});

describeBackplane('Redis Cluster', async () => {
  const cluster = await startRedisCluster();
  return pairOn(cluster.target, () => cluster.stop());
});
