/** What a match entry admits, and what a table gives back. */
import { describe, expect, it } from 'vitest';
import {
  createRouteTable,
  createRouteTableInSlices,
} from '../../../src/gateway/routing/route-table.ts';
import {
  entry,
  exact,
  field,
  fieldRegex,
  prefix,
  present,
  regex,
  request,
  route,
} from './routing-fixture.ts';
import type { Routable } from '../../../src/gateway/routing/route-spec.ts';

function admits(parts: Parameters<typeof entry>[0], asked: Routable): boolean {
  return createRouteTable([route('r', entry(parts))]).match(asked) !== undefined;
}

describe('hosts', () => {
  it.each([
    ['*.x.test', 'a.x.test', true],
    ['*.x.test', 'a.b.c.x.test', true],
    ['*.x.test', 'x.test', false],
    ['*.x.test', 'ax.test', false],
    ['*.x.test', '.x.test', false],
    ['X.Test', 'x.test', true],
    ['x.test.', 'x.test', true],
    ['*.X.test', 'a.x.test', true],
    ['x.test', 'a.x.test', false],
    ['*', 'x.test', true],
    ['*', '', true],
    ['[::1]', '[::1]', true],
    ['bücher.test', 'xn--bcher-kva.test', true],
    ['*.bücher.test', 'a.xn--bcher-kva.test', true],
    ['__proto__', '__proto__', true],
    ['*.constructor', 'a.constructor', true],
  ])('%s admits %s: %s', (pattern, host, expected) => {
    expect(admits({ hosts: [pattern] }, request({ host }))).toBe(expected);
  });

  it.each(['__proto__', 'constructor', 'a.__proto__', 'toString'])(
    'finds nothing of its own under the host %s',
    (host) => {
      expect(admits({ hosts: ['x.test', '*.y.test'] }, request({ host }))).toBe(false);
    },
  );

  it('takes any of several hosts', () => {
    const hosts = ['api.example.com', '*.example.org'];
    expect(admits({ hosts }, request({ host: 'api.example.com' }))).toBe(true);
    expect(admits({ hosts }, request({ host: 'a.b.example.org' }))).toBe(true);
    expect(admits({ hosts }, request({ host: 'example.org' }))).toBe(false);
  });
});

describe('paths', () => {
  it.each([
    ['/a', '/a', true],
    ['/a', '/a/', true],
    ['/a', '/a/b', true],
    ['/a', '/ab', false],
    ['/a', '/', false],
    ['/a', '/A', false],
    ['/a/', '/a', true],
    ['/a/', '/a/b', true],
    ['/', '/', true],
    ['/', '/a/b', true],
    ['/', '*', false],
    ['/é', '/%C3%A9/b', true],
    ['/%7euser', '/~user', true],
    ['/__proto__', '/__proto__/x', true],
    ['/constructor', '/toString', false],
  ])('the prefix %s admits %s: %s', (value, path, expected) => {
    expect(admits({ path: prefix(value) }, request({ path }))).toBe(expected);
  });

  it.each([
    ['/a', '/a', true],
    ['/a', '/a/', false],
    ['/a/', '/a/', true],
    ['/a/', '/a', false],
    ['/', '/', true],
    ['/', '/a', false],
    ['/a/./b', '/a/b', true],
    ['/__proto__', '/__proto__', true],
  ])('the exact path %s admits %s: %s', (value, path, expected) => {
    expect(admits({ path: exact(value) }, request({ path }))).toBe(expected);
  });

  it.each([
    ['/a/[0-9]+', '/a/12', true],
    ['/a/[0-9]+', '/x/a/12', false],
    ['/a/[0-9]+', '/a/12/b', false],
    ['/a/b/c|/x', '/x', true],
    ['(?i)/a/b', '/A/B', true],
    ['/a/?', '/a', true],
    ['/a/?', '/a/', true],
    ['/', '/', true],
    ['.*', '/anything', true],
    ['/literal/path', '/literal/path', true],
    ['/literal/path', '/literal/path/x', false],
    ['.*/end', '/a/b/end', true],
  ])('the regex %s admits %s in full: %s', (value, path, expected) => {
    expect(admits({ path: regex(value) }, request({ path }))).toBe(expected);
  });

  it('finds exact paths, prefixes and regexes of one node apart', () => {
    const table = createRouteTable([
      route('exact', entry({ path: exact('/a/b') })),
      route('slash', entry({ path: exact('/a/b/') })),
      route('regex', entry({ path: regex('/a/b/[0-9]') })),
      route('prefix', entry({ path: prefix('/a/b') })),
    ]);
    const found = ['/a/b', '/a/b/', '/a/b/1', '/a/b/c', '/a'].map(
      (path) => table.match(request({ path }))?.value,
    );
    expect(found).toEqual(['exact', 'slash', 'regex', 'prefix', undefined]);
  });

  it('throws a TypeError on a path or an expression that no checked configuration has', () => {
    expect(() => createRouteTable([route('r', entry({ path: prefix('/%zz') }))])).toThrow(
      TypeError,
    );
    expect(() => createRouteTable([route('r', entry({ path: regex('(?=a)') }))])).toThrow(
      TypeError,
    );
  });
});

