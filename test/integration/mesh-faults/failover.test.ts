/** The master of a Sentinel group dies under steady load. */
import { expect, it, onTestFinished } from 'vitest';
import { startSentinelGroup, until } from '../../redis/redis-sentinel.ts';
import { startFleet } from './fleet.ts';
import { startSteadyLoad } from './steady-load.ts';

it(
  'a failover fails no request, and the new master has all registrations',
  { timeout: 60_000 },
  async () => {
    const group = await startSentinelGroup();
    onTestFinished(() => group.stop());
    const { topology } = group.target;
    if (topology.type !== 'sentinel') throw new Error('no Sentinels');
    const sentinels = topology.sentinels.map(({ host, port }) => `${host}:${port}`);
    const fleet = await startFleet({ backplane: { redis: { sentinels, name: topology.name } } });
    const gets = startSteadyLoad({ ports: fleet.publicPorts });
    await gets.more(100);
    await group.master.kill();
    const registered = () => group.replica.admin.hlen('meshgate:{svc:orders}:inst');
    const isMaster = async () =>
      (await group.replica.admin.info('replication')).includes('role:master');
    await until(isMaster, 30_000);
    await until(async () => (await registered()) === 3, 30_000);
    // The mesh goes on from there: a change reaches the gateway by the new master.
    await fleet.instances[0]!.sidecar.stop();
    await fleet.gateways[0]!.sees('orders', 2);
    await gets.onlyBy(['app-1', 'app-2']);
    expect(gets.failures).toEqual([]);
  },
);
