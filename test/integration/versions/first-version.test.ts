/** Who is waited for where there was no version before: all nodes that take versions over. */
import { expect, it } from 'vitest';
import { NODES_SPACE } from '../../../src/mesh/node/presence.ts';
import { openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { eventually } from '../process/gateway-process.ts';
import { startAdminFleet } from './admin-fleet.ts';
import { answering, startFleet, untilAnswered } from './version-nodes.ts';

const NO_LISTENERS = { listeners: [], outbound: { address: '127.0.0.1:0' } };

it('is run by a node proxy with a key, and not waited for at one without', async () => {
  const { redis, writer, start } = await startFleet();
  const keyless = { MESHGATE_CONFIG_KEY: '' };
  const gateway = await start('gateway');
  await start('proxy', { config: NO_LISTENERS });
  const silent = await start('keyless', { config: NO_LISTENERS, env: keyless });
  await start('file', { config: { routes: [] } });
  await start('locked', { env: keyless });
  const backplane = await openRedisBackplane(singleTarget(redis.port));
  try {
    const listed = await eventually(async () => {
      const nodes = await backplane.reports(NODES_SPACE);
      return nodes.length === 5 ? nodes : undefined;
    });
    expect(new Map(listed.map(({ id, value }) => [id, value]))).toMatchObject(
      new Map([
        ['gateway', { config: 'shared' }],
        ['proxy', { config: 'shared' }],
        ['keyless', { config: 'none' }],
        ['file', { config: 'file' }],
        ['locked', { config: 'shared' }],
      ]),
    );
    await writer.write(answering('one'));
    await untilAnswered(gateway, 'one');
    const said = await eventually(async () => {
      const reports = await backplane.reports('config-nodes');
      return reports.length === 3 ? reports : undefined;
    });
    expect(new Map(said.map(({ id, value }) => [id, value]))).toMatchObject(
      new Map([
        ['gateway', { state: 'applied' }],
        ['proxy', { state: 'applied' }],
        ['locked', { state: 'refused', reason: expect.stringContaining('MESHGATE_CONFIG_KEY') }],
      ]),
    );
    const { report } = await silent.readiness();
    expect(report).toMatchObject({ status: 'ready', config_version: 0 });
    expect(report.config_refused).toBeUndefined();
  } finally {
    await backplane.close();
  }
}, 60_000);

it('is pending at a node that is there and has said nothing of it yet', async () => {
  const { redis } = await startFleet();
  const target = singleTarget(redis.port);
  const { a } = await startAdminFleet(target, { a: { as: 'app' }, b: { as: 'app' } });
  const backplane = await openRedisBackplane(target);
  const late = { config: 'shared', started_at: '2026-01-01T00:00:00.000Z' };
  await backplane.report(NODES_SPACE, 'late', late, 60_000);
  await backplane.close();
  await a.must('/v1/config', { method: 'PUT', body: answering('one') });
  const nodes = await eventually(async () => {
    const { body } = await a.must('/v1/config/versions/1');
    const told = body['nodes'] as readonly { readonly state: string }[];
    return told.filter(({ state }) => state === 'applied').length === 2 ? told : undefined;
  });
  expect(nodes).toMatchObject([
    { node: 'a', state: 'applied', version: 1 },
    { node: 'b', state: 'applied', version: 1 },
    { node: 'late', state: 'pending', version: 0, at: late.started_at },
  ]);
}, 60_000);
