/** Leases by the clock of Redis, wherever that stands and however it jumps. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Mutation } from '../../../src/mesh/backplane/backplane.ts';
import { LEASE_MS } from '../../../src/mesh/backplane/timing.ts';
import { createReaper, REAP_MAX_SHARE, type Reaper } from '../../../src/mesh/registry/reaper.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { createFakeClock, findFaketime, type FakeClock } from '../../redis/faketime.ts';
import { startNodes, type MeshNodes } from '../../redis/mesh-nodes.ts';
import { singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { until } from '../../redis/redis-sentinel.ts';

const IDS = ['a', 'b', 'c'];
const SPACE = 'svc:orders';
const LEASES = 'meshgate:{svc:orders}:hb';
const HOUR_S = 3_600;

let redis: RedisProcess;
let nodes: MeshNodes;
let reaper: Reaper;

async function open(env: Readonly<Record<string, string>> = {}): Promise<void> {
  redis = await RedisProcess.start({ env });
  // An epoch that has lasted for ever, so that nothing rests on its account.
  const run = /run_id:(\w{12})/.exec(await redis.admin.info('server'))![1]!;
  await redis.admin.mset({
    'meshgate:{svc:orders}:epoch': `1-${run}-x`,
    'meshgate:{svc:orders}:rev': '0',
  });
  nodes = await startNodes(singleTarget(redis.port), IDS);
  await nodes.untilTold((ids) => ids.length === IDS.length);
  reaper = createReaper({
    backplane: nodes.provider,
    registry: nodes.registry,
    // Neither on account of a connection that is young.
    monotonic: () => performance.now() + HOUR_S * 1_000,
    random: Math.random,
    log: SILENT,
  });
}

async function reapNow(): Promise<number> {
  await redis.admin.del('meshgate:turn:reaper');
  return reaper.pass();
}

function silent(count: number, leaseMs: number): Mutation[] {
  return Array.from({ length: count }, (_, index): Mutation => {
    const value = { host: 'h', port: 1 };
    return { type: 'put', kind: 'inst', id: `silent-${index}`, value, owner: 'dead', leaseMs };
  });
}

afterEach(async () => {
  await nodes.close();
  await redis.stop();
});

describe('leases by the clock of Redis', () => {
  beforeEach(() => open());

  it('take those who stay silent a few at a time, one node at a time', async () => {
    await nodes.provider.change(SPACE, silent(20, 1));
    await until(async () => (await redis.admin.zcount(LEASES, '-inf', Date.now() - 10)) === 20);
    expect(await reapNow()).toBe(3); // 15% of 23
    expect(await reaper.pass()).toBe(0); // Not its turn.
    await nodes.untilTold((ids) => ids.length === 20);
    expect(await reapNow()).toBe(3); // 15% of 20
    expect(nodes.told.at(-1)).toEqual(expect.arrayContaining(IDS));
  });

  it('come back by heartbeats after a jump ended them all', async () => {
    for (const id of IDS) await redis.admin.zadd(LEASES, 1, id);
    await until(async () => (await redis.admin.zcount(LEASES, '-inf', 1)) === 0);
    expect(await reapNow()).toBe(0);
    expect(nodes.told).toEqual([IDS]);
  });

  it('bring back one that was taken in spite of it', async () => {
    const before = nodes.registrations[0]!.generation!;
    await redis.admin.zadd(LEASES, 1, 'a');
    const taken = await nodes.provider.expire(SPACE, 'inst', { maxShare: 1, restMs: 0 });
    expect(taken).toEqual(['a']);
    await until(async () => nodes.registrations[0]!.generation! > before);
    await nodes.untilTold((ids) => ids.join() === IDS.join());
  });
});

const library = findFaketime();

describe.skipIf(library === undefined)('a clock of Redis that is wrong (needs libfaketime)', () => {
  let clock: FakeClock;
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'meshgate-clock-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it.each([
    ['ahead', HOUR_S],
    ['behind', -HOUR_S],
  ])('makes no difference when it is an hour %s', async (_, aheadSeconds) => {
    clock = await createFakeClock(library!, directory, aheadSeconds);
    await open(clock.env);
    const skewMs = (await nodes.provider.timeMs()) - Date.now();
    expect(Math.abs(skewMs - aheadSeconds * 1_000)).toBeLessThan(60_000);
    await nodes.provider.change(SPACE, silent(1, 1));
    await until(async () => (await reapNow()) === 1);
    await nodes.untilTold((ids) => ids.join() === IDS.join());
    expect(await reapNow()).toBe(0);
  });

  it('takes nobody who beats when it jumps forward, and nobody at all when it jumps back', async () => {
    clock = await createFakeClock(library!, directory, 0);
    await open(clock.env);
    await nodes.provider.change(SPACE, silent(1, 60_000));
    await clock.set(HOUR_S);
    const now = await nodes.provider.timeMs();
    expect(now - Date.now()).toBeGreaterThan(HOUR_S * 900);
    await until(async () => (await redis.admin.zcount(LEASES, '-inf', now)) === 1);
    const rules = { maxShare: REAP_MAX_SHARE, restMs: LEASE_MS };
    expect(await nodes.provider.expire(SPACE, 'inst', rules)).toEqual(['silent-0']);
    await clock.set(0);
    // A heartbeat brings the end of a lease back from the future.
    await until(async () => (await redis.admin.zcount(LEASES, '-inf', Date.now() + 60_000)) === 3);
    expect(await nodes.provider.expire(SPACE, 'inst', rules)).toEqual([]);
    await nodes.untilTold((ids) => ids.join() === IDS.join());
  });
});
