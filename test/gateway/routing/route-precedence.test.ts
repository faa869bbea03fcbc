/** Which of several match entries wins, rule by rule. */
import { describe, expect, it } from 'vitest';
import { createRouteTable } from '../../../src/gateway/routing/route-table.ts';
import { entry, exact, field, prefix, present, regex, request, route } from './routing-fixture.ts';
import type { Routable, RouteSpec } from '../../../src/gateway/routing/route-spec.ts';

/** The name of the route that wins, in this order of the file and in the reverse. */
function winner(routes: readonly RouteSpec<string>[], asked: Routable): string | undefined {
  const forwards = createRouteTable(routes).match(asked)?.value;
  const backwards = createRouteTable(routes.toReversed()).match(asked)?.value;
  expect(backwards).toBe(forwards);
  return forwards;
}

describe('precedence', () => {
  it('puts an exact host before a wildcard, and a wildcard before none', () => {
    const routes = [
      route('none', entry()),
      route('wildcard', entry({ hosts: ['*.example.com'] })),
      route('exact', entry({ hosts: ['api.example.com'] })),
    ];
    expect(winner(routes, request())).toBe('exact');
    expect(winner(routes, request({ host: 'b.example.com' }))).toBe('wildcard');
    expect(winner(routes, request({ host: 'other.test' }))).toBe('none');
    expect(winner(routes, request({ host: '' }))).toBe('none');
  });

  it('puts the longest wildcard host first', () => {
    const routes = [
      route('short', entry({ hosts: ['*.com'] })),
      route('long', entry({ hosts: ['*.b.example.com'] })),
      route('middle', entry({ hosts: ['*.example.com'] })),
    ];
    expect(winner(routes, request({ host: 'a.b.example.com' }))).toBe('long');
    expect(winner(routes, request({ host: 'b.example.com' }))).toBe('middle');
    expect(winner(routes, request({ host: 'example.com' }))).toBe('short');
  });

  it('puts the host before the path', () => {
    const routes = [
      route('path', entry({ path: exact('/a') })),
      route('host', entry({ hosts: ['*.example.com'] })),
    ];
    expect(winner(routes, request({ path: '/a' }))).toBe('host');
  });

  it('falls through to a less exact host where nothing else of the better one matches', () => {
    const routes = [
      route('exact', entry({ hosts: ['api.example.com'], path: prefix('/a') })),
      route('wildcard', entry({ hosts: ['*.example.com'], path: prefix('/b') })),
      route('none', entry({ path: prefix('/c') })),
    ];
    expect(winner(routes, request({ path: '/a' }))).toBe('exact');
    expect(winner(routes, request({ path: '/b' }))).toBe('wildcard');
    expect(winner(routes, request({ path: '/c' }))).toBe('none');
    expect(winner(routes, request({ path: '/d' }))).toBeUndefined();
  });

  it('puts an exact path before a regex, and a regex before a prefix', () => {
    const routes = [
      route('prefix', entry({ path: prefix('/orders/1') })),
      route('regex', entry({ path: regex('/orders/.*') })),
      route('exact', entry({ path: exact('/orders/1') })),
    ];
    expect(winner(routes, request({ path: '/orders/1' }))).toBe('exact');
    expect(winner(routes, request({ path: '/orders/1/a' }))).toBe('regex');
    expect(winner(routes.slice(0, 1), request({ path: '/orders/1/a' }))).toBe('prefix');
  });

  it('puts the longest prefix first, by characters', () => {
    const routes = [
      route('root', entry()),
      route('two', entry({ path: prefix('/a/b') })),
      route('one', entry({ path: prefix('/a') })),
    ];
    expect(winner(routes, request({ path: '/a/b/c' }))).toBe('two');
    expect(winner(routes, request({ path: '/a/x' }))).toBe('one');
    expect(winner(routes, request({ path: '/x' }))).toBe('root');
  });

  it('puts the path before a method match', () => {
    const routes = [
      route('method', entry({ path: prefix('/a'), methods: ['GET'] })),
      route('path', entry({ path: prefix('/a/b') })),
    ];
    expect(winner(routes, request({ path: '/a/b' }))).toBe('path');
  });

  it('puts a method match before more header matches', () => {
    const routes = [
      route('header', entry({ headers: [field('x-a', '1')] })),
      route('method', entry({ methods: ['GET', 'POST'] })),
    ];
    expect(winner(routes, request({ headers: ['X-A', '1'] }))).toBe('method');
    expect(winner(routes, request({ method: 'PUT', headers: ['X-A', '1'] }))).toBe('header');
  });

  it('counts a method match, not the methods', () => {
    const one = route('one', entry({ methods: ['GET'], headers: [present('x-a')] }));
    const two = route('two', entry({ methods: ['GET', 'PUT', 'POST'] }));
    expect(winner([one, two], request({ headers: ['x-a', ''] }))).toBe('one');
  });

  it('puts more header matches before more query matches', () => {
    const routes = [
      route('query', entry({ headers: [present('x-a')], query: [present('q'), present('r')] })),
      route('headers', entry({ headers: [present('x-a'), present('x-b')] })),
    ];
    const asked = request({ headers: ['x-a', '1', 'x-b', '2'], query: '?q&r' });
    expect(winner(routes, asked)).toBe('headers');
  });

  it('puts more query matches before the order of the file', () => {
    const routes = [
      route('fewer', entry({ query: [present('q')] })),
      route('more', entry({ query: [present('q'), present('r')] })),
    ];
    expect(winner(routes, request({ query: '?q=1&r=2' }))).toBe('more');
  });

  it('lets the order of the file decide at last', () => {
    const [a, b] = [route('a', entry()), route('b', entry())];
    expect(createRouteTable([a, b]).match(request())?.value).toBe('a');
    expect(createRouteTable([b, a]).match(request())?.value).toBe('b');
  });

  it('lets the order inside a route decide between equal entries', () => {
    const table = createRouteTable([
      route(
        'a',
        entry({ methods: ['PUT'] }),
        entry({ methods: ['GET'] }),
        entry({ methods: ['GET'] }),
      ),
    ]);
    expect(table.match(request())).toMatchObject({ route: 'a', index: 1 });
  });

  it('puts priority before all of it', () => {
    const best = route(
      'best',
      entry({ hosts: ['api.example.com'], path: exact('/a'), methods: ['GET'] }),
    );
    const raised = { ...route('raised', entry()), priority: 1 };
    expect(winner([best, raised], request({ path: '/a' }))).toBe('raised');
    const lowered = { ...best, name: 'lowered', value: 'lowered', priority: -1 };
    expect(winner([lowered, route('plain', entry())], request({ path: '/a' }))).toBe('plain');
  });

  it('lets a prefix of higher priority win over a regex and an exact path', () => {
    const routes = [
      { ...route('prefix', entry({ path: prefix('/a') })), priority: 5 },
      route('regex', entry({ path: regex('/a/b') })),
      route('exact', entry({ path: exact('/a/b') })),
    ];
    expect(winner(routes, request({ path: '/a/b' }))).toBe('prefix');
  });

  it('ranks each match entry, not the route', () => {
    const routes = [
      route('mixed', entry({ path: prefix('/a') }), entry({ path: exact('/z') })),
      route('plain', entry({ path: prefix('/a/b') })),
    ];
    expect(winner(routes, request({ path: '/a/b' }))).toBe('plain');
    expect(winner(routes, request({ path: '/z' }))).toBe('mixed');
  });

  it('ranks an entry of several hosts by the one that the request names', () => {
    const routes = [
      route('both', entry({ hosts: ['other.test', '*.example.com'] })),
      route('wildcard', entry({ hosts: ['*.example.com', '*.test'], methods: ['GET'] })),
    ];
    expect(winner(routes, request())).toBe('wildcard');
    expect(winner(routes, request({ host: 'other.test' }))).toBe('both');
  });
});
