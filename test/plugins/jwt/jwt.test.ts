/** Which tokens `jwt` accepts, where it finds them, and what it answers without one. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createTestExchange } from '../fixtures.ts';
import { createSigningKey, ISSUER, keySet, signToken, type SigningKey } from './issuer.ts';
import { bearer, challengeOf, createPlugin, refusal } from './requests.ts';

const SECRET = 'a secret that is 64 bytes long, which is enough for HS512 too!!!';
let keys: Record<'RS256' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA', SigningKey>;

beforeAll(async () => {
  keys = {
    RS256: await createSigningKey('RS256', 'rs'),
    PS256: await createSigningKey('PS256', 'ps'),
    ES256: await createSigningKey('ES256', 'es'),
    ES384: await createSigningKey('ES384', 'es384'),
    EdDSA: await createSigningKey('EdDSA', 'ed'),
  };
});

const create = (config?: object) => createPlugin(Object.values(keys), config);

describe('a valid token', () => {
  it.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const)(
    'is accepted with %s',
    async (name) => {
      const { hooks, clock } = create();
      const exchange = bearer(await signToken(keys[name], clock, { role: 'buyer' }));
      expect(await hooks.onRequest!(exchange)).toBeUndefined();
      expect(exchange.claims).toMatchObject({ iss: ISSUER, sub: 'alice', role: 'buyer' });
    },
  );

  it.each(['HS256', 'HS384', 'HS512'])('is accepted with %s and a secret', async (algorithm) => {
    const { hooks, clock } = create({ jwks: undefined, secret: SECRET });
    const key = { algorithm, id: 'x', privateKey: new TextEncoder().encode(SECRET) };
    const exchange = bearer(await signToken(key, clock));
    expect(await hooks.onRequest!(exchange)).toBeUndefined();
    expect(exchange.claims).toMatchObject({ sub: 'alice' });
  });

  it('is accepted without kid, whichever key fits', async () => {
    const { hooks, clock } = create({
      jwks: keySet([await createSigningKey('ES256', 'other'), keys.ES256]),
    });
    const exchange = bearer(await signToken(keys.ES256, clock, {}, { kid: undefined }));
    expect(await hooks.onRequest!(exchange)).toBeUndefined();
  });

  it('is accepted from any of several issuers and for any of several audiences', async () => {
    const { hooks, clock } = create({
      issuer: ['https://old.example.com', ISSUER],
      audience: ['x', 'y'],
    });
    const exchange = bearer(await signToken(keys.ES256, clock, { aud: ['y', 'z'] }));
    expect(await hooks.onRequest!(exchange)).toBeUndefined();
  });

  it('is accepted up to the leeway after it expired, and not later', async () => {
    const { hooks, clock } = create({ leeway: '10s' });
    const exp = Math.floor(clock.now() / 1000);
    const token = await signToken(keys.ES256, clock, { exp });
    clock.wallMs = exp * 1000 + 9000;
    expect(await hooks.onRequest!(bearer(token))).toBeUndefined();
    clock.wallMs = exp * 1000 + 10_000;
    expect((await refusal(hooks, bearer(token))).status).toBe(401);
  });

  it('may lack an expiry only where that is allowed', async () => {
    const strict = create();
    const token = await signToken(keys.ES256, strict.clock, { exp: undefined });
    expect(challengeOf(await refusal(strict.hooks, bearer(token)))).toContain('no expiry');
    expect(await create({ requireExpiry: false }).hooks.onRequest!(bearer(token))).toBeUndefined();
  });
});

describe('the place of the token', () => {
  it('is the scheme Bearer in any case, and with several spaces', async () => {
    const { hooks, clock } = create();
    const token = await signToken(keys.ES256, clock);
    const exchange = createTestExchange({ headers: ['authorization', `bEARER   ${token}`] });
    expect(await hooks.onRequest!(exchange)).toBeUndefined();
    expect(exchange.claims).toBeDefined();
  });

  it('is a field of its own with or without the scheme, where one is named', async () => {
    const { hooks, clock } = create({ from: { header: 'X-Token' } });
    const token = await signToken(keys.ES256, clock);
    for (const value of [token, `Bearer ${token}`]) {
      const exchange = createTestExchange({ headers: ['x-token', value] });
      expect(await hooks.onRequest!(exchange)).toBeUndefined();
      expect(exchange.claims).toBeDefined();
    }
  });

  it('is a cookie, which forward: false takes out of the others', async () => {
    const { hooks, clock } = create({ from: { cookie: 'session' }, forward: false });
    const token = await signToken(keys.ES256, clock);
    const exchange = createTestExchange({ headers: ['Cookie', `a=1; session=${token}; b=2`] });
    expect(await hooks.onRequest!(exchange)).toBeUndefined();
    expect(exchange.request.headers.getAll('cookie')).toEqual(['a=1; b=2']);
  });

  it('is a query parameter, which forward: false takes out of the others', async () => {
    const { hooks, clock } = create({ from: { query: 'access_token' }, forward: false });
    const token = await signToken(keys.ES256, clock);
    const exchange = createTestExchange({ query: `?a=%20&access_token=${token}&b` });
    expect(await hooks.onRequest!(exchange)).toBeUndefined();
    expect(exchange.request.query).toBe('?a=%20&b');
  });

  it('is the header field that is forwarded, unless told otherwise', async () => {
    const kept = create();
    const token = await signToken(keys.ES256, kept.clock);
    const first = bearer(token);
    await kept.hooks.onRequest!(first);
    expect(first.request.headers.get('authorization')).toBe(`Bearer ${token}`);
    const second = bearer(token);
    await create({ forward: false }).hooks.onRequest!(second);
    expect(second.request.headers.has('authorization')).toBe(false);
  });
});

describe('a request without a token', () => {
  it('is refused with 401 and a challenge that names no error', async () => {
    const { hooks } = create({ realm: 'orders' });
    const problem = await refusal(hooks, createTestExchange());
    expect(problem).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(challengeOf(problem)).toBe('Bearer realm="orders"');
  });

  it('is refused where it has a credential of another scheme', async () => {
    const { hooks } = create();
    const exchange = createTestExchange({ headers: ['Authorization', 'Basic YTpi'] });
    expect(challengeOf(await refusal(hooks, exchange))).toBe('Bearer realm="meshgate"');
  });

  it('goes on as nobody where the token is optional', async () => {
    const { hooks } = create({ optional: true });
    const exchange = createTestExchange({ headers: ['Authorization', 'Basic YTpi'] });
    expect(hooks.onRequest!(exchange)).toBeUndefined();
    expect(exchange.claims).toBeUndefined();
    expect(exchange.consumer).toBeUndefined();
  });

  it.each(['Bearer', 'Bearer x', 'bearer\tx.y.z', 'Bearer a.b.c, Bearer d.e.f'])(
    'does not pass for anonymous with the bad token %j',
    async (value) => {
      const { hooks } = create({ optional: true });
      const exchange = createTestExchange({ headers: ['Authorization', value] });
      expect(challengeOf(await refusal(hooks, exchange))).toContain('error="invalid_token"');
    },
  );
});
