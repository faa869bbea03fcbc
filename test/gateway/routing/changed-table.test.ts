/** A table that is made from another one, by what differs, finds what one made from nothing finds. */
import { array, assert, constantFrom, integer, property, record, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MatchEntry } from '../../../src/gateway/config/route-config.ts';
import { placeRoute, type PlacedRoute } from '../../../src/gateway/routing/candidate.ts';
import type { RouteSpec } from '../../../src/gateway/routing/route-spec.ts';
import { PlacedRouteTable } from '../../../src/gateway/routing/route-table.ts';
import { runAtOnce } from '../../../src/gateway/routing/sliced-work.ts';
import { generatedRuns, GENERATED_SEED } from '../../generated-runs.ts';
import { entry, exact, field, prefix, regex, request } from './routing-fixture.ts';

type Placed = PlacedRoute<string> & { readonly order: number };

const HOSTS = [[], ['x.test'], ['*.test'], ['*.y.test', 'x.test'], ['X.test', 'x.test']];
const PATHS = [
  ...['/', '/a', '/a/b', '/a/b/c', '/deep/er/still'].flatMap((path) => [prefix(path), exact(path)]),
  ...['/a/[a-c]', '.*b', '/n-[0-9]+'].map(regex),
  // A node with many below it is copied in another way.
  ...Array.from({ length: 60 }, (_, i) => prefix(`/n-${i}`)),
];

const match = record({
  hosts: constantFrom(...HOSTS),
  path: constantFrom(...PATHS),
  methods: constantFrom([], [], ['GET'], ['POST']),
  headers: constantFrom([], [], [field('x-a', '1')], [field('x-a', '1'), field('x-b', '1')]),
  priority: constantFrom(0, 0, 0, 1, -1),
});

const spec = tuple(array(match, { minLength: 1, maxLength: 3 }), integer()).map(
  ([matches, salt]): RouteSpec<string> => ({
    name: `r${salt}`,
    value: `r${salt}`,
    priority: matches[0]!.priority,
    matches: matches.map((parts): MatchEntry => entry(parts)),
  }),
);

/** Where it is put, by its share of the list, and how many it takes the place of. */
const edit = record({
  at: integer({ min: 0, max: 99 }),
  removed: integer({ min: 0, max: 2 }),
  added: array(spec, { maxLength: 2 }),
});

const REQUESTS = [
  '/',
  '/a',
  '/a/b',
  '/a/b/c',
  '/a/c',
  '/deep/er/still/x',
  '/n-3',
  '/n-59/x',
  '*',
].flatMap((path) =>
  ['x.test', 'z.y.test', 'other'].flatMap((host) => [
    request({ path, host }),
    request({ path, host, method: 'POST', headers: ['x-a', '1', 'x-b', '1'] }),
  ]),
);

function place(one: RouteSpec<string>, order: number): Placed {
  return { ...placeRoute(one, order), order };
}

function seenOf(table: PlacedRouteTable<string>): unknown {
  return REQUESTS.map((asked) => {
    const told: string[] = [];
    const found = table.match(asked, {
      won: (...all) => told.push(`won ${all.join(' ')}`),
      lost: (...all) => told.push(`lost ${all.join(' ')}`),
    });
    return [found?.value, found?.index, found?.prefix, told];
  });
}

describe('a table that is made from another', () => {
  it('finds and tells what one made from nothing does, and leaves the other as it was', () => {
    assert(
      property(array(spec, { maxLength: 80 }), array(edit, { maxLength: 8 }), (specs, edits) => {
        const room = 1_000;
        let routes: readonly Placed[] = specs.map((one, i) => place(one, (i + 1) * room));
        let table = runAtOnce(PlacedRouteTable.of(routes));
        for (const { at, removed: count, added: fresh } of edits) {
          const before = seenOf(table);
          const start = Math.floor((at * (routes.length + 1)) / 100);
          const removed = routes.slice(start, start + count);
          const low = routes[start - 1]?.order ?? 0;
          const high = routes[start + count]?.order ?? low + 4 * room;
          // With room for three entries between any two; where there is none left, nothing is added.
          const added = fresh
            .map((one, i) => place(one, low + Math.floor(((high - low) * (i + 1)) / 3)))
            .filter((_, i) => high - low > 12 * (i + 1));
          const next = routes.toSpliced(start, count, ...added);
          const changed = runAtOnce(table.with({ removed, added }, () => next));
          expect(seenOf(table)).toEqual(before);
          expect(seenOf(changed)).toEqual(seenOf(runAtOnce(PlacedRouteTable.of(next))));
          routes = next;
          table = changed;
        }
      }),
      { numRuns: generatedRuns(60), seed: GENERATED_SEED },
    );
  });

  it('goes on where there is no room for a tier between two others', () => {
    const one = (priority: number, value: string): Placed =>
      place({ name: value, value, priority, matches: [entry()] }, 1);
    let routes = [one(1_000_000, 'first'), one(-1_000_000, 'last')];
    let table = runAtOnce(PlacedRouteTable.of(routes));
    for (let i = 0; i < 60; i++) {
      const added = [one(1_000 - i, `r${i}`)];
      routes = [...routes, ...added];
      table = runAtOnce(table.with({ removed: [], added }, () => routes));
    }
    expect(table.match(request())?.value).toBe('first');
    const [first, ...others] = routes;
    table = runAtOnce(table.with({ removed: [first!], added: [] }, () => others));
    expect(table.match(request())?.value).toBe('r0');
  });

  it('keeps up where many come and go below one node', () => {
    const one = (i: number): Placed =>
      place(
        {
          name: `r${i}`,
          value: `r${i}`,
          priority: 0,
          matches: [entry({ path: prefix(`/n-${i}`) })],
        },
        i + 1,
      );
    let routes = Array.from({ length: 500 }, (_, i) => one(i));
    let table = runAtOnce(PlacedRouteTable.of(routes));
    for (let i = 500; i < 600; i++) {
      const removed = [routes[0]!];
      const added = [one(i)];
      routes = [...routes.slice(1), ...added];
      table = runAtOnce(table.with({ removed, added }, () => routes));
    }
    const found = (i: number): string | undefined =>
      table.match(request({ path: `/n-${i}` }))?.value;
    expect([found(99), found(100), found(599), found(600)]).toEqual([
      undefined,
      'r100',
      'r599',
      undefined,
    ]);
    table = runAtOnce(table.with({ removed: routes, added: [] }, () => []));
    expect(found(100)).toBeUndefined();
  });
});