describe('methods, headers and query', () => {
  it('does not admit HEAD where GET is asked for', () => {
    expect(admits({ methods: ['GET'] }, request({ method: 'HEAD' }))).toBe(false);
  });

  it('compares methods with regard to case', () => {
    expect(admits({ methods: ['GET'] }, request({ method: 'get' }))).toBe(false);
  });

  it('asks for all headers of an entry', () => {
    const headers = [field('x-a', '1'), field('x-b', '2')];
    expect(admits({ headers }, request({ headers: ['x-a', '1'] }))).toBe(false);
    expect(admits({ headers }, request({ headers: ['x-b', '2', 'x-a', '1'] }))).toBe(true);
  });

  it('compares header names without regard to case, and values with it', () => {
    const headers = [field('X-Env', 'canary')];
    expect(admits({ headers }, request({ headers: ['x-eNV', 'canary'] }))).toBe(true);
    expect(admits({ headers }, request({ headers: ['x-env', 'Canary'] }))).toBe(false);
  });

  it('takes several lines of a header as one value joined by commas', () => {
    const asked = request({ headers: ['x-a', '1', 'X-A', '2'] });
    expect(admits({ headers: [field('x-a', '1, 2')] }, asked)).toBe(true);
    expect(admits({ headers: [field('x-a', '1')] }, asked)).toBe(false);
  });

  it('matches a header by expression, in full', () => {
    const headers = [fieldRegex('x-a', 'v[0-9]+')];
    expect(admits({ headers }, request({ headers: ['x-a', 'v12'] }))).toBe(true);
    expect(admits({ headers }, request({ headers: ['x-a', 'v12b'] }))).toBe(false);
    expect(admits({ headers }, request())).toBe(false);
  });

  it('does not take a missing header for an empty one', () => {
    expect(admits({ headers: [field('x-a', '')] }, request())).toBe(false);
    expect(admits({ headers: [fieldRegex('x-a', '.*')] }, request())).toBe(false);
    expect(admits({ headers: [field('x-a', '')] }, request({ headers: ['x-a', ''] }))).toBe(true);
  });

  it('matches the presence of a header, whatever its value', () => {
    expect(admits({ headers: [present('x-a')] }, request({ headers: ['X-a', ''] }))).toBe(true);
    expect(admits({ headers: [present('x-a')] }, request())).toBe(false);
    expect(admits({ headers: [present('__proto__')] }, request())).toBe(false);
  });

  it.each([
    ['?debug=1', true],
    ['?x=0&debug=1', true],
    ['?debug=1&debug=2', true],
    ['?debug=2&debug=1', false],
    ['?debu%67=%31', true],
    ['?debug', false],
    ['?Debug=1', false],
    ['', false],
  ])('matches the first value of a query parameter, decoded: %j is %s', (query, expected) => {
    expect(admits({ query: [field('debug', '1')] }, request({ query }))).toBe(expected);
  });

  it('decodes a plus sign as a space', () => {
    expect(admits({ query: [field('q', 'a b')] }, request({ query: '?q=a+b' }))).toBe(true);
  });

  it('matches a query parameter by expression and by presence', () => {
    expect(admits({ query: [fieldRegex('q', '[a-z]+')] }, request({ query: '?q=ab' }))).toBe(true);
    expect(admits({ query: [fieldRegex('q', '[a-z]+')] }, request({ query: '?q=a1' }))).toBe(false);
    expect(admits({ query: [present('q')] }, request({ query: '?q' }))).toBe(true);
    expect(admits({ query: [present('q')] }, request({ query: '?p=q' }))).toBe(false);
  });

  it('goes on to the next entry of the same path where a condition fails', () => {
    const routes = [
      route('post', entry({ path: exact('/a'), methods: ['POST'] })),
      route('canary', entry({ path: exact('/a'), headers: [field('x-env', 'canary')] })),
      route('plain', entry({ path: exact('/a') })),
    ];
    const table = createRouteTable(routes);
    const won = [{ method: 'POST' }, { headers: ['x-env', 'canary'] }, {}].map(
      (parts) => table.match(request({ path: '/a', ...parts }))?.value,
    );
    expect(won).toEqual(['post', 'canary', 'plain']);
  });
});

