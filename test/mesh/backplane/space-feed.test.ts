/** A space is read while it is changed: the two connections of a node tell in no order. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { SpaceView } from '../../../src/mesh/backplane/backplane.ts';
import type { Delta, FullRead } from '../../../src/mesh/backplane/delta.ts';
import { SpaceFeed } from '../../../src/mesh/backplane/redis/space-feed.ts';
import type { Position, SpaceStore } from '../../../src/mesh/backplane/redis/space-store.ts';

interface Script {
  readonly positions: Position[];
  readonly reads: (() => Promise<FullRead>)[];
  readonly views: SpaceView[];
  readonly feed: SpaceFeed;
  /** Resolves when a view of that revision has been told. */
  readonly untilTold: (revision: number) => Promise<void>;
}

function open(): Script {
  const positions: Position[] = [];
  const reads: (() => Promise<FullRead>)[] = [];
  const views: SpaceView[] = [];
  let wake = (): void => {};
  const store: Pick<SpaceStore, 'position' | 'readAll' | 'changesAfter'> = {
    position: async () => positions.shift()!,
    readAll: () => reads.shift()!(),
    // Trimmed.
    changesAfter: async (): Promise<Delta[]> => [],
  };
  const feed = new SpaceFeed({
    store: store as SpaceStore,
    random: () => 0.5,
    // Views at once, and no polls.
    schedule(delayMs, run) {
      if (delayMs <= 100) queueMicrotask(run);
      return () => {};
    },
    onFailure: (reason) => {
      throw new Error(reason);
    },
  });
  feed.add((view) => {
    views.push(view);
    wake();
  });
  return {
    positions,
    reads,
    views,
    feed,
    async untilTold(revision) {
      while (views.at(-1)?.revision !== revision) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      // It is told from within; the reading ends after it.
      await nextTurn();
    },
  };
}

function read(revision: number, epoch = 'e'): FullRead {
  const record = { id: 'a', generation: revision, owner: '', value: revision };
  return { epoch, revision, records: [['doc', record]] };
}

function message(revision: number, epoch = 'e'): string {
  return `{"epoch":"${epoch}","rev":${revision},"delta":[["doc","a",${revision},"",${revision}]]}`;
}

it('keeps what was heard while an older state was being read', async () => {
  const { positions, reads, views, feed, untilTold } = open();
  positions.push({ epoch: 'e', revision: 1 });
  reads.push(async () => read(1));
  feed.catchUp();
  await untilTold(1);
  // The log has no more of it, and the full read is as of revision 2.
  positions.push({ epoch: 'e', revision: 2 }, { epoch: 'e', revision: 3 });
  reads.push(async () => {
    feed.hear(message(2));
    feed.hear(message(3));
    return read(2);
  });
  feed.catchUp();
  await untilTold(3);
  feed.hear(message(4));
  await untilTold(4);
  expect(views.map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
  expect(views.slice(1).every(({ continuous }) => continuous)).toBe(true);
  expect(views.at(-1)!.records('doc').get('a')?.value).toBe(4);
});

it('follows a store that has gone back, though it is in the same epoch', async () => {
  const { positions, reads, views, feed, untilTold } = open();
  positions.push({ epoch: 'e', revision: 5 });
  reads.push(async () => read(5));
  feed.catchUp();
  await untilTold(5);
  positions.push({ epoch: 'e', revision: 3 });
  reads.push(async () => read(3));
  feed.catchUp();
  await untilTold(3);
  expect(views.at(-1)!.continuous).toBe(false);
});
