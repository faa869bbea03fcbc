import { describe, expect, it } from 'vitest';
import { hasRole, ROLES, type Principal } from '../../../src/admin/access/principal.ts';
import {
  assertInScope,
  isInScope,
  namesInScope,
  type Scope,
} from '../../../src/admin/access/scope.ts';

function principal(scope?: Scope): Principal {
  return { name: 'shop', role: 'operator', scope, tokenId: 'a' };
}

function statusOf(check: () => void): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    return (error as { readonly status?: unknown }).status;
  }
}

describe('a scope', () => {
  it.each<[string, Scope | undefined, boolean]>([
    ['none', undefined, true],
    ['all of the kind', { services: {} }, true],
    ['another kind', { routes: {} }, false],
    ['a prefix', { services: { prefixes: ['cart-', 'shop-'] } }, true],
    ['the whole name', { services: { prefixes: ['shop-web'] } }, true],
    ['another prefix', { services: { prefixes: ['shop-x', 'hop'] } }, false],
    ['a label', { services: { labels: { team: 'red' } } }, true],
    ['a label of another value', { services: { labels: { team: 'blue' } } }, false],
    ['one of two labels', { services: { labels: { team: 'red', tier: '1' } } }, false],
    ['a label that every object has', { services: { labels: { toString: 'x' } } }, false],
    ['a prefix and a label', { services: { prefixes: ['shop-'], labels: { team: 'red' } } }, true],
    [
      'a prefix, and a label of another value',
      { services: { prefixes: ['shop-'], labels: { team: 'blue' } } },
      false,
    ],
    [
      'another prefix, and a label',
      { services: { prefixes: ['cart-'], labels: { team: 'red' } } },
      false,
    ],
  ])('of %s: %s', (_, scope, isIn) => {
    const thing = { name: 'shop-web', labels: { team: 'red', env: 'p' } };
    expect(isInScope(scope, 'services', thing)).toBe(isIn);
    const status = statusOf(() => assertInScope(principal(scope), 'services', thing));
    expect(status).toBe(isIn ? undefined : 403);
  });

  it('by labels leaves out what has none', () => {
    expect(isInScope({ services: { labels: { a: 'b' } } }, 'services', { name: 'x' })).toBe(false);
  });
});

describe('roles', () => {
  it('may do what those below them may, and no more', () => {
    const table = ROLES.map((role) =>
      ROLES.map((needed) => hasRole({ ...principal(), role }, needed)),
    );
    expect(table).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
  });
});

describe('the names in a scope', () => {
  it.each<[string, Scope, readonly string[]]>([
    ['all of the kind', { routes: {} }, ['']],
    ['another kind', { services: {} }, []],
    ['prefixes', { routes: { prefixes: ['cart-', 'shop-'] } }, ['cart-', 'shop-']],
    ['labels, which a name alone has none of', { routes: { labels: { team: 'red' } } }, []],
  ])('are those that begin so, of %s', (_, scope, expected) => {
    const names = namesInScope(scope, 'routes');
    expect(names).toEqual(expected);
    for (const name of ['cart-1', 'other']) {
      const begins = names.some((prefix) => name.startsWith(prefix));
      expect(begins).toBe(isInScope(scope, 'routes', { name }));
    }
  });
});
