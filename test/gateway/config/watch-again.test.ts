/** A change must not be lost to a re-watch. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { watchConfig } from '../../../src/gateway/config/watch.ts';

it('hears of a known file that changed just before watch() was called again', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'w-')), 'a.yaml');
  writeFileSync(file, 'one');
  const onChange = vi.fn();
  const watcher = watchConfig({ files: [file], onChange, pollMs: 200 });
  await watcher.start();
  writeFileSync(file, 'two, longer'); // saved while the loader still reads 'one'
  watcher.watch([file]); // the loader is done and names its files
  await vi.waitFor(() => expect(onChange).toHaveBeenCalled(), { timeout: 3000 });
  watcher.stop();
});

it('hears of a new file that changed since it was read', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'w-'));
  const [file, secret] = [join(dir, 'a.yaml'), join(dir, 'secret')];
  writeFileSync(file, 'one');
  writeFileSync(secret, 'one');
  const onChange = vi.fn();
  const watcher = watchConfig({ files: [file], onChange, pollMs: 200 });
  await watcher.start();
  watcher.watch([file, secret]);
  writeFileSync(secret, 'two, longer');
  await vi.waitFor(() => expect(onChange).toHaveBeenCalled(), { timeout: 3000 });
  watcher.stop();
});
