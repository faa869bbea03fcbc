/** Random tables against the rule written down naively: filter all entries, sort by precedence. */
import { describe, expect, it } from 'vitest';
import type { FieldMatch, MatchEntry } from '../../../src/gateway/config/route-config.ts';
import { createRouteTable } from '../../../src/gateway/routing/route-table.ts';
import { entry, field, fieldRegex, present, request } from './routing-fixture.ts';
import type { Routable, RouteSpec } from '../../../src/gateway/routing/route-spec.ts';

interface Random {
  below(n: number): number;
  pick<I>(items: readonly I[]): I;
}

/** Mulberry32. */
function createRandom(seed: number): Random {
  let state = seed;
  const below = (n: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
  return { below, pick: (items) => items[below(items.length)]! };
}

const HOSTS = ['x.test', 'a.x.test', 'b.a.x.test', '__proto__', '*.test', '*.x.test', '*.a.x.test'];
const PATHS: readonly MatchEntry['path'][] = [
  { kind: 'prefix', value: '/' },
  { kind: 'prefix', value: '/a' },
  { kind: 'prefix', value: '/a/' },
  { kind: 'prefix', value: '/a/b' },
  { kind: 'prefix', value: '/__proto__' },
  { kind: 'exact', value: '/' },
  { kind: 'exact', value: '/a' },
  { kind: 'exact', value: '/a/' },
  { kind: 'exact', value: '/a/b' },
  { kind: 'regex', value: '/a/[a-c]' },
  { kind: 'regex', value: '^/a/b' },
  { kind: 'regex', value: '.*b' },
  { kind: 'regex', value: '/ab?|/a/b/c' },
];
const HEADERS: readonly FieldMatch[] = [
  field('x-a', '1'),
  fieldRegex('x-b', '[12]'),
  present('x-c'),
];
const QUERY: readonly FieldMatch[] = [field('q', '1'), fieldRegex('r', '[12]'), present('s')];

function randomRoutes(random: Random): RouteSpec<string>[] {
  const some = <I>(items: readonly I[]): I[] => items.filter(() => random.below(4) === 0);
  return Array.from({ length: 1 + random.below(25) }, (_, i) => ({
    name: `r${i}`,
    value: `r${i}`,
    priority: random.below(6) === 0 ? random.below(5) - 2 : 0,
    matches: Array.from({ length: 1 + random.below(3) }, () =>
      entry({
        hosts: random.below(3) === 0 ? [] : [random.pick(HOSTS), random.pick(HOSTS)],
        path: random.pick(PATHS),
        methods: random.below(3) === 0 ? [random.pick(['GET', 'POST']), 'PUT'] : [],
        headers: some(HEADERS),
        query: some(QUERY),
      }),
    ),
  }));
}

function randomRequest(random: Random): Routable {
  const headers = ['X-A', 'x-b', 'x-C'].flatMap((name) =>
    random.below(3) === 0 ? [] : [name, random.pick(['1', '1', '2', '3'])],
  );
  const query = ['q', 'r', 's']
    .filter(() => random.below(3) > 0)
    .map((name) => `${name}=${random.pick(['1', '1', '2', '3'])}`);
  return request({
    method: random.pick(['GET', 'GET', 'POST', 'HEAD']),
    host: random.pick([
      'x.test',
      'a.x.test',
      'b.a.x.test',
      'c.b.a.x.test',
      'test',
      '__proto__',
      '',
    ]),
    path: random.pick(['/', '/a', '/a/', '/ab', '/a/b', '/a/b/', '/a/b/c', '/a/c', '/__proto__/b']),
    headers,
    query: query.length === 0 ? '' : `?${query.join('&')}`,
  });
}

/** What a host pattern is worth for a host: undefined where it does not name it. */
function hostWorth(pattern: string, host: string): number | undefined {
  if (pattern === host) return 1000;
  return pattern.startsWith('*') && host.endsWith(pattern.slice(1)) ? pattern.length : undefined;
}

function pathWorth({ kind, value }: MatchEntry['path'], path: string): number | undefined {
  if (kind === 'exact') return path === value ? 3000 : undefined;
  if (kind === 'regex') return new RegExp(`^(?:${value})$`).test(path) ? 2000 : undefined;
  const bare = value.replace(/\/$/, '');
  return path === bare || path.startsWith(`${bare}/`) ? Math.max(1, bare.length) : undefined;
}

function fieldHolds(match: FieldMatch, value: string | null | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (match.kind === 'exact') return value === match.value;
  return match.kind === 'present' || new RegExp(`^(?:${match.value})$`).test(value);
}

/** The worth of an entry by each rule, highest first; undefined where it does not match. */
function worth(route: RouteSpec<string>, match: MatchEntry, asked: Routable): number[] | undefined {
  const hosts =
    match.hosts.length === 0 ? [0] : match.hosts.map((pattern) => hostWorth(pattern, asked.host));
  const host = Math.max(...hosts.map((each) => each ?? -1));
  const path = pathWorth(match.path, asked.path);
  const query = new URLSearchParams(asked.query);
  if (host === -1 || path === undefined) return undefined;
  if (match.methods.length > 0 && !match.methods.includes(asked.method)) return undefined;
  if (!match.headers.every((each) => fieldHolds(each, asked.headers.get(each.name))))
    return undefined;
  if (!match.query.every((each) => fieldHolds(each, query.get(each.name)))) return undefined;
  const hasMethod = match.methods.length > 0 ? 1 : 0;
  return [route.priority, host, path, hasMethod, match.headers.length, match.query.length];
}

function oracle(routes: readonly RouteSpec<string>[], asked: Routable): string | undefined {
  let best: { readonly name: string; readonly worth: number[] } | undefined;
  for (const route of routes) {
    for (const [index, match] of route.matches.entries()) {
      const mine = worth(route, match, asked);
      if (mine === undefined) continue;
      const rule = best === undefined ? 0 : mine.findIndex((each, i) => each !== best!.worth[i]);
      if (best === undefined || (rule !== -1 && mine[rule]! > best.worth[rule]!)) {
        best = { name: `${route.name}[${index}]`, worth: mine };
      }
    }
  }
  return best?.name;
}

describe('a random table', () => {
  it('gives the same winner as filtering and sorting all of its entries', () => {
    const random = createRandom(42);
    let matched = 0;
    for (let round = 0; round < 400; round++) {
      const routes = randomRoutes(random);
      const table = createRouteTable(routes);
      for (let n = 0; n < 40; n++) {
        const asked = randomRequest(random);
        const match = table.match(asked);
        const found = match && `${match.route}[${match.index}]`;
        const context = { round, n, asked };
        expect({ found, context }).toEqual({ found: oracle(routes, asked), context });
        if (found !== undefined) matched++;
      }
    }
    expect(matched).toBeGreaterThan(5000);
  });

  it('is narrated with one winner at most, and a reason for every other entry', () => {
    const random = createRandom(4711);
    for (let round = 0; round < 100; round++) {
      const routes = randomRoutes(random);
      const table = createRouteTable(routes);
      for (let n = 0; n < 20; n++) {
        const asked = randomRequest(random);
        const told: string[] = [];
        const won: string[] = [];
        const outranked: string[] = [];
        const match = table.match(asked, {
          won: (route, index) => {
            told.push(`${route}[${index}]`);
            won.push(`${route}[${index}]`);
          },
          lost: (route, index, reason) => {
            told.push(`${route}[${index}]`);
            if (reason.startsWith('outranked')) outranked.push(`${route}[${index}]`);
          },
        });
        const all = routes.flatMap(({ name, matches }) => matches.map((_, i) => `${name}[${i}]`));
        expect(told.toSorted()).toEqual(all.toSorted());
        expect(won).toEqual(match ? [`${match.route}[${match.index}]`] : []);
        const admitted = routes.flatMap((route) =>
          route.matches.flatMap((each, i) =>
            worth(route, each, asked) === undefined ? [] : [`${route.name}[${i}]`],
          ),
        );
        expect([...won, ...outranked].toSorted()).toEqual(admitted.toSorted());
      }
    }
  });
});
