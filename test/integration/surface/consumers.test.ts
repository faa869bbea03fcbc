/** `consumers[]`: who is calling, and what is made of it. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ISSUER } from '../../plugins/jwt/issuer.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, codeOf } from './client.ts';
import { startOrigin, type Origin } from './origin.ts';
import { createTokenIssuer, type TokenIssuer } from './token-issuer.ts';

let gateway: TestGateway;
let origin: Origin;
let issuer: TokenIssuer;

const hash = (key: string): object => ({
  hash: `sha256:${createHash('sha256').update(key).digest('hex')}`,
});

beforeAll(async () => {
  origin = await startOrigin('origin');
  issuer = await createTokenIssuer();
  const route = (name: string, ...plugins: object[]): object => ({
    name,
    match: [{ path: `/${name}` }],
    to: 'origin',
    plugins,
  });
  const apiKey = { 'api-key': {} };
  const jwt = { jwt: issuer.config };
  const gold = { acl: { allow: { groups: ['gold'] } } };
  const limit = { 'rate-limit': { limit: 1, window: '1h', by: 'consumer' } };
  gateway = await startGateway({
    services: { origin: { endpoints: [{ address: origin.address }] } },
    consumers: [
      {
        name: 'acme',
        groups: ['gold', 'eu'],
        apiKeys: [hash('acme-1'), hash('acme-2')],
        jwt: { issuer: ISSUER, subject: 'acme-app' },
      },
      { name: 'umbrella', groups: ['silver'], apiKeys: [hash('umbrella-1')] },
    ],
    routes: [
      route('key', apiKey),
      route('gold-key', apiKey, gold),
      route('gold-token', jwt, gold),
      route('known', { jwt: { ...issuer.config, requireConsumer: true } }),
      route('denied', apiKey, { acl: { deny: { consumers: ['umbrella'] } } }),
      route('limited', apiKey, limit),
      route('limited-token', jwt, { 'rate-limit': { limit: 2, window: '1h', by: 'consumer' } }),
    ],
  });
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));
beforeEach(() => void origin.asked.splice(0));

const withKey = (key: string): object => ({ headers: { 'x-api-key': key } });

describe('apiKeys', () => {
  it('know the consumer, by any of its keys, and are kept from the service', async () => {
    for (const key of ['acme-1', 'acme-2']) {
      expect((await ask(gateway.httpPort, '/key', withKey(key))).status).toBe(200);
    }
    expect(origin.asked.map(({ headers }) => headers['x-api-key'])).toEqual([undefined, undefined]);
    const line = await gateway.waitForLog(({ route }) => route === 'key');
    expect(line).toMatchObject({ consumer: 'acme', status: 200 });
    expect(JSON.stringify(line)).not.toContain('acme-1');
  });

  it.each([
    ['no key', {}],
    ['an unknown key', withKey('acme-3')],
    ['a hash in place of the key', withKey(createHash('sha256').update('acme-1').digest('hex'))],
    ['two keys', { headers: { 'x-api-key': ['acme-1', 'acme-2'] } }],
  ])('refuse %s with 401', async (_what, options) => {
    const reply = await ask(gateway.httpPort, '/key', options);
    expect(reply.status).toBe(401);
    expect(codeOf(reply)).toBe('unauthenticated');
    expect(reply.headers['www-authenticate']).toBe('ApiKey realm="meshgate"');
    expect(origin.asked).toEqual([]);
  });
});

describe('groups', () => {
  it('decide what a consumer may', async () => {
    expect((await ask(gateway.httpPort, '/gold-key', withKey('acme-1'))).status).toBe(200);
    const reply = await ask(gateway.httpPort, '/gold-key', withKey('umbrella-1'));
    expect(reply.status).toBe(403);
    expect(codeOf(reply)).toBe('forbidden');
  });

  it('and names as well', async () => {
    expect((await ask(gateway.httpPort, '/denied', withKey('acme-1'))).status).toBe(200);
    expect((await ask(gateway.httpPort, '/denied', withKey('umbrella-1'))).status).toBe(403);
  });
});

describe('jwt', () => {
  it('knows the consumer by issuer and subject', async () => {
    const headers = await issuer.bearer('acme-app');
    expect((await ask(gateway.httpPort, '/gold-token', { headers })).status).toBe(200);
    const line = await gateway.waitForLog(({ route }) => route === 'gold-token');
    expect(line['consumer']).toBe('acme');
  });

  it('of nobody in the list is nobody, or is refused where somebody is required', async () => {
    const headers = await issuer.bearer('stranger');
    expect((await ask(gateway.httpPort, '/gold-token', { headers })).status).toBe(403);
    expect((await ask(gateway.httpPort, '/known', { headers })).status).toBe(403);
    const known = await issuer.bearer('acme-app');
    expect((await ask(gateway.httpPort, '/known', { headers: known })).status).toBe(200);
  });
});

describe('a limit by consumer', () => {
  it('is one for all keys of a consumer, and another for each other one', async () => {
    const status = async (key: string): Promise<number> =>
      (await ask(gateway.httpPort, '/limited', withKey(key))).status;
    expect(await status('acme-1')).toBe(200);
    expect(await status('acme-2')).toBe(429);
    expect(await status('umbrella-1')).toBe(200);
  });

  it('is one for all tokens of a consumer', async () => {
    const found = [];
    for (let i = 0; i < 3; i++) {
      const headers = await issuer.bearer('acme-app', { nonce: i });
      found.push((await ask(gateway.httpPort, '/limited-token', { headers })).status);
    }
    expect(found).toEqual([200, 200, 429]);
  });
});