describe('the match', () => {
  const table = createRouteTable([
    route('orders', entry({ path: prefix('/orders/') }), entry({ path: regex('/o/[0-9]+') })),
    route('rest', entry()),
  ]);

  it('names the route, the entry and the prefix that matched', () => {
    const match = table.match(request({ path: '/orders/1' }));
    expect(match).toMatchObject({
      value: 'orders',
      route: 'orders',
      index: 0,
      namesMethod: false,
      prefix: '/orders',
      regex: undefined,
    });
    expect(table.match(request({ path: '/x' }))?.prefix).toBe('/');
  });

  it('hands out the expression that matched', () => {
    const match = table.match(request({ path: '/o/7' }));
    expect(match).toMatchObject({
      index: 1,
      prefix: undefined,
      regex: { source: '/o/[0-9]+' },
    });
  });

  it('is the same object for every request that an entry wins', () => {
    const first = table.match(request({ path: '/orders/1' }));
    expect(table.match(request({ path: '/orders/2' }))).toBe(first);
  });

  it('is undefined in an empty table', () => {
    expect(createRouteTable([]).match(request())).toBeUndefined();
    expect(createRouteTable([route('r')]).match(request())).toBeUndefined();
  });
});

describe('a table built in slices', () => {
  const routes = Array.from({ length: 700 }, (_, i) =>
    route(`r${i}`, entry({ path: prefix(`/r${i}`), methods: i % 2 === 0 ? ['GET'] : [] })),
  );

  it('pauses whenever its time is used up, and gives the same answers', async () => {
    let pauses = 0;
    let nowMs = 0;
    const pause = (): Promise<void> => {
      pauses++;
      return Promise.resolve();
    };
    const table = await createRouteTableInSlices(routes, pause, 4, () => nowMs++);
    // 700 entries at one reading of the clock each, plus sorting and indexing.
    expect(pauses).toBeGreaterThan(140);
    const whole = createRouteTable(routes);
    for (let i = 0; i < 700; i += 7) {
      const asked = request({ path: `/r${i}/x` });
      expect(table.match(asked)?.value).toBe(`r${i}`);
      expect(whole.match(asked)?.value).toBe(`r${i}`);
    }
  });

  it('does not pause while there is time', async () => {
    const pause = (): Promise<void> => Promise.reject(new Error('no pause was due'));
    const table = await createRouteTableInSlices(routes, pause, 4, () => 0);
    expect(table.match(request({ path: '/r1' }))?.value).toBe('r1');
  });

  it('rejects on what createRouteTable throws', async () => {
    const broken = [...routes, route('broken', entry({ path: regex('[') }))];
    await expect(createRouteTableInSlices(broken, () => Promise.resolve())).rejects.toThrow(
      TypeError,
    );
  });
});
