import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  HEAD_FILE,
  VERSIONS_FOLDER,
} from '../../../../src/gateway/config/versions/last-known-part.ts';
import type { RedisBackplane } from '../../../../src/mesh/backplane/redis/redis-backplane.ts';
import { CLOCK } from '../../../contracts/backplane-fixture.ts';
import { openRedisBackplane, singleTarget } from '../../../redis/open-backplane.ts';
import { RedisProcess } from '../../../redis/redis-process.ts';
import {
  documentOf,
  newDataDir,
  newKey,
  startVersionNode,
  type VersionNode,
  type VersionNodeOptions,
} from './version-node.ts';

const KEY = newKey();
let redis: RedisProcess;
let closing: (() => Promise<unknown>)[];

beforeAll(async () => {
  redis = await RedisProcess.start();
}, 60_000);
afterAll(() => redis.stop());
beforeEach(async () => {
  closing = [];
  await redis.admin.flushall();
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
});

async function connect(): Promise<RedisBackplane> {
  const backplane = await openRedisBackplane(singleTarget(redis.port));
  closing.push(() => backplane.close());
  return backplane;
}

interface Member extends VersionNode {
  readonly backplane: RedisBackplane;
  /** As a crash would, but tidily. */
  leave(): Promise<void>;
}

async function enter(options: Partial<VersionNodeOptions> = {}): Promise<Member> {
  const backplane = await connect();
  const node = await startVersionNode({ backplane, key: KEY, ...options });
  let isClosed = false;
  const leave = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await node.store.close();
    await backplane.close();
  };
  closing.push(leave);
  return { ...node, backplane, leave };
}

async function dataDir(): Promise<string> {
  const directory = await newDataDir();
  closing.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function untilStored(version: number): Promise<void> {
  const value = `{"version":${version}}`;
  for (;;) {
    const stored = await redis.admin.hget('meshgate:{config}:doc', 'head');
    if (stored?.endsWith(value)) return;
    await new Promise((next) => setTimeout(next, 20));
  }
}

/** Of versions that come fast, not each is kept on the disk at once. */
async function untilKept(dataDir: string, version: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const text = await readFile(join(dataDir, VERSIONS_FOLDER, `${HEAD_FILE}.json`), 'utf8');
        return JSON.parse(text.slice(text.indexOf('\n'))).records[0].version as number;
      },
      { timeout: 10_000 },
    )
    .toBe(version);
}

async function lost(node: Member): Promise<void> {
  if (!node.backplane.status().connected) return;
  await new Promise<void>((resolve) => {
    const stop = node.backplane.onStatus(() => {
      stop();
      resolve();
    });
  });
}

