/** What befalls Redis, under steady load: no request notices. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisProcess } from '../../redis/redis-process.ts';
import { until } from '../../redis/redis-sentinel.ts';
import { HEARTBEAT_MS, startFleet, type Fleet } from './fleet.ts';
import { startSteadyLoad, type SteadyLoad } from './steady-load.ts';

const NAMES = ['app-0', 'app-1', 'app-2'];

let redis: RedisProcess;
let fleet: Fleet;
let gets: SteadyLoad;
let posts: SteadyLoad;

beforeEach(async () => {
  redis = await RedisProcess.start();
  fleet = await startFleet({
    backplane: { redis: `redis://127.0.0.1:${redis.port}` },
    gateways: 2,
  });
  gets = startSteadyLoad({ ports: fleet.publicPorts });
  posts = startSteadyLoad({ ports: fleet.outboundPorts, host: 'orders.mesh', method: 'POST' });
  await Promise.all([gets.more(100), posts.more(100)]);
});
afterEach(() => redis.stop());

/** The registrations as Redis has them. */
async function registered(): Promise<number> {
  return redis.admin.hlen('meshgate:{svc:orders}:inst');
}

/** What went wrong so far, once every instance answers again. */
async function failures(): Promise<readonly string[]> {
  await Promise.all([gets, posts].map((load) => load.onlyBy(NAMES)));
  return [...gets.failures, ...posts.failures];
}

describe('no request notices', { timeout: 60_000 }, () => {
  it('that its clients are paused', async () => {
    await redis.admin.call('CLIENT', 'PAUSE', '4000', 'ALL');
    await Promise.all([gets.more(200), posts.more(200)]);
    expect(await failures()).toEqual([]);
  });

  it('that it is emptied, and the registrations are back within a heartbeat', async () => {
    await redis.admin.flushall();
    const atMs = performance.now();
    await until(async () => (await registered()) === NAMES.length);
    expect(performance.now() - atMs).toBeLessThan(HEARTBEAT_MS + 1_000);
    await fleet.isWhole();
    expect(await failures()).toEqual([]);
  });

  it('that it forgets its scripts, and changes go on', async () => {
    await redis.admin.call('SCRIPT', 'FLUSH');
    await fleet.instances[0]!.application.kill();
    await fleet.gateways[0]!.sees('orders', 1, 'draining');
    await fleet.instances[0]!.application.start();
    await fleet.isWhole();
    await gets.onlyBy(NAMES);
    expect(gets.failures).toEqual([]);
  });

  it('that it takes no writes', async () => {
    await redis.admin.call('REPLICAOF', '127.0.0.1', '1');
    await pause(HEARTBEAT_MS);
    await Promise.all([gets.more(100), posts.more(100)]);
    await redis.admin.call('REPLICAOF', 'NO', 'ONE');
    await until(async () => (await registered()) === NAMES.length);
    expect(await failures()).toEqual([]);
  });

  it('that it is out of memory', async () => {
    await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.admin.config('SET', 'maxmemory', '1');
    await pause(HEARTBEAT_MS);
    await Promise.all([gets.more(100), posts.more(100)]);
    await redis.admin.config('SET', 'maxmemory', '0');
    expect(await registered()).toBe(NAMES.length);
    expect(await failures()).toEqual([]);
  });
});
