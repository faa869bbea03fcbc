/** Expressions that cost linear time, and those that are refused. */
import { describe, expect, it } from 'vitest';
import {
  createLinearRegex,
  parseLinearRegex,
  RegexRefusal,
} from '../../../src/gateway/routing/linear-regex.ts';

describe('parseLinearRegex', () => {
  it.each(['(?=a)', '(?!a)', '(?<=a)b', '(?<!a)b', '(a)\\1', '[', '*', 'a{1001}', '(a'])(
    'refuses %s with a reason',
    (source) => {
      const regex = parseLinearRegex(source);
      expect(regex).toBeInstanceOf(RegexRefusal);
      expect((regex as RegexRefusal).detail).toMatch(/\w/);
    },
  );

  it('throws a TypeError where a checked expression was promised', () => {
    expect(() => createLinearRegex('(')).toThrow(TypeError);
  });
});

describe('matching', () => {
  it.each([
    ['/a|/ab', '/ab', true],
    ['^/a|/b$', '/b', true],
    ['/a', '/a', true],
    ['/a', '/ab', false],
    ['/a', '/', false],
    ['b', '/a/b', false],
    ['/a/[0-9]+', '/a/12', true],
    ['/a/[0-9]+', '/a/12/', false],
    ['/a?b', '/b', true],
    ['(?i)/API', '/api', true],
    ['/v(?P<n>\\d+)', '/v2', true],
    ['', '', true],
    ['', '/', false],
    ['^*/a', '/a', true],
  ])('%s on %s is %s: the whole text counts', (source, text, expected) => {
    expect(createLinearRegex(source).matches(text)).toBe(expected);
  });

  it('stays linear on what makes a backtracking engine hang', () => {
    const regex = createLinearRegex('/(a+)+(a|aa)*b');
    expect(regex.matches(`/${'a'.repeat(20_000)}`)).toBe(false);
  });
});

describe('the literal prefix', () => {
  it.each([
    ['/api/v[0-9]+', '/api/v'],
    ['^/api/v[0-9]+', '/api/v'],
    ['/users/(a|b)', '/users/'],
    ['/a|/b', '/'],
    ['^/a|b', ''],
    ['/a[(]|b', ''],
    ['(?i)/api', '/'],
    ['/ab?', '/a'],
    ['.*', ''],
    ['/a\\.b', '/a.b'],
  ])('of %s is %j', (source, prefix) => {
    expect(createLinearRegex(source).literalPrefix).toBe(prefix);
  });
});

describe('replacing', () => {
  it.each([
    ['^/v\\d+/(.*)$', '/v1/a/b', '/$1', '/a/b'],
    ['/a', '/a/a', '/b', '/b/b'],
    ['^/a', '/a/a', '/b', '/b/a'],
    ['(?P<x>b)', '/abc', '[$<x>]', '/a[b]c'],
    ['/z', '/a', '/b', '/a'],
  ])('%s in %s by %s gives %s', (source, text, replacement, result) => {
    expect(createLinearRegex(source).replaceAll(text, replacement)).toBe(result);
  });
});
