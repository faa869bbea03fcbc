/** What befalls Redis, under steady load: no request notices. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { until } from '../../redis/redis-sentinel.ts';
import { HEARTBEAT_MS } from './fleet.ts';
import { startLoadedFleet } from './loaded-fleet.ts';

const NAMES = ['app-0', 'app-1', 'app-2'];

// One fleet for all: what it lived through before makes nothing easier, and eight processes are slow to start.
it('no request notices what befalls Redis', { timeout: 150_000 }, async () => {
  const { redis, fleet, gets, posts, ...loaded } = await startLoadedFleet();
  const serve = (): Promise<void> => loaded.serve(60);
  await serve();

  /** The registrations as Redis has them. */
  const registered = (): Promise<number> => redis.admin.hlen('meshgate:{svc:orders}:inst');
  const areAllRegistered = async (): Promise<boolean> => (await registered()) === NAMES.length;

  async function whenPaused(): Promise<void> {
    await redis.admin.call('CLIENT', 'PAUSE', '4000', 'ALL');
    await serve();
    // Answered once the pause is over.
    await redis.admin.ping();
  }

  async function whenEmptied(): Promise<void> {
    await redis.admin.flushall();
    const atMs = performance.now();
    await until(areAllRegistered);
    expect(performance.now() - atMs).toBeLessThan(HEARTBEAT_MS + 1_000);
    await fleet.isWhole();
  }

  async function whenReadOnly(): Promise<void> {
    await redis.admin.call('REPLICAOF', '127.0.0.1', '1');
    await pause(HEARTBEAT_MS);
    await serve();
    await redis.admin.call('REPLICAOF', 'NO', 'ONE');
    await until(areAllRegistered);
  }

  async function whenOutOfMemory(): Promise<void> {
    await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.admin.config('SET', 'maxmemory', '1');
    await pause(HEARTBEAT_MS);
    await serve();
    await redis.admin.config('SET', 'maxmemory', '0');
    expect(await registered()).toBe(NAMES.length);
  }

  for (const fault of [whenPaused, whenEmptied, whenReadOnly, whenOutOfMemory]) {
    await fault();
    await Promise.all([gets, posts].map((load) => load.onlyBy(NAMES)));
    const failures = [...gets.failures, ...posts.failures];
    expect({ fault: fault.name, failures }).toEqual({ fault: fault.name, failures: [] });
  }

  // Without its scripts Redis is told them again, and changes go on.
  await posts.stop();
  await redis.admin.call('SCRIPT', 'FLUSH');
  await fleet.instances[0]!.application.kill();
  await fleet.gateways[0]!.sees('orders', 1, 'draining');
  await fleet.instances[0]!.application.start();
  await fleet.isWhole();
  await gets.onlyBy(NAMES);
  expect(gets.failures).toEqual([]);
});
