/** Which origins a list means. */
import { describe, expect, it } from 'vitest';
import {
  createOriginMatcher,
  isOriginPattern,
  normaliseOrigin,
} from '../../../src/plugins/cors/origin.ts';

describe('an origin in normal form', () => {
  it.each([
    ['https://App.Example.COM', 'https://app.example.com'],
    ['HTTPS://app.example.com:443', 'https://app.example.com'],
    ['http://app.example.com:80', 'http://app.example.com'],
    ['http://app.example.com:443', 'http://app.example.com:443'],
    ['http://[2001:DB8::1]:8080', 'http://[2001:db8::1]:8080'],
    ['chrome-extension://abcdef', 'chrome-extension://abcdef'],
  ])('of %s is %s', (origin, normal) => {
    expect(normaliseOrigin(origin)).toBe(normal);
  });

  it.each([
    '',
    'null',
    '*',
    'app.example.com',
    '//app.example.com',
    'https://',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://app.example.com?x',
    'https://app.example.com#x',
    'https://user@app.example.com',
    'https://app.example.com:',
    'https://app.example.com:123456',
    'https://a.com, https://b.com',
    'https://a.com https://b.com',
    `https://${'a'.repeat(300)}.com`,
  ])('is not to be had of %j', (origin) => {
    expect(normaliseOrigin(origin)).toBeUndefined();
  });
});

describe('a list of origins', () => {
  it.each([
    ['https://a.com', 'https://a.com', true],
    ['https://a.com', 'https://A.com', true],
    ['https://a.com', 'https://a.com:443', true],
    ['https://a.com:443', 'https://a.com', true],
    ['https://A.COM', 'https://a.com', true],
    ['https://a.com', 'http://a.com', false],
    ['https://a.com', 'https://a.com:8443', false],
    ['https://a.com', 'https://a.com.evil.com', false],
    ['https://a.com', 'https://www.a.com', false],
    ['https://a.com', 'null', false],
    ['https://*.bar.com', 'https://foo.bar.com', true],
    ['https://*.bar.com', 'https://a.b.c.bar.com', true],
    ['https://*.bar.com', 'https://FOO.bar.com', true],
    ['https://*.BAR.com', 'https://foo.bar.com:443', true],
    ['https://*.bar.com', 'https://bar.com', false],
    ['https://*.bar.com', 'https://.bar.com', false],
    ['https://*.bar.com', 'https://evilbar.com', false],
    ['https://*.bar.com', 'http://foo.bar.com', false],
    ['https://*.bar.com', 'https://foo.bar.com:8443', false],
    ['https://*.bar.com', 'https://foo.bar.com.evil.com', false],
    ['https://*.bar.com', 'https://evil.com/.bar.com', false],
    ['https://*.bar.com', 'https://evil.com#.bar.com', false],
    ['https://*.bar.com', 'https://evil.com?.bar.com', false],
    ['https://*.bar.com', 'https://evil.com:80@foo.bar.com', false],
    ['https://*.bar.com', 'https://a.com, https://foo.bar.com', false],
    ['https://*.bar.com:8443', 'https://foo.bar.com:8443', true],
    ['https://*.bar.com:8443', 'https://foo.bar.com', false],
    ['https://*.bar.com:443', 'https://foo.bar.com', true],
    ['null', 'null', true],
    ['null', 'NULL', false],
    ['*', 'https://anything.example', true],
    ['*', 'null', true],
  ])('with %s has %s: %s', (listed, origin, expected) => {
    expect(createOriginMatcher(['https://other.example', listed])(origin)).toBe(expected);
  });

  it.each([
    'https://a.com',
    'http://localhost:3000',
    'https://*.a.com',
    'null',
    '*',
    'http://[::1]:3000',
  ])('may have %s', (text) => {
    expect(isOriginPattern(text)).toBe(true);
  });

  it.each([
    'a.com',
    'https://a.com/',
    'https://*',
    'https://a.*.com',
    'https://*a.com',
    'https://**.a.com',
    '*.a.com',
    'https://*.a.com/x',
  ])('may not have %s', (text) => {
    expect(isOriginPattern(text)).toBe(false);
  });
});
