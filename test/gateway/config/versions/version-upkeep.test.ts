import { readdir, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEmbeddedBackplane } from '../../../../src/mesh/backplane/embedded/embedded-backplane.ts';
import type { Backplane } from '../../../../src/mesh/backplane/backplane.ts';
import { spaceOfBody } from '../../../../src/gateway/config/versions/document-body.ts';
import { hashDocument } from '../../../../src/gateway/config/versions/shared-document.ts';
import { SILENT } from '../../../contracts/backplane-fixture.ts';
import { ManualTime } from '../../../mesh/backplane/manual-time.ts';
import {
  documentOf,
  newDataDir,
  newKey,
  startVersionNode,
  type VersionNode,
  type VersionNodeOptions,
} from './version-node.ts';

/** Of the time of the nodes, between two looks. */
const STEP_MS = 1_000;

let time: ManualTime;
let directory: string;
let backplane: Backplane;
let nodes: VersionNode[];

beforeEach(async () => {
  time = new ManualTime();
  directory = await newDataDir();
  const clock = { now: Date.now, monotonic: time.monotonic };
  backplane = createEmbeddedBackplane({ directory, clock, log: SILENT });
  await backplane.start();
  nodes = [];
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await backplane.close();
  await rm(directory, { recursive: true });
});

async function start(options: Partial<VersionNodeOptions> = {}): Promise<VersionNode> {
  const clock = { now: Date.now, monotonic: time.monotonic };
  const { schedule } = time;
  const node = await startVersionNode({ backplane, clock, schedule, key: newKey(), ...options });
  nodes.push(node);
  return node;
}

/** Lets time go by until it holds; the test's own timeout ends a wait in vain. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    time.advance(STEP_MS);
    await new Promise((next) => setTimeout(next, 5));
  }
}

async function hashes(): Promise<string[]> {
  return [...(await backplane.read('config-bodies')).records('doc').keys()];
}

describe('the upkeep of versions', () => {
  it('takes away documents that no version names any more, with all trace of them', async () => {
    const node = await start({ limits: { maxAgeMs: 1e12, maxCount: 2 } });
    for (const text of ['1', '2', '3']) await node.write(documentOf(text));
    const gone = hashDocument(documentOf('1'));
    expect(await hashes()).toContain(gone);
    await until(async () => !(await hashes()).includes(gone));
    expect(await hashes()).toHaveLength(2);
    expect((await backplane.read(spaceOfBody(gone))).epoch).toBe('');
    expect((await readdir(directory)).join()).not.toContain(gone);
    expect((await node.store.read(2))?.document).toEqual(documentOf('2'));
  });

  it('leaves one alone that was written a moment ago, though nothing names it yet', async () => {
    const node = await start();
    await node.write(documentOf('1'));
    // A second before the first pass may come, so that it comes within the lease.
    time.advance(47_000);
    const hash = hashDocument(documentOf('2'));
    const change = backplane.change.bind(backplane);
    // Cut off between the document and the version that names it.
    backplane.change = async (space, mutations) => {
      if (space === 'config') throw new Error('cut off');
      return change(space, mutations);
    };
    const by = { author: 'ann', message: '', basedOn: 1 };
    await expect(node.store.write(documentOf('2'), by)).rejects.toThrow('cut off');
    backplane.change = change;
    const expire = backplane.expire.bind(backplane);
    let looks = 0;
    backplane.expire = async (...args) => {
      const ids = await expire(...args);
      looks++;
      return ids;
    };
    await until(() => looks > 0);
    // Its lease runs out, and the next pass takes it.
    await until(async () => !(await hashes()).includes(hash));
    expect((await node.store.read(1))?.document).toEqual(documentOf('1'));
  });

  it('puts back the document of the newest version where it was lost', async () => {
    const node = await start();
    await node.write(documentOf('1'));
    const space = spaceOfBody(hashDocument(documentOf('1')));
    await backplane.change(space, [{ type: 'remove', kind: 'doc', id: '0' }]);
    await until(async () => (await backplane.read(space)).records('doc').size === 1);
    expect(node.warnings).toEqual(['the document of the version was lost, and is put back']);
  });

  it('seals anew what an old key sealed, so that it can be let go of', async () => {
    const [old, young] = [newKey(), newKey()];
    const before = await start({ key: old });
    for (const text of ['1', '2']) await before.write(documentOf(text));
    const both = await start({ key: `${young} ${old}` });
    const after = await start({ key: young });
    await until(async () =>
      (await Promise.allSettled([1, 2].map((version) => after.store.read(version)))).every(
        ({ status }) => status === 'fulfilled',
      ),
    );
    expect((await after.store.read(1))?.document).toEqual(documentOf('1'));
    expect(both.store.head()).toMatchObject({ version: 2, author: 'ann' });
    expect(after.store.list()).toEqual(both.store.list());
  });
});
