/** Which tokens the cache keeps, and for how long. */
import { describe, expect, it } from 'vitest';
import { TokenCache } from '../../../src/plugins/jwt/token-cache.ts';
import type { VerifiedToken } from '../../../src/plugins/jwt/verified-token.ts';

function verified(length = 500): VerifiedToken {
  return {
    claims: {},
    issuer: undefined,
    subject: undefined,
    sufficient: true,
    headerLines: [],
    length,
    validFromMs: -Infinity,
    validUntilMs: Infinity,
  };
}

describe('the token cache', () => {
  it('never holds more than its size', () => {
    const cache = new TokenCache(100);
    for (let i = 0; i < 1000; i += 1) cache.set(`t${i}`, verified(), 0);
    expect(cache.size).toBeLessThanOrEqual(100);
    expect(cache.get('t999', 0)).toBeDefined();
    expect(cache.get('t0', 0)).toBeUndefined();
  });

  it('keeps a token that is in use while many others pass by', () => {
    const cache = new TokenCache(100);
    const busy = verified();
    cache.set('busy', busy, 0);
    for (let i = 0; i < 1000; i += 1) {
      cache.set(`t${i}`, verified(), 0);
      expect(cache.get('busy', 0)).toBe(busy);
    }
  });

  it('holds fewer tokens where they are long', () => {
    const cache = new TokenCache(100);
    for (let i = 0; i < 100; i += 1) cache.set(`t${i}`, verified(16_384), 0);
    expect(cache.size).toBeLessThan(15);
  });

  it('forgets everything when the keys change', () => {
    const cache = new TokenCache(100);
    cache.set('a', verified(), 0);
    expect(cache.get('a', 1)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('does not take in what keys of before verified', () => {
    const cache = new TokenCache(100);
    cache.get('a', 2);
    cache.set('a', verified(), 1);
    expect(cache.get('a', 2)).toBeUndefined();
  });

  it('holds nothing at a size of 0', () => {
    const cache = new TokenCache(0);
    cache.set('a', verified(), 0);
    expect(cache.get('a', 0)).toBeUndefined();
  });
});
