/** Tokens that were made to get in, each by a way that has worked somewhere. */
import { randomBytes } from 'node:crypto';
import { EncryptJWT, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { jwt } from '../../../src/plugins/jwt/jwt.ts';
import { Problem } from '../../../src/plugins/sdk/plugin.ts';
import { configure, createTestContext, createTestExchange } from '../fixtures.ts';
import { base64url, hmacToken, publicPem, signText } from './forgery.ts';
import {
  AUDIENCE,
  createSigningKey,
  ISSUER,
  keySet,
  signToken,
  type SigningKey,
} from './issuer.ts';

const context = createTestContext();
const { clock } = context;
const seconds = Math.floor(clock.now() / 1000);
const CLAIMS = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp: seconds + 3600 };
let rsa: SigningKey;
let ec: SigningKey;
let attacker: SigningKey;

beforeAll(async () => {
  rsa = await createSigningKey('RS256', 'rsa');
  ec = await createSigningKey('ES256', 'ec');
  attacker = await createSigningKey('RS256', 'rsa');
});

/** A token of the issuer with one of its three segments replaced. */
async function forged(segment: 0 | 1 | 2, change: (text: string) => string): Promise<string> {
  const segments = (await signToken(rsa, clock)).split('.');
  segments[segment] = change(segments[segment]!);
  return segments.join('.');
}

const other = (letter: string) => (letter === 'A' ? 'B' : 'A');

