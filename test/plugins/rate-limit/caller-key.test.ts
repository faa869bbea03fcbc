/** Whom a rate limit counts. */
import { describe, expect, it } from 'vitest';
import { bindCallerKey, toIpKey } from '../../../src/plugins/rate-limit/caller-key.ts';
import { createTestExchange } from '../fixtures.ts';

describe('the key of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('of %s is %s', (ip, key) => {
    expect(toIpKey(ip)).toBe(key);
  });
});

describe('a caller', () => {
  const ip = '192.0.2.7';

  it('is his consumer, or without one his address', () => {
    const keyOf = bindCallerKey('consumer', false);
    expect(keyOf(createTestExchange({ ip, consumer: { name: 'acme', groups: [] } }))).toBe(
      'c:acme',
    );
    expect(keyOf(createTestExchange({ ip }))).toBe('i:192.0.2.7');
  });

  it('cannot pass for an address by his name', () => {
    const keyOf = bindCallerKey('consumer', false);
    const named = createTestExchange({ consumer: { name: ip, groups: [] } });
    expect(keyOf(named)).not.toBe(keyOf(createTestExchange({ ip })));
  });

  it('is everybody of a route, or of all routes under a shared name', () => {
    const one = createTestExchange({ route: 'one', ip });
    const two = createTestExchange({ route: 'two', ip });
    const apart = bindCallerKey('route', false);
    expect(apart(one)).not.toBe(apart(two));
    const shared = bindCallerKey('route', true);
    expect(shared(one)).toBe(shared(two));
  });

  it('is what a header says, which is not kept in clear nor in full length', () => {
    const keyOf = bindCallerKey({ header: 'X-Api-Key' }, false);
    const secret = `secret-${'x'.repeat(10_000)}`;
    const key = keyOf(createTestExchange({ headers: ['x-api-key', secret] }));
    expect(key).not.toContain('secret');
    expect(key.length).toBeLessThan(64);
    expect(keyOf(createTestExchange({ headers: ['X-API-KEY', secret] }))).toBe(key);
    expect(keyOf(createTestExchange({ headers: ['x-api-key', `${secret}!`] }))).not.toBe(key);
  });

  it.each([{ headers: [] }, { headers: ['x-tenant', ''] }])(
    'without the header is his address: %j',
    ({ headers }) => {
      const keyOf = bindCallerKey({ header: 'x-tenant' }, false);
      expect(keyOf(createTestExchange({ ip, headers }))).toBe('i:192.0.2.7');
    },
  );

  it.each([
    ['text', 'acme', 's:acme'],
    ['a number', 42, 'v:42'],
    ['a truth', true, 'v:true'],
  ])('is what a claim says: %s', (_, tenant, key) => {
    const keyOf = bindCallerKey({ claim: 'tenant' }, false);
    expect(keyOf(createTestExchange({ ip, claims: { tenant } }))).toBe(key);
  });

  it('is what a claim within a claim says', () => {
    const keyOf = bindCallerKey({ claim: 'org.id' }, false);
    expect(keyOf(createTestExchange({ claims: { org: { id: 'acme' } } }))).toBe('s:acme');
  });

  it('has a short key for a long claim', () => {
    const keyOf = bindCallerKey({ claim: 'tenant' }, false);
    const key = keyOf(createTestExchange({ claims: { tenant: 'x'.repeat(5000) } }));
    expect(key.length).toBeLessThan(64);
  });

  it.each([undefined, {}, { tenant: null }, { tenant: ['a'] }, { tenant: { a: 1 } }])(
    'whose claims are %j is his address',
    (claims) => {
      const keyOf = bindCallerKey({ claim: 'tenant' }, false);
      const exchange = createTestExchange({ ip, ...(claims !== undefined && { claims }) });
      expect(keyOf(exchange)).toBe('i:192.0.2.7');
    },
  );

  it('is not told by what every object inherits', () => {
    const keyOf = bindCallerKey({ claim: 'constructor' }, false);
    expect(keyOf(createTestExchange({ ip, claims: {} }))).toBe('i:192.0.2.7');
  });
});
