/** A node that is cut off from Redis, or whose clock is wrong, while everybody else goes on. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createFakeClock, findFaketime } from '../../redis/faketime.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startTcpProxy } from '../../redis/tcp-proxy.ts';
import { createFolder } from '../process/gateway-process.ts';
import { startFleet } from './fleet.ts';
import { startSteadyLoad } from './steady-load.ts';

let redis: RedisProcess;
beforeAll(async () => {
  redis = await RedisProcess.start();
});
afterAll(() => redis.stop());

const faketime = findFaketime();

describe('under steady load', { timeout: 90_000 }, () => {
  it('a gateway, then a sidecar, that is cut off goes on, and is back once it can', async () => {
    const gatewayWay = await startTcpProxy(redis.port);
    const sidecarWay = await startTcpProxy(redis.port);
    onTestFinished(async () => {
      await Promise.all([gatewayWay.close(), sidecarWay.close()]);
    });
    const ways = new Map([
      ['gateway-0', gatewayWay.port],
      ['sidecar-2', sidecarWay.port],
    ]);
    const fleet = await startFleet({
      backplane: (node) => ({
        redis: `redis://127.0.0.1:${ways.get(node) ?? redis.port}`,
        namespace: 'cut',
      }),
      gateways: 2,
    });
    const [cut, other] = fleet.gateways;
    const gets = startSteadyLoad({ ports: fleet.publicPorts.slice(0, 1) });
    await gets.more(60);

    // It serves by what it knew, finds out by itself who has left, and learns the rest when back.
    gatewayWay.cutAll();
    await fleet.instances[0]!.sidecar.stop();
    await other!.sees('orders', 2);
    await gets.onlyBy(['app-1', 'app-2']);
    gatewayWay.mend();
    await cut!.sees('orders', 2);
    expect(gets.failures).toEqual([]);

    // A sidecar leaves the mesh with its lease.
    sidecarWay.cutAll();
    await cut!.sees('orders', 1);
    sidecarWay.mend();
    await cut!.sees('orders', 2);
    await gets.onlyBy(['app-1', 'app-2']);
    expect(gets.failures).toEqual([]);
  });

  it.skipIf(faketime === undefined)(
    'nodes whose clocks are an hour wrong lose nobody (skipped without libfaketime)',
    async () => {
      const folder = await createFolder();
      const ahead = await createFakeClock(faketime!, folder, 3600);
      const behind = await createFakeClock(faketime!, await createFolder(), -3600);
      const fleet = await startFleet({
        backplane: { redis: `redis://127.0.0.1:${redis.port}`, namespace: 'skew' },
        env: (node) => ({ 'sidecar-0': ahead.env, 'gateway-0': behind.env })[node],
      });
      const gets = startSteadyLoad({ ports: fleet.publicPorts });
      await gets.onlyBy(['app-0', 'app-1', 'app-2'], 400);
      await ahead.set(-3600);
      await behind.set(3600);
      // Longer than a lease by the true time.
      const endMs = performance.now() + 16_000;
      while (performance.now() < endMs) await gets.more(20);
      await fleet.isWhole();
      expect(gets.failures).toEqual([]);
    },
  );
});
