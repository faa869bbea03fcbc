import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Config } from '../../../src/gateway/config/config.ts';
import {
  createLastGoodKeeper,
  readLastGood,
  saveLastGood,
  type LastGood,
} from '../../../src/gateway/config/last-good.ts';

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'meshgate-last-good-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Only what is asked of it here: it is text to this file. */
function configOf(routes: number): Config {
  return {
    dataDir: '/x',
    node: { name: 'ü', zone: undefined },
    tracing: undefined,
    services: [],
    routes: Array.from({ length: routes }, (_, i) => ({
      name: `route-${i}`,
      text: 'x'.repeat(50),
    })),
  } as unknown as Config;
}

describe('the configuration applied last', () => {
  it.each([0, 1, 5000])('is read back as it was saved: %i routes', async (routes) => {
    const dataDir = join(await createFolder(), 'data');
    const lastGood = { hash: 'h', config: configOf(routes) };
    await saveLastGood(dataDir, lastGood);
    const path = join(dataDir, 'last-good.json');
    expect(await readFile(path, 'utf8')).toBe(JSON.stringify(lastGood));
    const { hash, config } = JSON.parse(JSON.stringify(lastGood)) as LastGood;
    // It was saved by a release that knew of no certificates.
    expect(await readLastGood(dataDir)).toEqual({ hash, config: { ...config, certificates: [] } });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  });

  it('is saved in pieces with pauses between them, whoever is not in a hurry', async () => {
    const dataDir = await createFolder();
    const lastGood = { hash: 'h', config: configOf(5000) };
    let pauses = 0;
    await saveLastGood(dataDir, lastGood, async () => {
      pauses++;
      await Promise.resolve();
    });
    const { length } = JSON.stringify(lastGood);
    expect(pauses).toBe(Math.floor(length / (16 * 1024)));
    expect((await readLastGood(dataDir))?.config.routes).toHaveLength(5000);
  });

  it('is undefined where there is none', async () => {
    expect(await readLastGood(await createFolder())).toBeUndefined();
  });

  it('is the newest of those kept at once, and no draft stays', async () => {
    const dataDir = await createFolder();
    const failures: unknown[] = [];
    const keeper = createLastGoodKeeper((error) => failures.push(error));
    for (let i = 0; i < 20; i++) keeper.keep(dataDir, { hash: String(i), config: configOf(500) });
    await keeper.settled();
    expect((await readLastGood(dataDir))?.hash).toBe('19');
    expect(await readdir(dataDir)).toEqual(['last-good.json']);
    expect(failures).toEqual([]);
  });

  it('tells why it could not be kept, and keeps the next', async () => {
    const folder = await createFolder();
    await writeFile(join(folder, 'file'), '');
    const failures: unknown[] = [];
    const keeper = createLastGoodKeeper((error) => failures.push(error));
    keeper.keep(join(folder, 'file'), { hash: '1', config: configOf(1) });
    await keeper.settled();
    expect(failures).toMatchObject([{ code: 'EEXIST' }]);
    keeper.keep(folder, { hash: '2', config: configOf(1) });
    await keeper.settled();
    expect((await readLastGood(folder))?.hash).toBe('2');
  });
});
