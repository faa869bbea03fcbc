/** Vectors of the one normal form of a path, traps included. */
import { describe, expect, it } from 'vitest';
import {
  canonicalConfiguredPath,
  canonicalTarget,
  PathRefusal,
} from '../../../src/gateway/routing/canonical-path.ts';

function pathOf(target: string): string {
  const result = canonicalTarget(target);
  return result instanceof PathRefusal ? `refused: ${result.fault}` : result.path;
}

describe('a target that is normal already', () => {
  it.each([
    '/',
    '/a',
    '/a/',
    '/a/b.c/d-e_f~g',
    '/.well-known/acme',
    '/...',
    '/a/..b',
    '/a;v=1/b',
    "/!$&'()*+,;=:@",
    '/__proto__/constructor',
  ])('leaves %s as it is', (target) => {
    expect(canonicalTarget(target)).toEqual({ path: target, query: '', encodedSlash: false });
  });

  it('splits at the first question mark and keeps the query as received', () => {
    expect(canonicalTarget('/a?b=%zz&c=/../d?e=\xff')).toEqual({
      path: '/a',
      query: '?b=%zz&c=/../d?e=\xff',
      encodedSlash: false,
    });
  });

  it('keeps an empty query apart from none', () => {
    expect(canonicalTarget('/a?')).toMatchObject({ path: '/a', query: '?' });
    expect(canonicalTarget('/a')).toMatchObject({ path: '/a', query: '' });
  });

  it('passes the asterisk-form through, and only alone', () => {
    expect(canonicalTarget('*')).toEqual({ path: '*', query: '', encodedSlash: false });
    expect(pathOf('*?a')).toBe('refused: not-origin-form');
  });
});

describe('normalising', () => {
  it.each([
    ['/a/%2e%2e/b', '/b'],
    ['/a/%2E./b', '/b'],
    ['/a/.%2e', '/'],
    ['/a/%2e/b', '/a/b'],
    ['/%61', '/a'],
    ['/%7Euser', '/~user'],
    ['/%41%5a%30%2d%5F', '/AZ0-_'],
    ['/a%3fb%3d', '/a%3Fb%3D'],
    ['/%c3%a9', '/%C3%A9'],
    ['/\xc3\xa9', '/%C3%A9'],
    ['/%252e%252e/a', '/%252e%252e/a'],
    ['//a', '/a'],
    ['/a//b///c', '/a/b/c'],
    ['///', '/'],
    ['/a//', '/a/'],
    ['/a\\b', '/a/b'],
    ['/a\\..\\b', '/b'],
    ['/a/./b/../c', '/a/c'],
    ['/a/b/..', '/a/'],
    ['/a/.', '/a/'],
    ['/a/..', '/'],
    ['/.', '/'],
    ['/a//../b', '/b'],
    ['/a/b/../../c', '/c'],
    ['/a{b}|"c"<d>^`[e]', '/a%7Bb%7D%7C%22c%22%3Cd%3E%5E%60%5Be%5D'],
    ['/%0d%0a', '/%0D%0A'],
  ])('brings %s to %s', (target, path) => {
    expect(canonicalTarget(target)).toEqual({ path, query: '', encodedSlash: false });
  });

  it('touches the path alone, not the query', () => {
    expect(canonicalTarget('/a/../b?c=%2e%2e//\\')).toMatchObject({
      path: '/b',
      query: '?c=%2e%2e//\\',
    });
  });

  it('does not take dots before a query for part of a name', () => {
    expect(canonicalTarget('/a/..?b')).toMatchObject({ path: '/', query: '?b' });
    expect(canonicalTarget('/a/.?b')).toMatchObject({ path: '/a/', query: '?b' });
  });

  it.each([
    ['/a%2fb', '/a%2Fb'],
    ['/a%5cb', '/a%5Cb'],
    ['/a%2F', '/a%2F'],
  ])('keeps the encoded slash of %s and flags it', (target, path) => {
    expect(canonicalTarget(target)).toEqual({ path, query: '', encodedSlash: true });
  });

  it('does not take an escaped percent sign for the start of an encoded slash', () => {
    expect(canonicalTarget('/a%252fb')).toEqual({
      path: '/a%252fb',
      query: '',
      encodedSlash: false,
    });
  });
});