describe('versions through faults of Redis', () => {
  it('are put back by the nodes when it is emptied, and go on counting', async () => {
    const [here, there] = [await enter(), await enter()];
    for (const text of ['1', '2', '3']) await here.write(documentOf(text));
    await there.until(({ version }) => version === 3);
    await untilKept(here.dataDir, 3);
    await redis.admin.flushall();
    // Nobody writes: the poll for the truth would tell in 10 to 30 s. A node that starts is told at once.
    const young = await enter({ dataDir: here.dataDir });
    await untilStored(3);
    expect(young.store.head()?.document).toEqual(documentOf('3'));
    expect(await young.write(documentOf('4'))).toMatchObject({ version: 4 });
    expect((await there.until(({ version }) => version === 4)).document).toEqual(documentOf('4'));
  });

  it('are put back before the next write, which is then judged by them', async () => {
    const here = await enter();
    await here.write(documentOf('1'));
    await here.write(documentOf('2'));
    await redis.admin.flushall();
    const by = { author: 'ann', message: '' };
    const anew = await here.store.write(documentOf('x'), { ...by, basedOn: 0 });
    expect(anew).toMatchObject({ written: false, head: { version: 2 } });
    const next = await here.store.write(documentOf('3'), { ...by, basedOn: 2 });
    expect(next).toMatchObject({ written: true, version: { version: 3 } });
    expect((await (await enter()).store.read(3))?.document).toEqual(documentOf('3'));
  });

  it('are never overwritten by a node that was away, but by the highest that anybody knows', async () => {
    const [stale, fresh] = [await enter({ dataDir: await dataDir() }), await enter()];
    await stale.write(documentOf('1'));
    await stale.leave();
    await fresh.until(({ version }) => version === 1);
    await fresh.write(documentOf('2'));
    await redis.admin.flushall();
    const back = await enter({ dataDir: stale.dataDir });
    await untilStored(1);
    await fresh.write(documentOf('3'));
    expect(await back.until(({ version }) => version === 3)).toMatchObject({
      document: documentOf('3'),
    });
    expect(fresh.store.list()[0]?.version).toBe(3);
  });

  it('of another mesh give way to what is found', async () => {
    const moved = await enter({ dataDir: await dataDir() });
    for (const text of ['a', 'b', 'c']) await moved.write(documentOf(text));
    await moved.leave();
    await redis.admin.flushall();
    await (await enter()).write(documentOf('theirs'));
    const arrived = await enter({ dataDir: moved.dataDir });
    expect(arrived.store.head()).toMatchObject({ version: 1, document: documentOf('theirs') });
    expect(arrived.warnings.join()).toContain('another history');
  });

  it('are served from the disk without it, with their age, and writes are refused', async () => {
    const directory = await dataDir();
    const before = await enter({ dataDir: directory });
    await before.write(documentOf('1'));
    await before.write(documentOf('2'));
    await before.leave();
    await redis.kill('SIGKILL');
    try {
      const clock = { now: () => Date.now() + 3_600_000, monotonic: CLOCK.monotonic };
      const node = await enter({ dataDir: directory, clock });
      expect(node.store.head()).toMatchObject({ version: 2, document: documentOf('2') });
      expect(node.store.list().map(({ version }) => version)).toEqual([2, 1]);
      expect(node.store.stalenessMs()).toBeGreaterThanOrEqual(3_600_000);
      const by = { author: 'ann', message: '', basedOn: 2 };
      const outage = { name: 'BackplaneError', code: 'away' };
      await expect(node.store.write(documentOf('3'), by)).rejects.toMatchObject(outage);
      await expect(node.store.read(1)).rejects.toMatchObject(outage);
      await expect(node.store.pin(1, true)).rejects.toMatchObject(outage);
    } finally {
      await redis.start();
    }
    // It has no disk either, and the node puts back what it knows.
    await untilStored(2);
  });

  it('are not known at all on a new node without it', async () => {
    await redis.kill('SIGKILL');
    try {
      const { store } = await enter();
      expect([store.head(), store.isKnown()]).toEqual([undefined, false]);
    } finally {
      await redis.start();
    }
  });

  it('that were kept and cannot be read are passed over, with a warning', async () => {
    const directory = await dataDir();
    const before = await enter({ dataDir: directory });
    await before.write(documentOf('1'));
    await before.leave();
    await writeFile(join(directory, 'config-versions', 'head.json'), 'nonsense');
    const node = await enter({ dataDir: directory });
    expect(node.store.head()?.version).toBe(1);
    const stranger = await enter({ dataDir: directory, key: newKey() });
    expect(stranger.store.head()).toBeUndefined();
  });

  it('that nobody finished writing leave nothing that counts', async () => {
    const here = await enter();
    await here.write(documentOf('1'));
    await redis.admin.config('SET', 'maxmemory', '1');
    const by = { author: 'ann', message: '', basedOn: 1 };
    const refusal = { code: 'refused', message: expect.stringContaining('OOM') as string };
    await expect(here.store.write(documentOf('2'), by)).rejects.toMatchObject(refusal);
    await redis.admin.config('SET', 'maxmemory', '0');
    expect(here.store.head()?.version).toBe(1);
    expect((await enter()).store.head()?.version).toBe(1);
    expect(await here.store.write(documentOf('2'), by)).toMatchObject({ written: true });
  });

  it('go on where a node hears of an outage, and of its end', async () => {
    const [here, there] = [await enter(), await enter()];
    await here.write(documentOf('1'));
    await there.until(({ version }) => version === 1);
    await redis.kill('SIGKILL');
    await Promise.all([lost(here), lost(there)]);
    expect(there.store.head()?.version).toBe(1);
    await redis.start();
    await untilStored(1);
    // Both connect again by themselves.
    for (;;) {
      const by = { author: 'ann', message: '', basedOn: 1 };
      const outcome = await here.store.write(documentOf('2'), by).catch(() => undefined);
      if (outcome?.written === true) break;
      await new Promise((next) => setTimeout(next, 50));
    }
    await there.until(({ version }) => version === 2);
  });
});
