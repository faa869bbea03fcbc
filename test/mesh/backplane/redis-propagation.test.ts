/** How a change reaches the other nodes: message, log or poll, whichever is left. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Backplane } from '../../../src/mesh/backplane/backplane.ts';
import type { RedisBackplane } from '../../../src/mesh/backplane/redis/redis-backplane.ts';
import type { RedisTarget } from '../../../src/mesh/backplane/redis/redis-target.ts';
import { scheduleTimer } from '../../../src/mesh/backplane/schedule.ts';
import { idsOf, SILENT, watchSpace } from '../../contracts/backplane-fixture.ts';
import { createAuthority } from '../../gateway/listener/certificates.ts';
import { lapse } from '../../redis/mesh-nodes.ts';
import { openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess, type RedisProcessOptions } from '../../redis/redis-process.ts';
import { until } from '../../redis/redis-sentinel.ts';

const SPACE = 'svc:orders';

let closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing = [];
});

async function startRedis(options: RedisProcessOptions = {}): Promise<RedisProcess> {
  const redis = await RedisProcess.start(options);
  closing.push(() => redis.stop());
  return redis;
}

async function openNode(
  target: RedisTarget,
  options: Parameters<typeof openRedisBackplane>[1] = {},
): Promise<RedisBackplane> {
  const node = await openRedisBackplane(target, options);
  closing.push(() => node.close());
  return node;
}

async function put(node: Backplane, id: string): Promise<void> {
  await node.change(SPACE, [{ type: 'put', kind: 'inst', id, value: null }]);
}

/** Calls of a command since the last reset. */
async function callsOf(redis: RedisProcess, command: string): Promise<number> {
  const stats = await redis.admin.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

describe('propagation', () => {
  it('takes a message and asks for nothing, well within a second', async () => {
    const redis = await startRedis();
    const [here, there] = [
      await openNode(singleTarget(redis.port)),
      await openNode(singleTarget(redis.port)),
    ];
    await put(here, 'a');
    const watching = watchSpace(there, SPACE);
    await watching.until(() => true);
    // Until the one after the subscription has asked.
    await until(async () => (await callsOf(redis, 'mget')) >= 2);
    await redis.admin.config('RESETSTAT');
    const start = performance.now();
    await put(here, 'b');
    await watching.until(({ revision }) => revision === 2);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect([await callsOf(redis, 'xrange'), await callsOf(redis, 'hgetall')]).toEqual([0, 0]);
  });

  it('replays what it missed from the log', async () => {
    const redis = await startRedis();
    const [here, there] = [
      await openNode(singleTarget(redis.port)),
      await openNode(singleTarget(redis.port)),
    ];
    await put(here, 'a');
    const watching = watchSpace(there, SPACE);
    await watching.until(() => true);
    await redis.admin.config('RESETSTAT');
    await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    for (const id of ['b', 'c', 'd']) await put(here, id);
    const view = await watching.until(({ revision }) => revision === 4);
    expect([idsOf(view), view.continuous]).toEqual([['a', 'b', 'c', 'd'], true]);
    expect(await callsOf(redis, 'xrange')).toBeGreaterThan(0);
    expect(await callsOf(redis, 'hgetall')).toBe(0);
  });

  it('reads all anew where the log has not enough', async () => {
    const redis = await startRedis();
    const [here, there] = [
      await openNode(singleTarget(redis.port)),
      await openNode(singleTarget(redis.port)),
    ];
    await put(here, 'a');
    const watching = watchSpace(there, SPACE);
    await watching.until(() => true);
    await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    for (const id of ['b', 'c']) await put(here, id);
    await redis.admin.xtrim('meshgate:{svc:orders}:log', 'MAXLEN', 0);
    await put(here, 'd');
    const view = await watching.until(({ revision }) => revision === 4);
    expect([idsOf(view), view.continuous]).toEqual([['a', 'b', 'c', 'd'], true]);
  });

  it('notices by the next message that one was lost', async () => {
    const redis = await startRedis({
      config: ['user mute on nopass ~meshgate:* resetchannels +@all'],
    });
    const target = singleTarget(redis.port);
    const [here, there] = [await openNode(target), await openNode(target)];
    const mute = await openNode({ ...target, username: 'mute', password: 'x' });
    await put(here, 'a');
    const watching = watchSpace(there, SPACE);
    await watching.until(() => true);
    await until(async () => (await redis.admin.pubsub('CHANNELS')).length === 1);
    await put(mute, 'b');
    const changed = performance.now();
    await put(here, 'c');
    const view = await watching.until(({ revision }) => revision === 3);
    expect(idsOf(view)).toEqual(['a', 'b', 'c']);
    // A poll would come after 10 s at the earliest.
    expect(performance.now() - changed).toBeLessThan(5_000);
  });

  it('keeps about a thousand changes in the log', async () => {
    const redis = await startRedis();
    const here = await openNode(singleTarget(redis.port));
    await Promise.all(Array.from({ length: 1_500 }, (_, index) => put(here, `n${index % 10}`)));
    const length = await redis.admin.xlen('meshgate:{svc:orders}:log');
    expect(length).toBeGreaterThanOrEqual(1_000);
    expect(length).toBeLessThan(1_200);
  });

  it('passes over what strangers publish', async () => {
    const redis = await startRedis();
    const [here, there] = [
      await openNode(singleTarget(redis.port)),
      await openNode(singleTarget(redis.port)),
    ];
    await put(here, 'a');
    const watching = watchSpace(there, SPACE);
    const { epoch } = await watching.until(() => true);
    const channel = 'meshgate:{svc:orders}:feed';
    await redis.admin.publish(channel, 'nonsense');
    await redis.admin.publish(
      channel,
      `{"epoch":"${epoch}","rev":99,"delta":[["inst","fake",1,"",null]]}`,
    );
    await put(here, 'b');
    const view = await watching.until(({ revision }) => revision === 2);
    expect(idsOf(view)).toEqual(['a', 'b']);
  });

  it('polls where it may not subscribe or publish, and says so once', async () => {
    const redis = await startRedis({
      config: ['user mesh on >secret ~meshgate:* resetchannels +@all'],
    });
    const target = { ...singleTarget(redis.port), username: 'mesh', password: 'secret' };
    const warnings: string[] = [];
    const log = { ...SILENT, warn: (_: object, message: string) => warnings.push(message) };
    const here = await openNode(target, { log });
    const there = await openNode(target, { schedule: (ms, run) => scheduleTimer(ms / 50, run) });
    const watching = watchSpace(there, SPACE);
    await watching.until(() => true);
    await put(here, 'a');
    await put(here, 'b');
    const view = await watching.until(({ revision }) => revision === 2);
    expect(idsOf(view)).toEqual(['a', 'b']);
    expect(warnings.filter((text) => text.includes('no permission to publish'))).toHaveLength(1);
  });
});

describe('a connection', () => {
  it('speaks TLS, both sides with certificates, as an ACL user with no more rights than it needs', async () => {
    const authority = await createAuthority();
    const [server, client] = [
      await authority.issue('redis', ['localhost']),
      await authority.issue('node', ['node']),
    ];
    const tls = { ca: authority.cert, cert: client.cert, key: client.key, servername: 'localhost' };
    const redis = await startTlsRedis(authority.cert, server, tls);
    const { topology } = singleTarget(redis.port);
    const target = { topology, username: 'mesh', password: 'secret', tls };
    const [here, there] = [await openNode(target), await openNode(target)];
    const watching = watchSpace(there, SPACE);
    await put(here, 'a');
    await watching.until((view) => idsOf(view).join() === 'a');
    await here.report('services', 'orders', null, 1_000);
    expect(await there.reports('services')).toHaveLength(1);
    expect(await here.takeTurn('x', 1_000)).toBe(true);
    expect(await here.expire(SPACE, 'inst', { maxShare: 1, restMs: 0 })).toEqual([]);
    expect(await here.renew(SPACE, 'inst', 'b', { owner: 'me', leaseMs: 1 })).toBe('unknown');

    const stranger = await openNode({
      ...target,
      tls: { ca: authority.cert, servername: 'localhost' },
    });
    expect(stranger.status().connected).toBe(false);
    const wrongName = await openNode({ ...target, tls: { ...tls, servername: 'elsewhere' } });
    expect(wrongName.status().connected).toBe(false);
    const wrongPassword = await openNode({ ...target, password: 'wrong' });
    expect(wrongPassword.status().connected).toBe(false);
    await expect(wrongPassword.read(SPACE)).rejects.toMatchObject({
      code: 'away',
      message: expect.stringMatching(/^WRONGPASS /),
    });
  });

  it('is two of a node, named, whatever it watches', async () => {
    const redis = await startRedis();
    const node = await openNode(singleTarget(redis.port), { schedule: lapse });
    const watchings = ['svc:a', 'svc:b', 'svc:c'].map((space) => watchSpace(node, space));
    await Promise.all(watchings.map((watching) => watching.until(() => true)));
    await until(async () => (await redis.admin.pubsub('CHANNELS')).length === 3);
    const clients = (await redis.admin.client('LIST')) as string;
    const names = [...clients.matchAll(/ name=(meshgate\S*)/g)].map(([, name]) => name!);
    expect(names).toHaveLength(2);
    expect(new Set(names)).toEqual(new Set(['meshgate', 'meshgate-feed']));
    for (const watching of watchings) watching.stop();
    await until(async () => (await redis.admin.pubsub('CHANNELS')).length === 0);
  });
});

/** The rights that the documentation names. */
const RIGHTS =
  '~meshgate:* &meshgate:* -@all +@read +@write +@connection +@pubsub +@scripting +time +info';

async function startTlsRedis(
  ca: string,
  server: { cert: string; key: string },
  tls: object,
): Promise<RedisProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'meshgate-tls-'));
  closing.push(() => rm(directory, { recursive: true }));
  const files = { 'ca.pem': ca, 'redis.pem': server.cert, 'redis.key': server.key };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return startRedis({
    portLine: (port) => `port 0\ntls-port ${port}`,
    config: [
      `tls-ca-cert-file ${directory}/ca.pem`,
      `tls-cert-file ${directory}/redis.pem`,
      `tls-key-file ${directory}/redis.key`,
      'tls-auth-clients yes',
      'user default off',
      `user mesh on >secret ${RIGHTS}`,
    ],
    admin: { username: 'mesh', password: 'secret', tls },
  });
}
