import { describe, expect, it } from 'vitest';
import {
  dropExpired,
  nextExpiryMs,
  NOTHING_KNOWN,
  takeView,
  type InstanceView,
  type KnownInstances,
} from '../../../src/mesh/discovery/known-instances.ts';
import type { EndpointSpec } from '../../../src/mesh/endpoint.ts';

const LEASE_MS = 15_000;

function view(epoch: string, revision: number, ids: string, continuous = false): InstanceView {
  const specs = new Map<string, EndpointSpec>();
  for (const id of ids) specs.set(id, { id, host: id, port: revision, weight: 1, metadata: {} });
  return { epoch, revision, continuous, specs };
}

function ids({ specs }: KnownInstances): string {
  return [...specs.keys()].toSorted().join('');
}

const KNOWN = takeView(NOTHING_KNOWN, view('e', 5, 'abc'), 0);

describe('known instances', () => {
  it('are the registry’s as long as views follow on each other', () => {
    const next = takeView(KNOWN, view('e', 6, 'bd', true), 0);
    expect([ids(next), next.carried.size]).toEqual(['bd', 0]);
    expect(next.specs.get('b')?.port).toBe(6);
  });

  it('follow a first view of the epoch they were saved in', () => {
    expect(ids(takeView(KNOWN, view('e', 9, 'a'), 0))).toBe('a');
  });

  it.each([
    ['a new epoch', view('f', 9, 'a')],
    ['revisions that went backwards', view('e', 4, 'a')],
  ])('are carried for a lease over %s', (_, broken) => {
    const next = takeView(KNOWN, broken, 1_000);
    expect([ids(next), ids(dropExpired(next, 15_999)), ids(dropExpired(next, 16_000))]).toEqual([
      'abc',
      'abc',
      'a',
    ]);
    expect(nextExpiryMs(next)).toBe(1_000 + LEASE_MS);
    expect(nextExpiryMs(dropExpired(next, 16_000))).toBeUndefined();
  });

  it('stop being carried when they are heard of again', () => {
    const broken = takeView(KNOWN, view('f', 1, 'a'), 0);
    const heard = takeView(broken, view('f', 2, 'ab', true), 10);
    expect([ids(heard), [...heard.carried.keys()]]).toEqual(['abc', ['c']]);
    expect(heard.specs.get('b')?.port).toBe(2);
    const gone = takeView(heard, view('f', 3, 'a', true), 20);
    expect(ids(gone)).toBe('ac');
    expect(ids(takeView(gone, view('f', 4, 'a', true), LEASE_MS))).toBe('a');
  });

  it('are carried anew over a second break', () => {
    const broken = takeView(KNOWN, view('f', 1, 'a'), 0);
    const again = takeView(broken, view('g', 1, 'b'), 10_000);
    expect([ids(dropExpired(again, 24_999)), ids(dropExpired(again, 25_000))]).toEqual([
      'abc',
      'b',
    ]);
  });

  it('stay, all of them and without end, while the registry is empty', () => {
    for (const empty of [view('', 0, ''), view('f', 3, ''), view('e', 6, '', true)]) {
      const kept = dropExpired(takeView(KNOWN, empty, 0), 1e9);
      expect(ids(kept)).toBe('abc');
    }
  });

  it('have a lease’s time when an emptied registry hears of the first', () => {
    const emptied = takeView(KNOWN, view('', 0, ''), 0);
    const first = takeView(emptied, view('f', 1, 'a'), 60_000);
    expect(ids(first)).toBe('abc');
    expect(ids(dropExpired(first, 75_000))).toBe('a');
    // Also where it comes in as a change of the view that was empty.
    const changed = takeView(takeView(KNOWN, view('f', 0, ''), 0), view('f', 1, 'a', true), 60_000);
    expect(ids(changed)).toBe('abc');
  });

  it('give way at once when all had left on purpose', () => {
    const left = takeView(KNOWN, view('e', 6, '', true), 0);
    expect(ids(takeView(left, view('e', 7, 'd', true), 10))).toBe('d');
  });

  it('are not dropped to nothing', () => {
    const broken = takeView(KNOWN, view('f', 1, 'd'), 0);
    const only: KnownInstances = {
      ...broken,
      carried: new Map([...broken.specs.keys()].map((id) => [id, 5])),
    };
    const dropped = dropExpired(only, 5);
    expect([ids(dropped), nextExpiryMs(dropped)]).toEqual(['abcd', undefined]);
  });
});
