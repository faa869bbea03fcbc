/** The beginning on Redis: told as it ends, not after the time that it is given at most. */
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { scheduleTimer, type Schedule } from '../../../src/mesh/backplane/schedule.ts';
import { createRedisBackplane } from '../../../src/mesh/backplane/redis/redis-backplane.ts';
import { CLOCK, SILENT } from '../../contracts/backplane-fixture.ts';
import { openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { startRedisCluster } from '../../redis/redis-cluster.ts';
import { RedisProcess } from '../../redis/redis-process.ts';

/** Enough to meet what one beginning in ten met: a node that is on its way. */
const BEGINNINGS = 30;

let deadlines: number;

beforeEach(() => {
  deadlines = 0;
});

/** What is due at once or often goes on; the deadline of the first attempt never comes. */
const withoutDeadline: Schedule = (delayMs, run) => {
  if (delayMs !== 2_000) return scheduleTimer(delayMs, run);
  deadlines++;
  return () => {};
};

describe('a node that starts on a cluster', () => {
  it('is connected when that is over, each time', async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    for (let beginning = 0; beginning < BEGINNINGS; beginning += 1) {
      const backplane = await openRedisBackplane(cluster.target, { schedule: withoutDeadline });
      expect(backplane.status().connected).toBe(true);
      await expect(backplane.read('topic')).resolves.toMatchObject({ revision: 0 });
      await backplane.close();
    }
    expect(deadlines).toBe(BEGINNINGS);
  }, 30_000);

  it('hears at once of a cluster that serves no slots, and waits no longer', async () => {
    const redis = await RedisProcess.start({ config: ['cluster-enabled yes'] });
    onTestFinished(() => redis.stop());
    const { topology } = singleTarget(redis.port);
    if (topology.type !== 'single') throw new Error('not a single server');
    const target = { topology: { type: 'cluster' as const, nodes: [topology] } };
    const backplane = await openRedisBackplane(target, { schedule: withoutDeadline });
    expect([backplane.status().connected, deadlines]).toEqual([false, 1]);
    await backplane.close();
  }, 30_000);
});

describe('a node that is closed as it starts', () => {
  it('has done with both at once', async () => {
    const backplane = createRedisBackplane({
      // Whether anything is there is not asked any more.
      target: singleTarget(6379),
      clock: CLOCK,
      log: SILENT,
      random: Math.random,
      schedule: withoutDeadline,
    });
    const starting = backplane.start();
    await backplane.close();
    await starting;
    expect(deadlines).toBe(1);
  });
});

describe('a node whose spaces are watched as it starts', () => {
  it('has no failure to tell of where all is well', async () => {
    const redis = await RedisProcess.start();
    onTestFinished(() => redis.stop());
    const told: string[] = [];
    const tell = (_fields: object, message: string): void => void told.push(message);
    const log = { debug: tell, info: tell, warn: tell, error: tell };
    const backplane = createRedisBackplane({
      target: singleTarget(redis.port),
      clock: CLOCK,
      log,
      random: Math.random,
    });
    const heard = Promise.withResolvers<void>();
    backplane.watch('before', () => {});
    const started = backplane.start();
    backplane.watch('meanwhile', () => heard.resolve());
    await started;
    await heard.promise;
    await backplane.close();
    expect(told).toEqual(['backplane connected']);
  });
});
