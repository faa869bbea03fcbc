/** Which keys of a set are used, and which signature each may verify. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseKeySet, selectKeys } from '../../../src/plugins/jwt/key-set.ts';

const rsa = (modulusLength: number) =>
  generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });
const ec = (namedCurve: string) =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' });
const strong = rsa(2048);
const p256 = ec('P-256');
const ed25519 = generateKeyPairSync('ed25519');

function algorithmsOf(jwk: object): readonly string[] | undefined {
  return parseKeySet({ keys: [jwk] }).keys[0]?.algorithms;
}

describe('a key', () => {
  it.each([
    ['RSA', strong, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['RSA with an algorithm', { ...strong, alg: 'PS384' }, ['PS384']],
    ['P-256', p256, ['ES256']],
    ['P-384', ec('P-384'), ['ES384']],
    ['P-521', ec('P-521'), ['ES512']],
    ['Ed25519', ed25519.publicKey.export({ format: 'jwk' }), ['EdDSA', 'Ed25519']],
  ])('of kind %s verifies what fits it', (_kind, jwk, algorithms) => {
    expect(algorithmsOf(jwk)).toEqual(algorithms);
  });

  it.each([
    ['RSA of 1024 bits', rsa(1024), '1024 bits'],
    ['RSA with an exponent of 1', { ...strong, e: 'AQ' }, 'exponent|known kind'],
    ['a secret', { kty: 'oct', k: 'c2VjcmV0' }, 'shared secret'],
    ['a private key', ed25519.privateKey.export({ format: 'jwk' }), 'private'],
    ['for encryption', { ...p256, use: 'enc' }, 'not for signatures'],
    ['for other operations', { ...p256, key_ops: ['deriveKey'] }, 'not for verifying'],
    ['whose alg does not fit', { ...p256, alg: 'RS256' }, 'does not fit'],
    ['whose alg is HMAC', { ...strong, alg: 'HS256' }, 'does not fit'],
    ['on a curve without an algorithm', ec('secp256k1'), 'no algorithm'],
    [
      'for X25519',
      generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }),
      'no algorithm',
    ],
    ['with a point off the curve', { ...p256, x: p256.y, y: p256.x }, 'known kind'],
    ['with a kid that is no text', { ...p256, kid: 7 }, 'kid'],
    ['that is nothing', null, 'not an object'],
  ])('%s is left out, with the reason', (_kind, jwk, reason) => {
    const { keys, refused } = parseKeySet({ keys: [jwk, p256] });
    expect(keys).toHaveLength(1);
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatch(new RegExp(`^keys\\[0\\]: .*(${reason})`));
  });

  it('is chosen by algorithm, and by id where one is named', () => {
    const set = parseKeySet({
      keys: [{ ...p256, kid: 'a' }, { ...ec('P-256'), kid: 'b' }, strong],
    });
    expect(selectKeys(set, 'ES256', 'b').map(({ id }) => id)).toEqual(['b']);
    expect(selectKeys(set, 'ES256', undefined)).toHaveLength(2);
    expect(selectKeys(set, 'ES256', 'c')).toHaveLength(0);
    expect(selectKeys(set, 'RS256', 'a')).toHaveLength(0);
    expect(
      createPublicKey({ key: strong, format: 'jwk' }).equals(
        selectKeys(set, 'PS256', undefined)[0]!.key,
      ),
    ).toBe(true);
  });
});

describe('a document', () => {
  it.each([[null], [[]], [{}], ['keys'], [{ keys: {} }]])('like %j is no key set', (document) => {
    expect(() => parseKeySet(document)).toThrow(TypeError);
  });

  it('with more keys than an issuer has is refused', () => {
    expect(() => parseKeySet({ keys: Array.from({ length: 65 }, () => p256) })).toThrow('64');
  });
});
