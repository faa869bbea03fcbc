/** A folder for all that a run of the tests writes: it leaves nothing behind, and /tmp may be full of others' files. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string | undefined;

export async function setup(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'meshgate-tests-'));
  // The processes of the tests, and theirs, inherit it.
  process.env['TMPDIR'] = folder;
}

export async function teardown(): Promise<void> {
  // A process that was killed a moment ago may still be writing.
  await rm(folder!, { recursive: true, force: true, maxRetries: 5 });
}
