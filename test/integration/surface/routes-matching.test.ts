/** `routes[].match`: which request meets which route, and which of several wins. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, codeOf, type AskOptions } from './client.ts';

let gateway: TestGateway;

/** A route that answers with its own name. */
function route(name: string, match: unknown, more: object = {}): object {
  return { name, match, respond: { status: 200, body: name }, ...more };
}

/** Routes of one concern share a host, so that they do not meet those of another. */
function on(host: string, match: object): object {
  return { hosts: [host], ...match };
}

const ROUTES = [
  route('segments', [on('path.test', { path: '/a/*' })]),
  route('prefix', [on('path.test', { path: { prefix: '/p' } })]),
  route('exact', [on('path.test', { path: '/exact' })]),
  route('exact-spelt-out', [on('path.test', { path: { exact: '/star/*' } })]),
  route('regex', [on('path.test', { path: { regex: '/item/[0-9]+' } })]),
  route('wildcard', [on('*.wild.test', { path: '/*' })]),
  route('get', [on('method.test', { methods: ['GET', 'POST'] })]),
  route('conditions', [
    on('and.test', {
      path: '/x',
      methods: ['GET'],
      headers: { 'x-env': 'canary', 'X-Any': { present: true }, 'x-id': { regex: '[0-9]+' } },
      query: { debug: '1', tag: { regex: 'v.*' }, seen: { present: true } },
    }),
  ]),
  route('or', [on('or.test', { path: '/one' }), on('or.test', { path: '/two' })]),
  route('one-entry', on('or.test', { path: '/alone' })),

  route('host-any', [{ path: '/host' }]),
  route('host-wildcard', [on('*.rank.test', { path: '/host' })]),
  route('host-longer-wildcard', [on('*.deep.rank.test', { path: '/host' })]),
  route('host-exact', [on('a.deep.rank.test', { path: '/*' })]),

  route('short-prefix', [on('order.test', { path: '/long/*' })]),
  route('long-prefix', [on('order.test', { path: '/long/er/*' })]),
  route('by-regex', [on('order.test', { path: { regex: '/long/er/.*' }, methods: ['PUT'] })]),
  route('by-exact', [on('order.test', { path: '/long/er/exact' })]),
  route('plain', [on('order.test', { path: '/merits' })]),
  route('twice-the-query', [on('order.test', { path: '/merits', query: { a: '1', b: '2' } })]),
  route('one-header', [on('order.test', { path: '/merits', headers: { h: '1' } })]),
  route('two-headers', [on('order.test', { path: '/merits', headers: { h: '1', i: '2' } })]),
  route('with-method', [on('order.test', { path: '/merits', methods: ['PATCH'] })]),
  route('first', [on('order.test', { path: '/same' })]),
  route('second', [on('order.test', { path: '/same' })]),
  route('urgent', [on('order.test', { path: '/urgent/*' })], { priority: 1 }),
  route('not-urgent', [on('order.test', { path: '/urgent/exact' })]),

  // One strong entry and one weak one: each has a rank of its own.
  route('two-faced', [on('entry.test', { path: '/deep/er/*' }), on('entry.test', { path: '/*' })]),
  route('middle', [on('entry.test', { path: '/deep/*' })]),

  route('slashes-refused', [on('slash.test', { path: '/no/*' })]),
  route('slashes-allowed', [on('slash.test', { path: '/yes/*' })], { allowEncodedSlash: true }),
  { name: 'everything', match: [{ hosts: ['all.test'] }], respond: { body: 'everything' } },
];

beforeAll(async () => {
  gateway = await startGateway({ routes: ROUTES });
});
afterAll(() => gateway.stop());

/** The name of the route that answers; `no_route` for none. */
async function winner(host: string, path: string, options: AskOptions = {}): Promise<string> {
  const reply = await ask(gateway.httpPort, path, { host, ...options });
  return reply.status === 200 ? reply.body : codeOf(reply);
}

describe('match.path', () => {
  it.each([
    ['/a', 'segments'],
    ['/a/', 'segments'],
    ['/a/b', 'segments'],
    ['/ab', 'no_route'],
    ['/p', 'prefix'],
    ['/p/', 'prefix'],
    ['/p/q', 'prefix'],
    ['/pq', 'no_route'],
    ['/exact', 'exact'],
    ['/exact/', 'no_route'],
    ['/exact/more', 'no_route'],
    ['/star/*', 'exact-spelt-out'],
    ['/star/x', 'no_route'],
    ['/item/42', 'regex'],
    ['/item/42/x', 'no_route'],
    ['/x/item/42', 'no_route'],
  ])('takes %s to %s', async (path, expected) => {
    expect(await winner('path.test', path)).toBe(expected);
  });

  it.each([
    ['/a/../exact', 'exact'],
    ['/./exact', 'exact'],
    ['//exact', 'exact'],
    ['/%65xact', 'exact'],
    ['/a/%2e%2e/exact', 'exact'],
  ])('compares %s in its normal form', async (path, expected) => {
    expect(await winner('path.test', path)).toBe(expected);
  });

  it('admits every path where none is given', async () => {
    expect(await winner('all.test', '/whatever/there?is=1')).toBe('everything');
  });

  it('refuses an encoded slash with 400 unless the route allows it', async () => {
    expect(await winner('slash.test', '/no/a%2Fb')).toBe('bad_request');
    expect(await winner('slash.test', '/yes/a%2Fb')).toBe('slashes-allowed');
    expect(await winner('slash.test', '/yes/a%5Cb')).toBe('slashes-allowed');
  });
});

