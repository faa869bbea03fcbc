/** What explain is told of each match entry. */
import { describe, expect, it } from 'vitest';
import { createRouteTable } from '../../../src/gateway/routing/route-table.ts';
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
import type { Routable, RouteSpec } from '../../../src/gateway/routing/route-spec.ts';

function story(routes: readonly RouteSpec<string>[], asked: Routable): string[] {
  const lines: string[] = [];
  createRouteTable(routes).match(asked, {
    won: (name, index, reason) => lines.push(`${name}[${index}] won: ${reason}`),
    lost: (name, index, reason) => lines.push(`${name}[${index}] lost: ${reason}`),
  });
  return lines;
}

/** Why `loser`, second in the file, lost against `winner`. */
function whyOutranked(
  winner: RouteSpec<string>,
  loser: RouteSpec<string>,
  asked: Routable,
): string | undefined {
  return story([winner, loser], asked)[1];
}

describe('the winner', () => {
  it('is told first, with what it matched by', () => {
    const lines = story(
      [
        route('other', entry({ methods: ['PUT'] })),
        route(
          'orders',
          entry({
            hosts: ['*.example.com'],
            path: prefix('/orders/'),
            methods: ['GET', 'POST'],
            headers: [field('x-env', 'canary')],
            query: [present('debug')],
          }),
        ),
      ],
      request({ path: '/orders/1', headers: ['x-env', 'canary'], query: '?debug' }),
    );
    expect(lines[0]).toBe(
      'orders[0] won: wildcard host *.example.com, prefix /orders, method GET or POST, header x-env, query debug',
    );
  });

  it('of any host says so', () => {
    expect(story([route('r', entry({ path: exact('/') }))], request())).toEqual([
      'r[0] won: any host, exact /',
    ]);
  });
});

describe('a mismatch', () => {
  it.each([
    [{ hosts: ['a.test', '*.b.test'] }, 'host: expected a.test or *.b.test, got api.example.com'],
    [{ path: prefix('/a') }, 'path: expected prefix /a, got /x'],
    [{ path: exact('/a') }, 'path: expected exact /a, got /x'],
    [{ path: regex('/[ab]') }, 'path: expected regex /[ab], got /x'],
    [{ methods: ['PUT', 'POST'] }, 'method: expected PUT or POST, got GET'],
    [{ headers: [field('x-a', '1')] }, 'header x-a: expected "1", got none'],
    [{ headers: [field('x-e', '1')] }, 'header x-e: expected "1", got "2"'],
    [{ headers: [fieldRegex('x-e', '[01]')] }, 'header x-e: expected regex [01], got "2"'],
    [{ headers: [present('x-a')] }, 'header x-a: expected any value, got none'],
    [{ query: [field('q', '1')] }, 'query q: expected "1", got "a b"'],
    [{ query: [present('p')] }, 'query p: expected any value, got none'],
  ])('of %j names what was expected and what came', (parts, reason) => {
    const asked = request({ path: '/x', headers: ['X-E', '2'], query: '?q=a+b' });
    expect(story([route('r', entry(parts))], asked)).toEqual([`r[0] lost: ${reason}`]);
  });

  it('of the host comes before the others', () => {
    const parts = { hosts: ['a.test'], path: prefix('/a'), methods: ['PUT'] };
    expect(story([route('r', entry(parts))], request({ host: '' }))).toEqual([
      'r[0] lost: host: expected a.test, got none',
    ]);
  });

  it.each(['Authorization', 'cookie', 'Proxy-Authorization', 'X-Api-Key'])(
    'of %s tells no value',
    (name) => {
      const [line] = story(
        [route('r', entry({ headers: [field(name, 's3cret')] }))],
        request({ headers: [name, 'hunter2'] }),
      );
      expect(line).toBe(
        `r[0] lost: header ${name}: expected a value not shown, got a value not shown`,
      );
    },
  );
});

describe('an outranked entry', () => {
  const asked = request({ path: '/a/b', headers: ['x-a', '1', 'x-b', '1'], query: '?p&q' });
  const plain = route('loser', entry());

  it.each([
    ['higher priority', { ...route('w', entry()), priority: 1 }, plain],
    ['exact host', route('w', entry({ hosts: ['api.example.com'] })), plain],
    ['wildcard host', route('w', entry({ hosts: ['*.example.com'] })), plain],
    [
      'longer wildcard host',
      route('w', entry({ hosts: ['*.example.com'] })),
      route('loser', entry({ hosts: ['*.com'] })),
    ],
    ['exact path', route('w', entry({ path: exact('/a/b') })), plain],
    ['regex path', route('w', entry({ path: regex('/a/.') })), plain],
    [
      'longer prefix',
      route('w', entry({ path: prefix('/a') })),
      route('loser', entry({ methods: ['GET'] })),
    ],
    [
      'method match',
      route('w', entry({ methods: ['GET'] })),
      route('loser', entry({ headers: [present('x-a')] })),
    ],
    [
      'more header matches',
      route('w', entry({ headers: [present('x-a'), present('x-b')] })),
      route('loser', entry({ headers: [present('x-a')], query: [present('p')] })),
    ],
    ['more query matches', route('w', entry({ query: [present('p')] })), plain],
    ['earlier route', route('w', entry()), plain],
  ])('hears of the first rule that decided: %s', (rule, winner, loser) => {
    expect(whyOutranked(winner, loser, asked)).toBe(
      `loser[0] lost: outranked by w (match 0): ${rule}`,
    );
  });

  it('may be of the same route', () => {
    expect(story([route('r', entry(), entry())], request())[1]).toBe(
      'r[1] lost: outranked by r (match 0): earlier match entry',
    );
  });

  it('is compared under the best of its hosts', () => {
    const loser = route('loser', entry({ hosts: ['*.com', 'api.example.com'] }));
    const winner = route('w', entry({ hosts: ['api.example.com'] }));
    expect(whyOutranked(winner, loser, asked)).toMatch(/earlier route$/);
  });
});
