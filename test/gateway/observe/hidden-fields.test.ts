import { describe, expect, it } from 'vitest';
import {
  toShownFields,
  toShownQuery,
  type SecretNames,
} from '../../../src/gateway/observe/hidden-fields.ts';

const NONE: SecretNames = { headers: new Set(), queries: new Set() };
const SOME: SecretNames = { headers: new Set(['x-partner']), queries: new Set(['k']) };
const JWT = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln';

const shown = (raw: string[], secrets = NONE, withQueryValues = false) =>
  toShownFields(raw, secrets, withQueryValues);

describe('header fields', () => {
  it.each([
    'Authorization',
    'Proxy-Authorization',
    'Cookie',
    'Set-Cookie',
    'X-Api-Key',
    'apikey',
    'X-Auth-Token',
    'X-Auth-Request-User',
    'X-Amz-Security-Token',
    'X-CSRF-Token',
    'X-Client-Secret',
    'X-Goog-IAP-JWT-Assertion',
    'X-Hub-Signature-256',
    'X-Session-Id',
    'Sec-WebSocket-Protocol',
  ])('hide %s', (name) => {
    expect(shown([name, 'value'])).toEqual({ [name.toLowerCase()]: '(hidden)' });
  });

  it.each([
    'Accept',
    'Host',
    'User-Agent',
    'Idempotency-Key',
    'Author',
    'WWW-Authenticate',
    'X-Env',
    'ETag',
    'Traceparent',
  ])('show %s', (name) => {
    expect(shown([name, 'value'])).toEqual({ [name.toLowerCase()]: 'value' });
  });

  it.each([
    `Bearer ${JWT}`,
    'basic YTpi',
    JWT,
    `token=${JWT}`,
    'mg_0123456789abcdefghijklmnop',
    `key ${JWT}`,
  ])('hide a value that looks like %s, whatever the name', (value) => {
    expect(shown(['X-Env', value])).toEqual({ 'x-env': '(hidden)' });
  });

  it('hide what the configuration says', () => {
    expect(shown(['X-Partner', 'a', 'X-Other', 'b'], SOME)).toEqual({
      'x-partner': '(hidden)',
      'x-other': 'b',
    });
  });

  it('join lines of a name, say hidden once, and take odd names for what they are', () => {
    expect(
      shown(['Via', 'a', 'via', 'b', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', '__proto__', 'x']),
    ).toEqual(
      Object.fromEntries([
        ['via', 'a, b'],
        ['set-cookie', '(hidden)'],
        ['__proto__', 'x'],
      ]),
    );
  });

  it('cut long values', () => {
    const { 'x-long': value } = shown(['X-Long', 'a'.repeat(5_000)]);
    expect(value).toBe(`${'a'.repeat(1_024)}…`);
  });

  it('hide what queries and fragments of addresses carry', () => {
    expect(
      shown([
        'Referer',
        'https://a/b?page=2&x',
        'Location',
        '/cb#access_token=1',
        'Link',
        '</a?b=1>; rel="next"',
      ]),
    ).toEqual({
      referer: 'https://a/b?page=(hidden)&(hidden)',
      location: '/cb#(hidden)',
      link: '</a?b=(hidden)>; rel="next"',
    });
    expect(shown(['Referer', 'https://a/b?page=2&code=9'], NONE, true)).toEqual({
      referer: 'https://a/b?page=2&code=(hidden)',
    });
  });

  it('take no long time over what a client makes up', () => {
    const began = performance.now();
    for (const value of ['-eyJ'.repeat(8_000), '?#'.repeat(16_000), 'a'.repeat(32_000)]) {
      shown(['X-Env', value, 'Referer', value]);
    }
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('a query', () => {
  it.each([
    ['', ''],
    ['?', '?'],
    ['?page=2&sort=name', '?page=(hidden)&sort=(hidden)'],
    ['?opaque', '?(hidden)'],
    ['?a=', '?a=(hidden)'],
  ])('%s is shown as %s', (query, expected) => {
    expect(toShownQuery(query, NONE, false)).toBe(expected);
  });

  it.each([
    ['?page=2&sort=name&flag', '?page=2&sort=name&flag'],
    ['?access_token=1&page=2', '?access_token=(hidden)&page=2'],
    ['?code=1&sig=2&key=3', '?code=(hidden)&sig=(hidden)&key=(hidden)'],
    ['?%61pikey=1', '?%61pikey=(hidden)'],
    [`?next=${JWT}`, '?next=(hidden)'],
    ['?k=1&K=2&kk=3', '?k=(hidden)&K=(hidden)&kk=3'],
  ])('%s is shown as %s where values are asked for', (query, expected) => {
    expect(toShownQuery(query, SOME, true)).toBe(expected);
  });
});