describe('match.hosts', () => {
  it.each([
    ['a.wild.test', 'wildcard'],
    ['a.b.c.wild.test', 'wildcard'],
    ['A.WILD.Test', 'wildcard'],
    ['a.wild.test.', 'wildcard'],
    ['a.wild.test:8443', 'wildcard'],
    ['wild.test', 'no_route'],
    ['notwild.test', 'no_route'],
  ])('a wildcard spans labels, but never the name itself: %s is %s', async (host, expected) => {
    expect(await winner(host, '/')).toBe(expected);
  });

  it('ignores the port of the Host field', async () => {
    expect(await winner('path.test:1234', '/exact')).toBe('exact');
  });
});

describe('match.methods', () => {
  it.each([
    ['GET', 200],
    ['POST', 200],
    ['HEAD', 404],
    ['DELETE', 404],
  ])('GET and POST admit %s with %i', async (method, status) => {
    const reply = await ask(gateway.httpPort, '/', { host: 'method.test', method });
    expect(reply.status).toBe(status);
  });
});

describe('match.headers and match.query', () => {
  const headers = { 'x-env': 'canary', 'x-any': 'thing', 'x-id': '42' };
  const path = '/x?debug=1&tag=v2&seen=';

  it('admits a request that meets all conditions of an entry', async () => {
    expect(await winner('and.test', path, { headers })).toBe('conditions');
  });

  it.each([
    ['another method', { method: 'PUT' }, path],
    ['another value', { headers: { ...headers, 'x-env': 'prod' } }, path],
    ['a value in another case', { headers: { ...headers, 'x-env': 'Canary' } }, path],
    ['a field that is absent', { headers: { 'x-env': 'canary', 'x-id': '42' } }, path],
    ['a value that meets the expression in part', { headers: { ...headers, 'x-id': '42x' } }, path],
    ['another path', {}, '/y?debug=1&tag=v2&seen='],
    ['another parameter', {}, '/x?debug=2&tag=v2&seen='],
    ['a parameter that is absent', {}, '/x?debug=1&tag=v2'],
    ['a parameter that meets no expression', {}, '/x?debug=1&tag=x&seen='],
  ])('refuses one with %s', async (_what, options, target) => {
    expect(await winner('and.test', target, { headers, ...options })).toBe('no_route');
  });

  it('reads a list of entries as OR, and a lone entry as a list of one', async () => {
    expect(await winner('or.test', '/one')).toBe('or');
    expect(await winner('or.test', '/two')).toBe('or');
    expect(await winner('or.test', '/alone')).toBe('one-entry');
    expect(await winner('or.test', '/three')).toBe('no_route');
  });
});

describe('of several routes that match', () => {
  it.each([
    ['an exact host before a wildcard', 'a.deep.rank.test', '/host', {}, 'host-exact'],
    ['the longer wildcard', 'b.deep.rank.test', '/host', {}, 'host-longer-wildcard'],
    ['a wildcard before no host', 'b.rank.test', '/host', {}, 'host-wildcard'],
    ['no host where no name fits', 'elsewhere.test', '/host', {}, 'host-any'],
    ['an exact path first', 'order.test', '/long/er/exact', { method: 'PUT' }, 'by-exact'],
    ['a regex before prefixes', 'order.test', '/long/er/x', { method: 'PUT' }, 'by-regex'],
    ['the longest prefix', 'order.test', '/long/er/x', {}, 'long-prefix'],
    ['the shorter prefix where it alone fits', 'order.test', '/long/x', {}, 'short-prefix'],
    [
      'a method match before headers',
      'order.test',
      '/merits?a=1&b=2',
      { method: 'PATCH', headers: { h: '1', i: '2' } },
      'with-method',
    ],
    [
      'more header matches before query matches',
      'order.test',
      '/merits?a=1&b=2',
      { headers: { h: '1', i: '2' } },
      'two-headers',
    ],
    [
      'fewer where they alone fit',
      'order.test',
      '/merits?a=1&b=2',
      { headers: { h: '1' } },
      'one-header',
    ],
    ['query matches before none', 'order.test', '/merits?a=1&b=2', {}, 'twice-the-query'],
    ['the plain one where nothing else fits', 'order.test', '/merits', {}, 'plain'],
    ['the first of the file among equals', 'order.test', '/same', {}, 'first'],
    ['a higher priority before all that', 'order.test', '/urgent/exact', {}, 'urgent'],
  ])('%s wins', async (_rule, host, path, options, expected) => {
    expect(await winner(host, path, options)).toBe(expected);
  });

  it('ranks each match entry by itself, not the route by its best one', async () => {
    expect(await winner('entry.test', '/deep/er/x')).toBe('two-faced');
    expect(await winner('entry.test', '/deep/x')).toBe('middle');
    expect(await winner('entry.test', '/shallow')).toBe('two-faced');
  });
});

it('answers 404 no_route as problem+json where no route matches', async () => {
  const reply = await ask(gateway.httpPort, '/nowhere?token=secret', { host: 'path.test' });
  expect(reply.status).toBe(404);
  expect(reply.headers['content-type']).toBe('application/problem+json');
  expect(reply.headers['proxy-status']).toContain('destination_not_found');
  expect(JSON.parse(reply.body)).toMatchObject({
    title: 'Not Found',
    status: 404,
    instance: '/nowhere',
    code: 'no_route',
    source: 'gateway',
    request_id: reply.headers['x-request-id'],
  });
});