describe('refusing', () => {
  it.each([
    ['', 'not-origin-form'],
    ['a', 'not-origin-form'],
    ['\\a', 'not-origin-form'],
    ['?a', 'not-origin-form'],
    ['http://a/', 'not-origin-form'],
    ['/a#b', 'fragment'],
    ['/a?b#c', 'fragment'],
    ['/a b', 'forbidden-character'],
    ['/a\tb', 'forbidden-character'],
    ['/a\x00', 'forbidden-character'],
    ['/a\x7f', 'forbidden-character'],
    ['/a\r\nX: y', 'forbidden-character'],
    ['/a?b c', 'forbidden-character'],
    ['/a?\x1f', 'forbidden-character'],
    ['/a?\x7f', 'forbidden-character'],
    ['/\u0141', 'forbidden-character'],
    ['/?\u0141', 'forbidden-character'],
    ['/%zz', 'malformed-escape'],
    ['/%', 'malformed-escape'],
    ['/%4', 'malformed-escape'],
    ['/%4g', 'malformed-escape'],
    ['/%?41', 'malformed-escape'],
    ['/a%00', 'encoded-nul'],
    ['/..', 'above-root'],
    ['/../a', 'above-root'],
    ['/a/../../b', 'above-root'],
    ['/%2e%2e/a', 'above-root'],
    ['/\\..\\a', 'above-root'],
    ['//../a', 'above-root'],
    ['/a/..;/b', 'disguised-dot-segment'],
    ['/a/..;x=1', 'disguised-dot-segment'],
    ['/a/.;/b', 'disguised-dot-segment'],
    ['/a/%2e%2e;/b', 'disguised-dot-segment'],
    ['/a/..%3b/b', 'disguised-dot-segment'],
    ['/a/..%2fb', 'disguised-dot-segment'],
    ['/a/b%2f..', 'disguised-dot-segment'],
    ['/a/b%5c%2e%2e%5cc', 'disguised-dot-segment'],
    ['/a/b%2f.%2fc', 'disguised-dot-segment'],
  ])('refuses %j as %s', (target, fault) => {
    expect(canonicalTarget(target)).toMatchObject({ fault });
  });
});

describe('the normal form', () => {
  it('is its own normal form, for any target made of troublesome pieces', () => {
    const pieces = [
      '/',
      '/',
      '.',
      '..',
      '%2e',
      '\\',
      'a',
      'B',
      ';',
      '%2f',
      '%c3',
      '\xe9',
      '[',
      '%25',
    ];
    let seed = 20_260_101;
    const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
    let accepted = 0;
    for (let round = 0; round < 20_000; round++) {
      let target = '/';
      for (let n = next() * 8; n > 0; n--) target += pieces[Math.floor(next() * pieces.length)];
      const once = canonicalTarget(target);
      if (once instanceof PathRefusal) continue;
      accepted++;
      const shape = /\/\/|\/\.{1,2}(\/|$)|\\|[^!-~]/.exec(once.path);
      expect({ target, path: pathOf(once.path), shape }).toEqual({
        target,
        path: once.path,
        shape: null,
      });
    }
    expect(accepted).toBeGreaterThan(5000);
  });

  it('takes time in proportion to the length of a hostile path', () => {
    const target = `/${'%2f.'.repeat(200_000)}x`;
    expect(pathOf(target)).toMatch(/^refused/);
    expect(pathOf(`/${'a/../'.repeat(200_000)}`)).toBe('/');
  });
});

describe('a configured path', () => {
  it.each([
    ['/é', '/%C3%A9'],
    ['/a/./b/', '/a/b/'],
    ['/%7euser', '/~user'],
    ['/{id}', '/%7Bid%7D'],
  ])('brings %s to the form %s that requests have', (configured, path) => {
    expect(canonicalConfiguredPath(configured)).toBe(path);
  });

  it.each(['', 'a', '*', '/a?b', '/a#b', '/a b', '/%zz', '/../a'])('refuses %j', (configured) => {
    expect(canonicalConfiguredPath(configured)).toBeInstanceOf(PathRefusal);
  });
});