const attacks: readonly [name: string, make: () => string | Promise<string>, reason: string][] = [
  ['alg none', () => new UnsecuredJWT(CLAIMS).encode(), 'malformed'],
  [
    'alg none with a signature',
    () => `${base64url({ alg: 'none' })}.${base64url(CLAIMS)}.AAAA`,
    'algorithm',
  ],
  ['alg NonE', () => `${base64url({ alg: 'NonE' })}.${base64url(CLAIMS)}.AAAA`, 'algorithm'],
  [
    'alg __proto__',
    () => `${base64url({ alg: '__proto__' })}.${base64url(CLAIMS)}.AAAA`,
    'algorithm',
  ],
  ['no alg', () => `${base64url({ kid: 'rsa' })}.${base64url(CLAIMS)}.AAAA`, 'malformed'],
  [
    'alg that is a list',
    () => `${base64url({ alg: ['RS256'] })}.${base64url(CLAIMS)}.AAAA`,
    'malformed',
  ],
  [
    'HS256 with the RSA public key as secret',
    () => hmacToken({ alg: 'HS256', kid: 'rsa' }, CLAIMS, publicPem(rsa)),
    'algorithm',
  ],
  ['HS256 with an empty secret', () => hmacToken({ alg: 'HS256' }, CLAIMS, ''), 'algorithm'],
  [
    'RS256 header over the key of another kind',
    () => signToken({ ...ec, algorithm: 'ES256' }, clock, {}, { kid: 'rsa' }),
    'key',
  ],
  ['the key of somebody else under a known kid', () => signToken(attacker, clock), 'signature'],
  [
    'the key of somebody else without kid',
    () => signToken(attacker, clock, {}, { kid: undefined }),
    'signature',
  ],
  [
    'its own key in jwk',
    () => signToken(attacker, clock, {}, { jwk: attacker.publicJwk }),
    'signature',
  ],
  [
    'its own key at jku',
    () => signToken(attacker, clock, {}, { kid: 'mine', jku: 'http://127.0.0.1:9/jwks' }),
    'key',
  ],
  [
    'its own key at x5u',
    () => signToken(attacker, clock, {}, { kid: 'mine', x5u: 'http://127.0.0.1:9/x5u' }),
    'key',
  ],
  [
    'a kid with a path in it',
    () => signToken(attacker, clock, {}, { kid: '../../../dev/null' }),
    'key',
  ],
  ['a kid that is a number', () => signToken(rsa, clock, {}, { kid: 1 }), 'malformed'],
  [
    'crit of an unknown extension',
    () =>
      new SignJWT(CLAIMS)
        .setProtectedHeader({ alg: 'RS256', kid: 'rsa', crit: ['exp'], exp: 1 })
        .sign(rsa.privateKey, { crit: { exp: true } }),
    'malformed',
  ],
  [
    'crit of an extension that the library knows',
    () => signToken(rsa, clock, {}, { crit: ['b64'], b64: true }),
    'malformed',
  ],
  [
    'crit that is empty',
    () => forged(0, () => base64url({ alg: 'RS256', kid: 'rsa', crit: [] })),
    'malformed',
  ],
  [
    'crit that is null',
    () => forged(0, () => base64url({ alg: 'RS256', kid: 'rsa', crit: null })),
    'malformed',
  ],
  ['an expired one', () => signToken(rsa, clock, { exp: seconds - 30 }), 'expired'],
  ['exp as text', () => signToken(rsa, clock, { exp: String(seconds + 3600) }), 'claim'],
  [
    'exp beyond all numbers',
    () => signText(rsa, JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e999')),
    'claim',
  ],
  ['one of the future', () => signToken(rsa, clock, { nbf: seconds + 31 }), 'not valid yet'],
  ['another issuer', () => signToken(rsa, clock, { iss: `${ISSUER}/` }), 'issuer'],
  ['an issuer that is a list', () => signToken(rsa, clock, { iss: [ISSUER] }), 'issuer'],
  ['no issuer', () => signToken(rsa, clock, { iss: undefined }), 'issuer'],
  ['another audience', () => signToken(rsa, clock, { aud: ['order', 'orders2'] }), 'audience'],
  ['no audience', () => signToken(rsa, clock, { aud: undefined }), 'audience'],
  ['changed claims', () => forged(1, () => base64url({ ...CLAIMS, sub: 'root' })), 'signature'],
  ['a changed signature', () => forged(2, (text) => other(text[0]!) + text.slice(1)), 'signature'],
  ['a truncated signature', () => forged(2, (text) => text.slice(0, 100)), 'signature'],
  ['no signature', () => forged(2, () => ''), 'malformed'],
  [
    'an ECDSA signature of zeros (CVE-2022-21449)',
    async () => {
      const [header, payload] = (await signToken(ec, clock)).split('.');
      return `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`;
    },
    'signature',
  ],
  ['padded base64', () => forged(2, (text) => `${text}==`), 'malformed'],
  ['base64 of the other alphabet', () => forged(2, (text) => `+/${text.slice(2)}`), 'malformed'],
  [
    'white space within',
    () => forged(1, (text) => `${text.slice(0, 8)} ${text.slice(8)}`),
    'malformed',
  ],
  ['a header that is no JSON', () => forged(0, () => base64url('{"alg":')), 'malformed'],
  ['a header that is a list', () => forged(0, () => base64url(['RS256'])), 'malformed'],
  ['claims that are a list', () => signText(rsa, '[]'), 'malformed'],
  [
    'two tokens in one',
    async () => `${await signToken(rsa, clock)}, Bearer ${await signToken(rsa, clock)}`,
    'malformed',
  ],
  ['four segments', async () => `${await signToken(rsa, clock)}.AAAA`, 'malformed'],
  [
    'an encrypted token (JWE)',
    () =>
      new EncryptJWT(CLAIMS)
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(randomBytes(32)),
    'malformed',
  ],
  ['a huge one', () => signToken(rsa, clock, { filler: 'x'.repeat(16_384) }), 'malformed'],
  ['nothing', () => '', 'malformed'],
  ['dots', () => '..', 'malformed'],
];

describe('a token with', () => {
  it.each(attacks)('%s is refused with 401 (%#)', async (_name, make, reason) => {
    const config = { issuer: ISSUER, audience: AUDIENCE, jwks: keySet([rsa, ec]) };
    const hooks = jwt.create(configure(jwt, config), createTestContext());
    const token = await make();
    const exchange = createTestExchange({ headers: ['Authorization', `Bearer ${token}`] });
    const result = await hooks.onRequest!(exchange);
    expect(result).toBeInstanceOf(Problem);
    const { status, code, detail, headers } = result as Problem;
    expect({ status, code }).toEqual({ status: 401, code: 'unauthenticated' });
    expect(headers[1]).toMatch(
      /^Bearer realm="meshgate", error="invalid_token", error_description="[^"\\]+"$/,
    );
    expect(headers[1]).toContain(reason);
    // Of tokens too short to tell, nothing can be said.
    const piece = token.length > 4 ? token.slice(0, 12) : 'no token';
    expect(`${detail} ${headers.join(' ')}`).not.toContain(piece);
    expect(exchange.claims).toBeUndefined();
    expect(exchange.consumer).toBeUndefined();
  });

  it('two lines of the field is refused, even where the first is good', async () => {
    const hooks = jwt.create(
      configure(jwt, { jwks: keySet([rsa]), optional: true }),
      createTestContext(),
    );
    const good = `Bearer ${await signToken(rsa, clock)}`;
    for (const lines of [
      [good, good],
      [good, 'Basic YTpi'],
      ['Basic YTpi', good],
    ]) {
      const headers = lines.flatMap((line) => ['Authorization', line]);
      expect(await hooks.onRequest!(createTestExchange({ headers }))).toMatchObject({
        status: 401,
      });
    }
  });

  it('two cookies or two query parameters is refused', async () => {
    const good = await signToken(rsa, clock);
    const cookie = jwt.create(
      configure(jwt, { jwks: keySet([rsa]), from: { cookie: 't' } }),
      createTestContext(),
    );
    const cookies = createTestExchange({ headers: ['Cookie', `t=${good}; t=x`] });
    expect(await cookie.onRequest!(cookies)).toMatchObject({ status: 401 });
    const query = jwt.create(
      configure(jwt, { jwks: keySet([rsa]), from: { query: 't' } }),
      createTestContext(),
    );
    const parameters = createTestExchange({ query: `?t=${good}&%74=x` });
    expect(await query.onRequest!(parameters)).toMatchObject({ status: 401 });
  });
});
