/** Applications in the mesh without a proxy: what their callers see when something goes away. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFolder } from '../process/gateway-process.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { until } from '../gateway-fixture.ts';
import { run, startOrders, startShop } from './shop-process.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

describe('an application that calls another by name', () => {
  let redis: RedisProcess;
  beforeAll(async () => {
    redis = await RedisProcess.start();
  });
  afterAll(() => redis.stop());

  it('loses no idempotent call when an instance is killed, and few others', async () => {
    const [a, b] = await Promise.all([startOrders('a', redis.port), startOrders('b', redis.port)]);
    const shop = await startShop(redis.port);
    await shop.more(50, 'a', 'b');
    await a.kill();
    const { failures } = await shop.more(300, 'b');
    expect(failures.filter((failure) => failure.startsWith('GET'))).toEqual([]);
    expect(failures.length).toBeLessThanOrEqual(5);
    await b.kill();
    shop.program.signal('SIGTERM');
    expect(await shop.program.ended).toEqual({ code: 0, signal: null });
  });

  it('loses no call when instances are replaced one after the other', async () => {
    await redis.admin.flushall();
    const [a, b] = await Promise.all([startOrders('a', redis.port), startOrders('b', redis.port)]);
    const shop = await startShop(redis.port);
    await shop.more(50, 'a', 'b');
    for (const [old, name] of [
      [a, 'c'],
      [b, 'd'],
    ] as const) {
      await startOrders(name, redis.port);
      await shop.more(20, name);
      old.signal('SIGTERM');
      // It ends by itself once it has left: nothing keeps the process.
      expect(await old.ended).toEqual({ code: 0, signal: null });
      expect(old.stdout).toMatch(/^left$/m);
    }
    const { failures } = await shop.more(50, 'c', 'd');
    expect(failures).toEqual([]);
  });
});

describe('without Redis', () => {
  it('calls go on, and instances are back once it is', async () => {
    const redis = await RedisProcess.start();
    const [a] = await Promise.all([startOrders('a', redis.port), startOrders('b', redis.port)]);
    const shop = await startShop(redis.port);
    await redis.kill();
    await until(async () => ((await shop.tally()).status.connected ? undefined : true));
    await shop.more(200, 'a', 'b');
    // Empty: what it had was in memory alone.
    await redis.start();
    const other = await startShop(redis.port);
    await other.more(20, 'a', 'b');
    const { failures } = await shop.more(50, 'a', 'b');
    expect(failures).toEqual([]);
    expect(a.running).toBe(true);
    await redis.stop();
  });

  it('an application starts from what its disk knows', async () => {
    const redis = await RedisProcess.start();
    const dataDir = await createFolder();
    await startOrders('a', redis.port);
    const before = await startShop(redis.port, dataDir);
    await before.more(10, 'a');
    before.program.signal('SIGTERM');
    await before.program.ended;
    await redis.kill();
    const shop = await startShop(redis.port, dataDir);
    const { failures, status } = await shop.more(50, 'a');
    expect([failures, status.connected]).toEqual([[], false]);
    await redis.stop();
  });

  it('an application that is started says what it waits for', async () => {
    const redis = await RedisProcess.start();
    await redis.kill();
    const orders = run('orders.ts', ['a', String(redis.port)]);
    const shop = run('shop.ts', [String(redis.port)], { READY_MS: '500' });
    await shop.said(
      'stderr',
      new RegExp(
        `not ready within 500 ms: Redis at 127.0.0.1:${redis.port} is not reached .*ECONNREFUSED`,
      ),
    );
    expect(await shop.ended).toMatchObject({ code: 1 });
    expect(orders.stdout).toBe('');
    await redis.start();
    await orders.said('stdout', /^registered /m);
    await redis.stop();
  });
});
