import { describe, expect, it } from 'vitest';
import {
  expiredVersions,
  reconcile,
  type KnownHead,
} from '../../../../src/gateway/config/versions/history.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse('2026-07-01T00:00:00Z');

function record(version: number, daysAgo: number, pinned = false) {
  return { version, at: new Date(NOW_MS - daysAgo * DAY_MS).toISOString(), pinned };
}

function head(version: number, more: Partial<KnownHead> = {}): KnownHead {
  return { version, hash: `hash of ${version}`, lineage: 'one', isConfirmed: true, ...more };
}

describe('the history of versions', () => {
  it('keeps 100 versions of 90 days where nothing else is asked for', async () => {
    const { HISTORY_LIMITS } = await import('../../../../src/gateway/config/versions/history.ts');
    const young = Array.from({ length: 101 }, (_, index) => record(index + 1, 1));
    expect(expiredVersions(young, NOW_MS, HISTORY_LIMITS)).toEqual([1]);
    const old = [record(1, 91), record(2, 90), record(3, 0)];
    expect(expiredVersions(old, NOW_MS, HISTORY_LIMITS)).toEqual([1]);
  });

  it('lets go of what is too old or too many, by number and not by the order it comes in', () => {
    const records = [record(4, 1), record(1, 50), record(3, 2), record(2, 40)];
    const limits = { maxAgeMs: 45 * DAY_MS, maxCount: 100 };
    expect(expiredVersions(records, NOW_MS, limits)).toEqual([1]);
    expect(expiredVersions(records, NOW_MS, { ...limits, maxCount: 2 })).toEqual([2, 1]);
  });

  it('keeps the newest whatever its age, and what is pinned', () => {
    const records = [record(3, 400), record(2, 400, true), record(1, 400)];
    expect(expiredVersions(records, NOW_MS, { maxAgeMs: DAY_MS, maxCount: 1 })).toEqual([1]);
    expect(expiredVersions([], NOW_MS, { maxAgeMs: DAY_MS, maxCount: 1 })).toEqual([]);
  });
});

describe('whose word counts', () => {
  it('takes a newer version, and confirms the same', () => {
    expect(reconcile(undefined, undefined)).toBe('nothing');
    expect(reconcile(undefined, head(1))).toBe('take');
    expect(reconcile(head(1), head(2))).toBe('take');
    expect(reconcile(head(2), head(2))).toBe('confirm');
    expect(reconcile(head(2, { isConfirmed: false }), head(2))).toBe('confirm');
  });

  it('puts back what a store has lost, whole or in part', () => {
    expect(reconcile(head(2), undefined)).toBe('put-back');
    expect(reconcile(head(2), head(1))).toBe('put-back');
    expect(reconcile(head(2, { isConfirmed: false }), undefined)).toBe('put-back');
    expect(reconcile(head(2, { isConfirmed: false }), head(1))).toBe('put-back');
  });

  it('believes the store where two versions have one number', () => {
    expect(reconcile(head(2), head(2, { hash: 'another' }))).toBe('take');
    expect(reconcile(head(2), head(2, { lineage: 'two' }))).toBe('take');
  });

  it('gives no say to who merely remembers another history', () => {
    const remembered = head(57, { isConfirmed: false });
    expect(reconcile(remembered, head(12, { lineage: 'two' }))).toBe('take');
    // Seen in this very store: it was emptied, and somebody began anew before it was put back.
    expect(reconcile(head(57), head(1, { lineage: 'two' }))).toBe('put-back');
    expect(reconcile(head(57), head(58, { lineage: 'two' }))).toBe('take');
  });
});
