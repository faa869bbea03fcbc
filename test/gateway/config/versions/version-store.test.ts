import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BackplanePair } from '../../../contracts/backplane-fixture.ts';
import { openEmbeddedPair, openRedisPair } from '../../../redis/open-backplane.ts';
import {
  hashDocument,
  type SharedDocument,
} from '../../../../src/gateway/config/versions/shared-document.ts';
import {
  documentOf,
  newKey,
  startVersionNode,
  type VersionNode,
  type VersionNodeOptions,
} from './version-node.ts';

describeVersionStore('embedded', openEmbeddedPair);
describeVersionStore('Redis', () => openRedisPair('single'));
describeVersionStore('Redis by Sentinel', () => openRedisPair('sentinel'));
describeVersionStore('Redis Cluster', () => openRedisPair('cluster'));

/** What holds of a store of versions on every backplane. */
function describeVersionStore(name: string, open: () => Promise<BackplanePair>): void {
  describe(`version store: ${name}`, () => {
    const key = newKey();
    let pair: BackplanePair;
    let nodes: VersionNode[] = [];
    beforeAll(async () => {
      pair = await open();
    }, 60_000);
    afterAll(() => pair.close());
    afterEach(async () => {
      await Promise.all(nodes.map((node) => node.close()));
      nodes = [];
      for (const space of ['config', 'config-bodies']) await clear(space);
    });

    async function clear(space: string): Promise<void> {
      const ids = [...(await pair.here.read(space)).records('doc').keys()];
      if (ids.length === 0) return;
      await pair.here.change(
        space,
        ids.map((id) => ({ type: 'remove', kind: 'doc', id })),
      );
    }

    async function start(
      backplane = pair.here,
      options: Partial<VersionNodeOptions> = {},
    ): Promise<VersionNode> {
      const node = await startVersionNode({ backplane, key, ...options });
      nodes.push(node);
      return node;
    }

    it('knows that there is none before the first', async () => {
      const { store } = await start();
      expect([store.isKnown(), store.head(), store.list()]).toEqual([true, undefined, []]);
      expect(await store.read(1)).toBeUndefined();
    });

    it('numbers what is written, says by whom and when, and gives it back on another node', async () => {
      const here = await start();
      const there = await start(pair.there);
      const document = documentOf('hi');
      const by = { author: 'ann', message: 'first', basedOn: 0 };
      const outcome = await here.store.write(document, by);
      expect(outcome).toEqual({
        written: true,
        version: {
          version: 1,
          author: 'ann',
          message: 'first',
          at: expect.stringMatching(/^20\d\d-.*Z$/) as string,
          hash: hashDocument(document),
          pinned: false,
        },
      });
      expect(here.store.head()).toMatchObject({ version: 1, document });
      const heard = await there.until(({ version }) => version === 1);
      expect(heard.document).toEqual(document);
      expect(heard.hash).toBe(hashDocument(document));
      expect(there.store.list()).toEqual(outcome.written ? [outcome.version] : []);
    });

    it('has the newest when it has started', async () => {
      await (await start()).write(documentOf('hi'));
      const late = await start(pair.there);
      expect(late.store.head()).toMatchObject({ version: 1, document: documentOf('hi') });
    });

    it('refuses a write that was based on another version than the newest', async () => {
      const here = await start();
      const there = await start(pair.there);
      const first = await here.write(documentOf('1'));
      const late = await there.store.write(documentOf('2'), {
        author: 'bob',
        message: '',
        basedOn: 0,
      });
      expect(late).toEqual({ written: false, head: first });
      const ahead = await there.store.write(documentOf('2'), {
        author: 'bob',
        message: '',
        basedOn: 7,
      });
      expect(ahead).toEqual({ written: false, head: first });
      expect((await here.store.read(1))?.document).toEqual(documentOf('1'));
      expect(await here.store.read(2)).toBeUndefined();
    });

    it('lets one of many concurrent writers win, and loses no update of those that try again', async () => {
      const writers = await Promise.all([start(), start(pair.there), start(), start(pair.there)]);
      const WRITES = 10;
      await Promise.all(
        writers.map(async ({ store }, writer) => {
          for (let number = 0; number < WRITES;) {
            const head = store.head();
            const tag = `w${writer}-${number}`;
            const names = Object.keys(head?.document.services ?? {});
            const document = withServices([...names, tag]);
            const basedOn = head?.version ?? 0;
            const outcome = await store.write(document, { author: tag, message: '', basedOn });
            if (outcome.written) number++;
            // What it lost against is known before it tries again.
            else await untilVersion(writers[writer]!, outcome.head!.version);
          }
        }),
      );
      const last = await writers[0].until(({ version }) => version === writers.length * WRITES);
      expect(Object.keys(last.document.services)).toHaveLength(writers.length * WRITES);
      for (const node of writers) await untilVersion(node, last.version);
      expect(new Set(writers.map(({ store }) => store.head()?.hash))).toEqual(new Set([last.hash]));
    });

    it('says which is the newest in the backplane, whatever is known here', async () => {
      const here = await start();
      expect(await here.store.newest()).toBe(0);
      await here.write(documentOf('1'));
      const there = await start(pair.there);
      await there.write(documentOf('2'));
      expect(await here.store.newest()).toBe(2);
    });

    it('shares the document of versions that say the same, and tells them apart', async () => {
      const here = await start();
      await here.write(documentOf('a'));
      await here.write(documentOf('b'));
      const { document } = (await here.store.read(1))!;
      const by = { author: 'ann', message: 'undo', basedOn: 2, rollbackOf: 1 };
      const outcome = await here.store.write(document, by);
      expect(outcome).toMatchObject({ written: true, version: { version: 3, rollbackOf: 1 } });
      const [third, second, first] = here.store.list();
      expect([third?.version, second?.version, first?.version]).toEqual([3, 2, 1]);
      expect(third?.hash).toBe(first?.hash);
      expect((await pair.here.read('config-bodies')).records('doc').size).toBe(2);
    });

    it('keeps a document of megabytes, whole', async () => {
      const here = await start();
      const there = await start(pair.there);
      const routes = Array.from({ length: 4_000 }, (_, index) => ({
        name: `r${index}`,
        match: [{ path: `/${crypto.randomUUID()}/*` }],
        respond: { status: 200, body: `${crypto.randomUUID()} ü 🙂`.repeat(20) },
      }));
      const document = { ...documentOf(''), routes };
      await here.write(document);
      const heard = await there.until(({ version }) => version === 1);
      expect(heard.json.length).toBeGreaterThan(3_000_000);
      expect(heard.document).toEqual(document);
    });

    it('keeps as many versions as it may, the newest and the pinned ones whatever their age', async () => {
      const limits = { maxAgeMs: 60_000, maxCount: 3 };
      const here = await start(pair.here, { limits });
      for (let number = 1; number <= 3; number++) await here.write(documentOf(`${number}`));
      expect(await here.store.pin(1, true)).toBe(true);
      for (let number = 4; number <= 6; number++) await here.write(documentOf(`${number}`));
      const versions = (node: VersionNode): number[] =>
        node.store.list().map(({ version }) => version);
      expect(versions(here)).toEqual([6, 5, 4, 1]);
      expect(here.store.list().at(-1)?.pinned).toBe(true);
      expect((await here.store.read(1))?.document).toEqual(documentOf('1'));
      expect(await here.store.read(2)).toBeUndefined();
      expect(versions(await start(pair.there))).toEqual([6, 5, 4, 1]);
      expect(await here.store.pin(1, false)).toBe(true);
      await here.write(documentOf('7'));
      expect(versions(here)).toEqual([7, 6, 5]);
      expect(await here.store.pin(1, true)).toBe(false);
    });

    it('tells a pin to the other nodes, and makes no version of it', async () => {
      const here = await start();
      const there = await start(pair.there);
      await here.write(documentOf('1'));
      await there.until(({ version }) => version === 1);
      const heads: number[] = [];
      there.store.onHead(({ version }) => heads.push(version));
      await here.store.pin(1, true);
      expect(here.store.head()?.pinned).toBe(true);
      await here.write(documentOf('2'));
      await there.until(({ version }) => version === 2);
      expect(there.store.list()[1]).toMatchObject({ version: 1, pinned: true });
      expect(heads).toEqual([2]);
    });

    it('keeps nothing of it in the clear', async () => {
      const here = await start();
      const secret = 'hunter2-is-no-password';
      await here.write(documentOf(secret));
      const hash = hashDocument(documentOf(secret));
      const body = (await pair.here.read(`config-body:${hash}`)).records('doc').get('0');
      expect(JSON.stringify(body)).toContain('mgs1.');
      expect(JSON.stringify(body)).not.toContain(secret);
      await here.store.close();
      const kept = join(here.dataDir, 'config-versions');
      for (const file of await readdir(kept)) {
        expect(await readFile(join(kept, file), 'utf8')).not.toContain(secret);
      }
    });

    it('reads what another key sealed where both are given, and says which one is missing where not', async () => {
      const here = await start();
      await here.write(documentOf('1'));
      const next = newKey();
      const stranger = await start(pair.there, { key: next });
      expect(await stranger.untilUnreadable()).toMatch(/sealed with the key [0-9a-f]{8}/);
      expect(stranger.store.head()).toBeUndefined();
      expect(stranger.store.isKnown()).toBe(false);
      const by = { author: 'bob', message: '', basedOn: 1 };
      await expect(stranger.store.write(documentOf('2'), by)).rejects.toThrow(/another key/);
      await expect(stranger.store.read(1)).rejects.toThrow(/version 1 cannot be read/);
      const both = await start(pair.there, { key: `${next},${key}` });
      expect(both.store.head()?.document).toEqual(documentOf('1'));
    });

    it('believes no record that was altered', async () => {
      const here = await start();
      await here.write(documentOf('1'));
      const view = await pair.here.read('config');
      const record = view.records('doc').get('v:1')!;
      const forged = { ...(record.value as object), author: 'mallory' };
      const there = await start(pair.there);
      await pair.here.change('config', [
        { type: 'put', kind: 'doc', id: 'head', value: { version: 2 } },
        { type: 'put', kind: 'doc', id: 'v:2', value: forged },
      ]);
      expect(await there.untilUnreadable()).toMatch(/altered/);
      expect(there.store.head()?.version).toBe(1);
      // Who writes next gets over it.
      const by = { author: 'ann', message: '', basedOn: 2 };
      expect(await here.store.write(documentOf('3'), by)).toMatchObject({ written: true });
      expect(await there.until(({ version }) => version === 3)).toMatchObject({ author: 'ann' });
      expect(there.store.unreadable()).toBeUndefined();
    });

    it('says how long ago it was confirmed: not at all, while connected', async () => {
      expect((await start()).store.stalenessMs()).toBe(0);
    });
  });
}

async function untilVersion(node: VersionNode, atLeast: number): Promise<void> {
  await node.until(({ version }) => version >= atLeast);
}

function withServices(names: readonly string[]): SharedDocument {
  const services = Object.fromEntries(names.map((name) => [name, { endpoints: [] }]));
  return { ...documentOf(''), services };
}
