/** Configurations of `jwt` that are refused before they can do harm. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { jwt } from '../../../src/plugins/jwt/jwt.ts';
import { configure } from '../fixtures.ts';

const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const jwks = { keys: [jwk] };
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
  format: 'jwk',
});
const secret = 'x'.repeat(32);

describe('a jwt configuration', () => {
  it.each([
    ['with a URL', { jwks: 'https://id.example.com/jwks.json' }],
    [
      'with a URL in a private network',
      { jwks: 'http://10.0.0.1/jwks.json', allowPrivateAddresses: true },
    ],
    ['with the path of a file', { jwks: 'keys/jwks.json' }],
    ['with a file', { jwks: { file: '/etc/keys.json' } }],
    ['with keys', { jwks }],
    ['with a secret', { secret, algorithms: ['HS256'] }],
  ])('%s is accepted', (_name, config) => {
    expect(() => configure(jwt, config)).not.toThrow();
  });

  it.each([
    ['without keys', {}, ': has nothing to verify with'],
    ['with plain http', { jwks: 'http://id.example.com/jwks.json' }, 'jwks: is not safe over http'],
    [
      'with another scheme',
      { jwks: 'ftp://id.example.com/jwks.json' },
      'jwks: is no http or https URL',
    ],
    [
      'with a password in the URL',
      { jwks: 'https://u:hunter2@id.example.com/' },
      'jwks: carries a password',
    ],
    [
      'with a weak key',
      { jwks: { keys: [jwk, weak] } },
      'jwks.keys[1]: is not usable: an RSA key of 1024 bits',
    ],
    ['with a short secret', { secret: 'short' }, 'secret: is shorter than 32 bytes'],
    [
      'with a secret too short for an algorithm',
      { secret, algorithms: ['HS256', 'HS512'] },
      'algorithms[1]: HS512 needs a secret of 64 bytes',
    ],
    [
      'with HMAC but no secret',
      { jwks, algorithms: ['ES256', 'HS256'] },
      'algorithms[1]: HS256 needs `secret`',
    ],
    [
      'with RS256 but no keys',
      { secret, algorithms: ['RS256'] },
      'algorithms[0]: RS256 needs `jwks`',
    ],
    ['with a long leeway', { jwks, leeway: '61s' }, 'leeway: is too long'],
    [
      'with a claim in Host',
      { jwks, claimsToHeaders: { sub: 'Host' } },
      'claimsToHeaders.sub: Host has a meaning',
    ],
    [
      "with a claim in the token's field",
      { jwks, from: { header: 'X-Token' }, claimsToHeaders: { sub: 'x-token' } },
      'claimsToHeaders.sub: x-token carries the token',
    ],
    [
      'with two claims in one field',
      { jwks, claimsToHeaders: { sub: 'X-User', name: 'x_user' } },
      'claimsToHeaders.name: x_user is there',
    ],
  ])('%s is refused, and names no secret', (_name, config, message) => {
    expect(() => configure(jwt, config)).toThrow(message);
    expect(() => configure(jwt, config)).not.toThrow('hunter2');
  });

  it.each([
    ['alg none', { jwks, algorithms: ['none'] }, 'data/algorithms/0'],
    ['an unknown setting', { jwks, issuers: ['x'] }, 'additional properties'],
    ['two places for the token', { jwks, from: { header: 'a', query: 'b' } }, 'data/from'],
    ['a leeway without a unit', { jwks, leeway: '30' }, 'data/leeway'],
    ['a realm that ends the quotes', { jwks, realm: 'a", error="b' }, 'data/realm'],
    [
      'a malformed field name',
      { jwks, claimsToHeaders: { sub: 'x user' } },
      'data/claimsToHeaders/sub',
    ],
  ])('with %s does not fit the schema', (_name, config, message) => {
    expect(() => configure(jwt, config)).toThrow(message);
  });
});
