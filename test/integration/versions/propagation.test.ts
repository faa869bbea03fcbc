/**
 * Versions written by one, run by all: real gateways on a real Redis. The first are programs of their
 * own; to start one takes a second or two of CPU time, and that of its thread that loads as much again.
 */
import { describe, expect, it } from 'vitest';
import { createRollout } from '../../../src/gateway/config/versions/rollout.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { eventually, writeConfig } from '../process/gateway-process.ts';
import { answering, answerOf, startFleet, untilAnswered, untilReady } from './version-nodes.ts';

describe('a version of the shared configuration', () => {
  it('is served by every gateway, which start with no routes before there is one', async () => {
    const { writer, start } = await startFleet();
    const [a, b] = await Promise.all([start('a', { as: 'program' }), start('b')]);
    for (const gateway of [a, b]) {
      expect(await answerOf(gateway)).toBe('404');
      const { code, report } = await gateway.readiness();
      expect([code, report]).toMatchObject([200, { config_owner: 'backplane', config_version: 0 }]);
    }
    await writer.write(answering('one'));
    await Promise.all([a, b].map((gateway) => untilAnswered(gateway, 'one')));
    await writer.write(answering('two'));
    await Promise.all([a, b].map((gateway) => untilAnswered(gateway, 'two')));
    expect((await a.readiness()).report).toMatchObject({ config_version: 2, status: 'ready' });
    expect(await b.metric('meshgate_config_version')).toBe(2);
    expect(await b.metric('meshgate_config_version_refused')).toBe(0);
  }, 60_000);

  it('is the newest one where many come at once', async () => {
    const { writer, start } = await startFleet();
    const gateway = await start('a');
    for (let number = 1; number <= 30; number++) await writer.write(answering(`${number}`));
    await untilAnswered(gateway, '30');
    const report = await untilReady(gateway, ({ config_version }) => config_version === 30);
    // Most were passed over: each would have been one more reload.
    expect(report.revision).toBeLessThan(30);
  }, 60_000);

  it('is served from the disk by a gateway that is started again without Redis', async () => {
    const { redis, writer, start } = await startFleet();
    const before = await start('a');
    await writer.write(answering('kept'));
    await untilAnswered(before, 'kept');
    await before.stop();
    await redis.kill('SIGKILL');
    const after = await start('a');
    expect(await answerOf(after)).toBe('kept');
    expect(await after.readiness()).toMatchObject({ code: 200, report: { config_version: 1 } });
    // A gateway that never knew it must not get traffic.
    const young = await start('young');
    expect(await young.readiness()).toMatchObject({
      code: 503,
      report: {
        status: 'starting',
        config_missing: expect.stringContaining('backplane') as string,
      },
    });
    // Redis comes back empty, and has it again from the one that knows.
    await redis.start();
    await untilAnswered(young, 'kept');
    await untilReady(young, (_, code) => code === 200);
  }, 60_000);

  it('is refused by a gateway that cannot run it, which goes on with the one before, also after a restart', async () => {
    const { redis, writer, start } = await startFleet();
    const [a, b] = await Promise.all([start('a', { env: { GREETING: 'by a' } }), start('b')]);
    await writer.write(answering('good'));
    await Promise.all([a, b].map((gateway) => untilAnswered(gateway, 'good')));
    await writer.write(answering('${GREETING}'));
    await untilAnswered(a, 'by a');
    const report = await untilReady(b, ({ config_refused }) => config_refused !== undefined);
    expect(report).toMatchObject({
      status: 'ready',
      config_version: 1,
      config_refused: {
        version: 2,
        reason: expect.stringContaining('GREETING is not set') as string,
      },
      last_reload: { successful: false },
    });
    expect(report.config_refused?.reason).toMatch(
      /^version 2:\d+:\d+ routes\[0\]\.respond\.body: /,
    );
    expect(await answerOf(b)).toBe('good');
    expect(await b.metric('meshgate_config_last_reload_successful')).toBe(0);
    expect(await b.metric('meshgate_config_version_refused')).toBe(2);

    const backplane = await openRedisBackplane(singleTarget(redis.port));
    const options = { nodeName: 'test', now: Date.now, random: Math.random, log: SILENT };
    const rollout = createRollout({ backplane, ...options });
    const nodes = await eventually(async () => {
      const all = await rollout.nodes();
      return all.length === 2 && all.every(({ version }) => version === 2) ? all : undefined;
    });
    expect(nodes).toMatchObject([
      { node: 'a', state: 'applied' },
      { node: 'b', state: 'refused', reason: report.config_refused?.reason, runs: { version: 1 } },
    ]);
    await backplane.close();

    await b.stop();
    const again = await start('b');
    expect(await answerOf(again)).toBe('good');
    expect(await again.readiness()).toMatchObject({
      code: 200,
      report: { config_version: 1, config_refused: { version: 2 } },
    });
    // Nothing to fall back to: it runs, and must not get traffic.
    const young = await start('young');
    expect(await young.readiness()).toMatchObject({ code: 503, report: { config_version: 0 } });
    await writer.write(answering('better'));
    await Promise.all([a, again, young].map((gateway) => untilAnswered(gateway, 'better')));
    await untilReady(young, (_, code) => code === 200);
    await untilReady(again, ({ config_refused }) => config_refused === undefined);
  }, 60_000);

  it('does not keep a gateway that refuses it from applying a change of its file', async () => {
    const { writer, start } = await startFleet();
    const gateway = await start('a');
    await writer.write(answering('good'));
    await untilAnswered(gateway, 'good');
    await writer.write(answering('${GREETING}'));
    await untilReady(gateway, ({ config_refused }) => config_refused !== undefined);
    const { revision } = (await gateway.readiness()).report;
    const { folder, config } = gateway;
    await writeConfig(folder, { ...config, trustedProxies: ['10.0.0.0/8'] });
    const report = await untilReady(gateway, (one) => one.revision > revision);
    expect(report).toMatchObject({ config_version: 1, config_refused: { version: 2 } });
    expect(await answerOf(gateway)).toBe('good');
    expect(await gateway.metric('meshgate_config_last_reload_successful')).toBe(0);
  }, 60_000);

  it('is nothing to a gateway whose file has routes, until they are taken out', async () => {
    const { writer, start } = await startFleet();
    const routes = [{ name: 'own', respond: { body: 'of the file' } }];
    const gateway = await start('a', { config: { routes } });
    await writer.write(answering('shared'));
    expect(await answerOf(gateway)).toBe('of the file');
    const { report } = await gateway.readiness();
    expect(report).toMatchObject({ config_owner: 'file', config_version: 0 });
    const { folder, config } = gateway;
    await writeConfig(folder, { ...config, routes: undefined });
    await untilAnswered(gateway, 'shared');
    await writeConfig(folder, config);
    await untilAnswered(gateway, 'of the file');
    await untilReady(
      gateway,
      ({ config_owner, config_version }) => config_owner === 'file' && config_version === 0,
    );
  }, 60_000);

  it('is not read by a gateway without its key, which says so', async () => {
    const { writer, start } = await startFleet();
    await writer.write(answering('secret'));
    const gateway = await start('a', { env: { MESHGATE_CONFIG_KEY: '' } });
    expect(await gateway.readiness()).toMatchObject({
      code: 503,
      report: {
        config_refused: { version: 1, reason: expect.stringContaining('no key') as string },
      },
    });
    expect(await answerOf(gateway)).toBe('404');
  }, 60_000);
});
