import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { watchConfig, type ConfigWatcher } from '../../../src/gateway/config/watch.ts';
import { createFolder } from './config-file.ts';

interface Watching {
  readonly watcher: ConfigWatcher;
  /** Resolves with the next change, or with one that has not been asked for yet. */
  readonly changed: () => Promise<void>;
  readonly count: () => number;
}

/** Polls so seldom that only events can tell, unless asked otherwise. */
async function watchFiles(
  files: readonly string[],
  { pollMs = 3_600_000, debounceMs = 20 } = {},
): Promise<Watching> {
  let count = 0;
  let asked = 0;
  let wake = (): void => {};
  const watcher = watchConfig({
    files,
    debounceMs,
    pollMs,
    onChange: () => {
      count++;
      wake();
    },
  });
  onTestFinished(() => watcher.stop());
  await watcher.start();
  return {
    watcher,
    count: () => count,
    changed: async () => {
      if (count === asked) await new Promise<void>((resolve) => (wake = resolve));
      asked = count;
    },
  };
}

describe('a watched file', () => {
  it('tells when it is written in place', async () => {
    const folder = await createFolder({ 'a.yaml': '1' });
    const { changed } = await watchFiles([join(folder, 'a.yaml')]);
    await appendFile(join(folder, 'a.yaml'), '2');
    await expect(changed()).resolves.toBeUndefined();
    await writeFile(join(folder, 'a.yaml'), '34');
    await expect(changed()).resolves.toBeUndefined();
  });

  it('tells each time an editor puts another file in its place', async () => {
    const folder = await createFolder({ 'a.yaml': '1' });
    const { changed } = await watchFiles([join(folder, 'a.yaml')]);
    for (const text of ['2', '3', '4']) {
      await writeFile(join(folder, '.a.yaml.swp'), text);
      await rename(join(folder, '.a.yaml.swp'), join(folder, 'a.yaml'));
      await expect(changed()).resolves.toBeUndefined();
    }
  });

  it('tells when it goes and when it comes back', async () => {
    const folder = await createFolder({ 'a.yaml': '1' });
    const { changed } = await watchFiles([join(folder, 'a.yaml')]);
    await rm(join(folder, 'a.yaml'));
    await expect(changed()).resolves.toBeUndefined();
    await writeFile(join(folder, 'a.yaml'), '1');
    await expect(changed()).resolves.toBeUndefined();
  });

  it('tells when a Kubernetes volume swaps its links', async () => {
    const folder = await createFolder();
    const fill = async (name: string, text: string): Promise<void> => {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'a.yaml'), text);
    };
    await fill('..1', 'one');
    await symlink('..1', join(folder, '..data'));
    await symlink('..data/a.yaml', join(folder, 'a.yaml'));
    const { changed } = await watchFiles([join(folder, 'a.yaml')]);
    for (const name of ['..2', '..3']) {
      await fill(name, name);
      await symlink(name, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
      await expect(changed()).resolves.toBeUndefined();
    }
  });

  it('tells when its folder is replaced, and goes on in the new one', async () => {
    const folder = await createFolder();
    const put = async (name: string, text: string): Promise<void> => {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'a.yaml'), text);
    };
    await put('conf', 'one');
    const { changed } = await watchFiles([join(folder, 'conf', 'a.yaml')]);
    await put('next', 'two');
    await rename(join(folder, 'conf'), join(folder, 'old'));
    await rename(join(folder, 'next'), join(folder, 'conf'));
    await expect(changed()).resolves.toBeUndefined();
    await writeFile(join(folder, 'conf', 'a.yaml'), 'three');
    await expect(changed()).resolves.toBeUndefined();
  });

  it('is found by polling where no event tells', async () => {
    const folder = await createFolder();
    // Neither this folder nor the one it is in exists yet: nothing can be watched.
    const file = join(folder, 'x', 'y', 'z', 'a.yaml');
    const { changed } = await watchFiles([file], { pollMs: 10 });
    await mkdir(join(folder, 'x', 'y', 'z'), { recursive: true });
    await writeFile(file, '1');
    await expect(changed()).resolves.toBeUndefined();
  });

  it('is silent about its neighbours, and once about what comes together', async () => {
    const folder = await createFolder({ 'a.yaml': '1', 'b.yaml': '1', 'c.yaml': '1' });
    const files = [join(folder, 'a.yaml'), join(folder, 'b.yaml')];
    const { changed, count } = await watchFiles(files, { debounceMs: 1000 });
    await writeFile(join(folder, 'c.yaml'), 'neighbour');
    await Promise.all([
      writeFile(join(folder, 'a.yaml'), '22'),
      writeFile(join(folder, 'b.yaml'), '22'),
    ]);
    await expect(changed()).resolves.toBeUndefined();
    expect(count()).toBe(1);
  });

  it('is told of though its directory is never quiet', async () => {
    const folder = await createFolder({ 'a.yaml': '1' });
    const { changed } = await watchFiles([join(folder, 'a.yaml')], { debounceMs: 200 });
    const noise = setInterval(() => void appendFile(join(folder, 'noise'), '.'), 20);
    onTestFinished(() => clearInterval(noise));
    await writeFile(join(folder, 'a.yaml'), '22');
    await expect(changed()).resolves.toBeUndefined();
  });

  it('can be another one from now on', async () => {
    const folder = await createFolder({ 'a.yaml': '1', 'b.yaml': '1' });
    const { watcher, changed } = await watchFiles([join(folder, 'a.yaml')]);
    watcher.watch([join(folder, 'b.yaml')]);
    await watcher.start();
    await writeFile(join(folder, 'b.yaml'), '2');
    await expect(changed()).resolves.toBeUndefined();
  });

  it('tells nothing any more once it is stopped', async () => {
    const folder = await createFolder({ 'a.yaml': '1', 'b.yaml': '1' });
    const stopped = await watchFiles([join(folder, 'a.yaml')]);
    const witness = await watchFiles([join(folder, 'a.yaml')]);
    stopped.watcher.stop();
    await writeFile(join(folder, 'a.yaml'), '2');
    await expect(witness.changed()).resolves.toBeUndefined();
    expect(stopped.count()).toBe(0);
  });
});
