/** Keys of two kinds side by side, and claims that were made to reach further than themselves. */
import { beforeAll, describe, expect, it } from 'vitest';
import { hmacToken, publicPem, signText } from './forgery.ts';
import { AUDIENCE, createSigningKey, ISSUER, type SigningKey } from './issuer.ts';
import { bearer, createPlugin } from './requests.ts';

const SECRET = 'a secret of thirty-two bytes, ok';
let rsa: SigningKey;

beforeAll(async () => {
  rsa = await createSigningKey('RS256', 'rsa');
});

const claimsAt = (nowMs: number) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'alice',
  exp: Math.floor(nowMs / 1000) + 3600,
});

describe('a secret beside a key set', () => {
  it('verifies what was made with it, and the public key does not pass for it', async () => {
    const { hooks, clock } = createPlugin([rsa], { secret: SECRET });
    const claims = claimsAt(clock.now());
    const confused = hmacToken({ alg: 'HS256', kid: 'rsa' }, claims, publicPem(rsa));
    expect(await hooks.onRequest!(bearer(confused))).toMatchObject({ status: 401 });
    const honest = hmacToken({ alg: 'HS256' }, claims, SECRET);
    expect(await hooks.onRequest!(bearer(honest))).toBeUndefined();
  });

  it('verifies nothing where the algorithms leave HMAC out', async () => {
    const { hooks, clock } = createPlugin([rsa], { secret: SECRET, algorithms: ['RS256'] });
    const token = hmacToken({ alg: 'HS256' }, claimsAt(clock.now()), SECRET);
    expect(await hooks.onRequest!(bearer(token))).toMatchObject({ status: 401 });
  });
});

describe('claims named __proto__', () => {
  it('reach neither the claims nor a prototype', async () => {
    const { hooks, clock } = createPlugin([rsa]);
    const evil = '"__proto__":{"admin":true}';
    const json = JSON.stringify(claimsAt(clock.now())).replace('{', `{${evil},"deep":{${evil}},`);
    const exchange = bearer(await signText(rsa, json));
    expect(await hooks.onRequest!(exchange)).toBeUndefined();
    const claims = exchange.claims!;
    expect(claims['admin']).toBeUndefined();
    expect(claims['constructor']).toBeUndefined();
    expect(Object.keys(claims)).not.toContain('__proto__');
    const merged: Record<string, unknown> = Object.assign({}, claims['deep']);
    expect(merged['admin']).toBeUndefined();
  });

  it('do not exhaust the stack, however deep the claims are', async () => {
    const { hooks, clock } = createPlugin([rsa]);
    const deep = '['.repeat(5000) + ']'.repeat(5000);
    const json = JSON.stringify(claimsAt(clock.now())).replace('{', `{"deep":${deep},`);
    const token = await signText(rsa, json);
    expect(token.length).toBeLessThan(16 * 1024);
    expect(await hooks.onRequest!(bearer(token))).toBeUndefined();
  });
});
