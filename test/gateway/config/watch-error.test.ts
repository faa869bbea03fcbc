/** A watch that the system ends is begun again: the poll alone would tell of changes late, for ever. */
import { watch, type FSWatcher } from 'node:fs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { watchConfig } from '../../../src/gateway/config/watch.ts';
import { createFolder } from './config-file.ts';

it('watches directories again after an error', async () => {
  const folder = await createFolder({ 'a.yaml': '1' });
  const other = watch(folder);
  other.close();
  // What every watch is made of: each is told whom to tell of its errors.
  const listening = vi.spyOn(Object.getPrototypeOf(other) as FSWatcher, 'on');
  onTestFinished(() => listening.mockRestore());
  const watcher = watchConfig({ files: [`${folder}/a.yaml`], onChange() {}, pollMs: 20 });
  onTestFinished(() => watcher.stop());
  await watcher.start();
  const first = listening.mock.contexts as FSWatcher[];
  const count = first.length;
  expect(count).toBeGreaterThan(0);
  for (const one of first.slice()) one.emit('error', new Error('the system gave it up'));
  await vi.waitFor(() => expect(listening.mock.contexts).toHaveLength(2 * count));
});
