import { describe, expect, it } from 'vitest';
import type { RecordKind, SpaceView, StoredRecord } from '../../../src/mesh/backplane/backplane.ts';
import type { Change, Delta } from '../../../src/mesh/backplane/delta.ts';
import { ViewFeed } from '../../../src/mesh/backplane/view-feed.ts';
import { idsOf } from '../../contracts/backplane-fixture.ts';
import { ManualTime } from './manual-time.ts';

function record(id: string): StoredRecord {
  return { id, generation: 1, owner: '', value: null };
}

function put(id: string): Change {
  return { type: 'put', kind: 'inst', record: record(id) };
}

function full(epoch: string, revision: number, ids: readonly string[]) {
  const records = ids.map((id): readonly [RecordKind, StoredRecord] => ['inst', record(id)]);
  return { epoch, revision, records };
}

function delta(epoch: string, revision: number, ...changes: Change[]): Delta {
  return { epoch, revision, changes };
}

function open() {
  const time = new ManualTime();
  const feed = new ViewFeed(time.schedule);
  const views: SpaceView[] = [];
  const stop = feed.add((view) => views.push(view));
  return { time, feed, views, stop };
}

describe('a feed of views', () => {
  it('tells the first full read at once, and what changes within 100 ms of it at their end', () => {
    const { time, feed, views } = open();
    feed.replace(full('e', 4, ['a']));
    expect(views).toHaveLength(1);
    time.advance(30);
    expect(feed.apply(delta('e', 5, put('b')))).toBe('applied');
    time.advance(60);
    expect(feed.apply(delta('e', 6, put('c')))).toBe('applied');
    time.advance(9);
    expect(views).toHaveLength(1);
    time.advance(1);
    expect(views).toHaveLength(2);
    expect([idsOf(views[1]!), views[1]!.revision, views[1]!.continuous]).toEqual([
      ['a', 'b', 'c'],
      6,
      true,
    ]);
    time.advance(1_000);
    expect(views).toHaveLength(2);
  });

  it('tells a change at once that follows 100 ms of rest, and gathers those after it', () => {
    const { time, feed, views } = open();
    feed.replace(full('e', 4, []));
    time.advance(100);
    feed.apply(delta('e', 5, put('a')));
    expect(idsOf(views[1]!)).toEqual(['a']);
    for (const revision of [6, 7, 8]) feed.apply(delta('e', revision, put(`of-${revision}`)));
    time.advance(99);
    expect(views).toHaveLength(2);
    time.advance(1);
    expect(views).toHaveLength(3);
    expect(idsOf(views[2]!)).toEqual(['a', 'of-6', 'of-7', 'of-8']);
  });

  it('tells a steady stream of changes ten times a second', () => {
    const { time, feed, views } = open();
    feed.replace(full('e', 0, []));
    for (let revision = 1; revision <= 100; revision++) {
      time.advance(10);
      feed.apply(delta('e', revision, put('a')));
    }
    expect(views).toHaveLength(1 + 10);
  });

  it('does not apply what it has, what leaves a gap, and what is of another epoch', () => {
    const { time, feed, views } = open();
    expect(feed.apply(delta('e', 1, put('x')))).toBe('other-epoch');
    feed.replace(full('e', 4, ['a']));
    expect(feed.apply(delta('e', 4, put('x')))).toBe('old');
    expect(feed.apply(delta('e', 3, put('x')))).toBe('old');
    expect(feed.apply(delta('e', 6, put('x')))).toBe('gap');
    expect(feed.apply(delta('f', 5, put('x')))).toBe('other-epoch');
    expect(feed.apply({ epoch: 'e', revision: 5, changes: undefined })).toBe('gap');
    time.advance(1_000);
    expect(views).toHaveLength(1);
  });

  it('is continuous over a full read that skips revisions', () => {
    const { time, feed, views } = open();
    feed.replace(full('e', 4, ['a']));
    feed.replace(full('e', 9, ['b']));
    time.advance(100);
    expect([idsOf(views[1]!), views[1]!.continuous]).toEqual([['b'], true]);
  });

  it.each([
    ['another epoch', full('f', 9, ['b'])],
    ['revisions that went backwards', full('e', 3, ['b'])],
  ])('is broken by %s, until told', (_, next) => {
    const { time, feed, views } = open();
    feed.replace(full('e', 4, ['a']));
    feed.replace(next);
    feed.apply(delta(next.epoch, next.revision + 1, put('c')));
    time.advance(100);
    expect([idsOf(views[1]!), views[1]!.continuous]).toEqual([['b', 'c'], false]);
    feed.apply(delta(next.epoch, next.revision + 2, put('d')));
    time.advance(100);
    expect(views[2]!.continuous).toBe(true);
  });

  it('never alters a view that was handed out', () => {
    const { time, feed, views } = open();
    feed.replace(full('e', 1, ['a']));
    feed.apply(delta('e', 2, { type: 'remove', kind: 'inst', id: 'a' }, put('b')));
    time.advance(100);
    expect(views.map((view) => idsOf(view))).toEqual([['a'], ['b']]);
  });

  it('tells a listener that comes later, and none that left', async () => {
    const { time, feed, views, stop } = open();
    feed.replace(full('e', 1, ['a']));
    const later: SpaceView[] = [];
    feed.add((view) => later.push(view));
    await Promise.resolve();
    expect(later.map(({ continuous }) => continuous)).toEqual([false]);
    stop();
    feed.apply(delta('e', 2, put('b')));
    time.advance(100);
    expect([views.length, later.length]).toEqual([1, 2]);
    expect(feed.isWatched).toBe(true);
  });
});
