/** What `jwt` wants of a caller, and what it tells others about it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createTestExchange } from '../fixtures.ts';
import { createSigningKey, ISSUER, signToken, type SigningKey } from './issuer.ts';
import { bearer, challengeOf, createPlugin, refusal } from './requests.ts';

let key: SigningKey;

beforeAll(async () => {
  key = await createSigningKey('ES256', 'one');
});

const create = (config?: object) => createPlugin([key], config);

describe('required claims', () => {
  it('are a list of those that must be there', async () => {
    const { hooks, clock } = create({ requiredClaims: ['tenant', 'realm_access.roles'] });
    const complete = { tenant: 't1', realm_access: { roles: ['a'] } };
    expect(await hooks.onRequest!(bearer(await signToken(key, clock, complete)))).toBeUndefined();
    const problem = await refusal(hooks, bearer(await signToken(key, clock, { tenant: 't1' })));
    expect(problem).toMatchObject({ status: 403, code: 'forbidden' });
    expect(challengeOf(problem)).toContain('error="insufficient_scope"');
  });

  it('are a map of what each must be or contain', async () => {
    const { hooks, clock } = create({ requiredClaims: { scope: ['read', 'admin'], level: 3 } });
    const pass = await signToken(key, clock, { scope: 'write read', level: 3 });
    const fail = await signToken(key, clock, { scope: 'write reader', level: 3 });
    expect(await hooks.onRequest!(bearer(pass))).toBeUndefined();
    expect((await refusal(hooks, bearer(fail))).status).toBe(403);
    // Again, from the cache.
    expect((await refusal(hooks, bearer(fail))).status).toBe(403);
  });
});

describe('claims to headers', () => {
  const claimsToHeaders = { sub: 'X-User', roles: 'X-Roles', 'org.id': 'X-Org' };

  it('tell the service, at the first request and from the cache', async () => {
    const { hooks, clock } = create({ claimsToHeaders });
    const token = await signToken(key, clock, { roles: ['a', 'b,c'], org: { id: 7 } });
    for (let i = 0; i < 2; i += 1) {
      const exchange = bearer(token);
      await hooks.onRequest!(exchange);
      expect(exchange.request.headers.raw.slice(2)).toEqual([
        'X-User',
        'alice',
        'X-Roles',
        'a,b%2Cc',
        'X-Org',
        '7',
      ]);
    }
  });

  it('are never taken from the client, in any spelling, and not even without a token', async () => {
    const { hooks, clock } = create({ claimsToHeaders, optional: true });
    const spoofed = [
      'x-user',
      'root',
      'X_USER',
      'root',
      'X-roles',
      'admin',
      'X-User',
      'root',
      'x-other',
      '1',
    ];
    const known = bearer(await signToken(key, clock), ...spoofed);
    await hooks.onRequest!(known);
    expect(known.request.headers.raw.slice(2)).toEqual(['x-other', '1', 'X-User', 'alice']);
    const anonymous = createTestExchange({ headers: spoofed });
    await hooks.onRequest!(anonymous);
    expect(anonymous.request.headers.raw).toEqual(['x-other', '1']);
  });
});

describe('the consumer', () => {
  const consumers = [
    { name: 'acme', groups: ['gold'], jwt: { issuer: ISSUER, subject: 'alice' } },
    { name: 'app', groups: [], jwt: { issuer: ISSUER, subject: 'client-1' } },
  ];
  const exchangeOf = (token: string) =>
    createTestExchange({ headers: ['authorization', `Bearer ${token}`], consumers });

  it('is found by issuer and subject', async () => {
    const { hooks, clock } = create();
    const exchange = exchangeOf(await signToken(key, clock));
    await hooks.onRequest!(exchange);
    expect(exchange.consumer?.name).toBe('acme');
  });

  it('is found by another claim where one is named', async () => {
    const { hooks, clock } = create({ consumerClaim: 'azp' });
    const exchange = exchangeOf(await signToken(key, clock, { azp: 'client-1' }));
    await hooks.onRequest!(exchange);
    expect(exchange.consumer?.name).toBe('app');
  });

  it('stays the one that an earlier plugin found', async () => {
    const { hooks, clock } = create();
    const exchange = exchangeOf(await signToken(key, clock));
    exchange.consumer = { name: 'earlier', groups: [] };
    await hooks.onRequest!(exchange);
    expect(exchange.consumer.name).toBe('earlier');
  });

  it('may be unknown, unless it is required', async () => {
    const { hooks, clock } = create();
    const token = await signToken(key, clock, { sub: 'stranger' });
    expect(await hooks.onRequest!(exchangeOf(token))).toBeUndefined();
    const strict = create({ requireConsumer: true });
    expect(await refusal(strict.hooks, exchangeOf(token))).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
  });
});
