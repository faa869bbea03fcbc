/** A watch that the system ends is begun again: the poll alone would tell of changes late, for ever. */
import type { FSWatcher, watch } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { watchConfig } from '../../../src/gateway/config/watch.ts';
import { createFolder } from './config-file.ts';

const watchers = vi.hoisted(() => new Map<string, FSWatcher[]>());

vi.mock(import('node:fs'), async (importOriginal) => {
  const fs = await importOriginal();
  const recorded = (directory: string, ...rest: [never]): FSWatcher => {
    const watcher = fs.watch(directory, ...rest);
    watchers.set(directory, [...(watchers.get(directory) ?? []), watcher]);
    return watcher;
  };
  return { ...fs, watch: recorded as typeof watch };
});

it('watches a directory again after an error', async () => {
  const folder = await createFolder({ 'a.yaml': '1' });
  const watcher = watchConfig({ files: [`${folder}/a.yaml`], onChange() {}, pollMs: 20 });
  await watcher.start();
  const [first] = watchers.get(folder)!;
  first!.emit('error', new Error('the system gave it up'));
  await vi.waitFor(() => expect(watchers.get(folder)).toHaveLength(2));
  watcher.stop();
});
