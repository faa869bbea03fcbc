/** `plugins`, of every route, of a route and of a target: which run, in which order, and what each built-in one does. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, codeOf } from './client.ts';
import { startOrigin, type Origin } from './origin.ts';
import { createTokenIssuer, type TokenIssuer } from './token-issuer.ts';

let gateway: TestGateway;
let origin: Origin;
let issuer: TokenIssuer;

/** Says where it stood, on the way up and on the way down. */
const mark = (place: string): object => ({
  headers: { request: { add: { 'x-up': place } }, response: { add: { 'x-down': place } } },
});

beforeAll(async () => {
  origin = await startOrigin('origin');
  issuer = await createTokenIssuer();
  const jwt = { jwt: issuer.config };
  const limit = (by: unknown): object => ({ 'rate-limit': { limit: 1, window: '1h', by } });
  const route = (name: string, plugins: object | object[], more: object = {}): object => ({
    name,
    match: [{ path: `/${name}` }],
    to: 'origin',
    plugins,
    ...more,
  });
  gateway = await startGateway({
    trustedProxies: ['127.0.0.2'],
    services: { origin: { endpoints: [{ address: origin.address }] } },
    plugins: [mark('everywhere')],
    routes: [
      route('order', [mark('route'), mark('route, again')], {
        to: [{ service: 'origin', plugins: [mark('target')] }],
      }),
      route('mapping', { headers: { request: { set: { 'x-set': '1' } } } }),
      route('answered', [mark('route')], {
        to: [{ respond: { body: 'here' }, plugins: [mark('target')] }],
      }),
      // Written back to front: the stages decide.
      route('edge-first', [jwt, limit('ip')]),
      route('authenticate-first', [{ acl: { allow: { claims: { role: 'admin' } } } }, jwt]),
      route('authorize-before-shape', [
        limit({ claim: 'sub' }),
        { acl: { allow: { claims: { role: 'admin' } } } },
        jwt,
      ]),
      route('target-last', [limit('route')], {
        to: [{ service: 'origin', plugins: [{ 'ip-filter': { deny: ['127.0.0.0/8'] } }] }],
      }),

      route('jwt', [
        {
          jwt: {
            ...issuer.config,
            claimsToHeaders: { sub: 'x-user', 'org.name': 'x-org' },
            requiredClaims: ['org'],
          },
        },
      ]),
      route('limited', [{ 'rate-limit': { limit: 2, window: '1h', by: 'route', name: 'quota' } }]),
      route('cost', [
        {
          'rate-limit': { limit: 10, window: '1h', by: { header: 'x-tenant' }, cost: { POST: 10 } },
        },
      ]),
      route('headers', [
        {
          headers: {
            request: { set: { 'x-set': 'mine' }, add: { 'x-add': ['a', 'b'] }, remove: ['x-gone'] },
            response: {
              set: { 'x-set': 'mine' },
              add: { 'set-cookie': 'b=2' },
              remove: ['server'],
            },
          },
        },
      ]),
      route('filtered', [
        { 'ip-filter': { allow: ['127.0.0.0/8', '203.0.113.0/24'], deny: ['203.0.113.9'] } },
      ]),
      route('small', [{ 'body-limit': { max: '4' } }]),
    ],
  });
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));
beforeEach(() => {
  origin.asked.splice(0);
  origin.answer = (_asked, response) => response.end('origin');
});

const valuesOf = (lines: readonly (readonly [string, string])[], name: string): string[] =>
  lines.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);

describe('the order', () => {
  it('is every route’s, the route’s, the target’s, on the way up and down', async () => {
    const reply = await ask(gateway.httpPort, '/order');
    const order = ['everywhere', 'route', 'route, again', 'target'];
    expect(valuesOf(origin.asked[0]!.lines, 'x-up')).toEqual(order);
    expect(valuesOf(reply.lines, 'x-down')).toEqual(order);
  });

  it('is the same where the gateway answers itself', async () => {
    const reply = await ask(gateway.httpPort, '/answered');
    expect(reply.body).toBe('here');
    expect(valuesOf(reply.lines, 'x-down')).toEqual(['everywhere', 'route', 'target']);
  });

  it('is edge before authenticate, wherever they stand', async () => {
    // With no token at all the limit is spent all the same, and then speaks first.
    expect((await ask(gateway.httpPort, '/edge-first')).status).toBe(401);
    expect((await ask(gateway.httpPort, '/edge-first')).status).toBe(429);
  });

  it('is authenticate before authorize', async () => {
    const path = '/authenticate-first';
    expect((await ask(gateway.httpPort, path)).status).toBe(401);
    const user = await issuer.bearer('alice');
    expect((await ask(gateway.httpPort, path, { headers: user })).status).toBe(403);
    const admin = await issuer.bearer('root', { role: 'admin' });
    expect((await ask(gateway.httpPort, path, { headers: admin })).status).toBe(200);
  });

  it('is authorize before shape: whoever is refused spends no limit', async () => {
    const path = '/authorize-before-shape';
    const user = await issuer.bearer('root', { role: 'user' });
    for (let i = 0; i < 3; i++) {
      expect((await ask(gateway.httpPort, path, { headers: user })).status).toBe(403);
    }
    const admin = await issuer.bearer('root', { role: 'admin' });
    expect((await ask(gateway.httpPort, path, { headers: admin })).status).toBe(200);
    expect((await ask(gateway.httpPort, path, { headers: admin })).status).toBe(429);
  });

  it('is the target’s last, whatever their stage', async () => {
    expect((await ask(gateway.httpPort, '/target-last')).status).toBe(403);
    expect((await ask(gateway.httpPort, '/target-last')).status).toBe(429);
  });

  it('may be written as a mapping', async () => {
    await ask(gateway.httpPort, '/mapping');
    expect(origin.asked[0]!.headers['x-set']).toBe('1');
  });
});

describe('jwt', () => {
  it('refuses without a token, and tells how to come back', async () => {
    const reply = await ask(gateway.httpPort, '/jwt');
    expect(reply.status).toBe(401);
    expect(codeOf(reply)).toBe('unauthenticated');
    expect(reply.headers['www-authenticate']).toBe('Bearer realm="meshgate"');
    expect(origin.asked).toEqual([]);
  });

  it('tells the service claims, and lets no client tell them', async () => {
    const headers = {
      ...(await issuer.bearer('alice', { org: { name: 'acme' } })),
      'x-user': 'root',
      X_User: 'root',
      'x-org': 'evil',
    };
    expect((await ask(gateway.httpPort, '/jwt', { headers })).status).toBe(200);
    const { lines } = origin.asked[0]!;
    expect(valuesOf(lines, 'x-user')).toEqual(['alice']);
    expect(valuesOf(lines, 'x_user')).toEqual([]);
    expect(valuesOf(lines, 'x-org')).toEqual(['acme']);
  });

  it('refuses a token without a claim that is required', async () => {
    const headers = await issuer.bearer('alice');
    expect((await ask(gateway.httpPort, '/jwt', { headers })).status).toBe(403);
  });

  it('refuses a token of somebody else', async () => {
    const headers = await (await createTokenIssuer()).bearer('alice', { org: {} });
    const reply = await ask(gateway.httpPort, '/jwt', { headers });
    expect(reply.status).toBe(401);
    expect(reply.headers['www-authenticate']).toContain('error="invalid_token"');
  });
});

describe('rate-limit', () => {
  it('tells the limit, and what is left of it, on every answer', async () => {
    const first = await ask(gateway.httpPort, '/limited');
    expect(first.status).toBe(200);
    expect(first.headers['ratelimit-policy']).toBe('"quota";q=2;w=3600');
    expect(first.headers['ratelimit']).toMatch(/^"quota";r=1;t=(3600|3599)$/);
    await ask(gateway.httpPort, '/limited');
    const third = await ask(gateway.httpPort, '/limited');
    expect(third.status).toBe(429);
    expect(codeOf(third)).toBe('rate_limited');
    expect(third.headers['ratelimit']).toMatch(/^"quota";r=0;t=\d+$/);
    const retryAfter = Number(third.headers['retry-after']);
    expect(retryAfter).toBeGreaterThan(3500);
    expect(retryAfter).toBeLessThanOrEqual(3600);
    expect(origin.asked).toHaveLength(2);
    expect(await gateway.metrics()).toContain('meshgate_rate_limited_total{route="limited"} 1');
  });

  it('counts each key by itself, at the cost of the method', async () => {
    const status = async (tenant: string, method: string): Promise<number> =>
      (await ask(gateway.httpPort, '/cost', { method, headers: { 'x-tenant': tenant } })).status;
    expect(await status('a', 'POST')).toBe(200);
    expect(await status('a', 'GET')).toBe(429);
    expect(await status('b', 'GET')).toBe(200);
    expect(await status('b', 'POST')).toBe(429);
  });
});

describe('headers', () => {
  it('sets, adds and removes fields of the request; add makes a line of its own', async () => {
    await ask(gateway.httpPort, '/headers', {
      headers: { 'X-Set': ['theirs', 'too'], 'x-add': 'theirs', 'x-gone': '1' },
    });
    const { lines } = origin.asked[0]!;
    expect(valuesOf(lines, 'x-set')).toEqual(['mine']);
    expect(valuesOf(lines, 'x-add')).toEqual(['theirs', 'a', 'b']);
    expect(valuesOf(lines, 'x-gone')).toEqual([]);
  });

  it('and of the answer', async () => {
    origin.answer = (_asked, response) =>
      response
        .writeHead(200, { 'set-cookie': 'a=1', 'X-Set': 'theirs', Server: 'secret/1.0' })
        .end();
    const { lines } = await ask(gateway.httpPort, '/headers');
    expect(valuesOf(lines, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(valuesOf(lines, 'x-set')).toEqual(['mine']);
    expect(valuesOf(lines, 'server')).toEqual([]);
  });
});

describe('ip-filter', () => {
  it.each([
    ['127.0.0.3', undefined, 200],
    ['127.0.0.2', '203.0.113.7', 200],
    ['127.0.0.2', '203.0.113.9', 403],
    ['127.0.0.2', '198.51.100.1', 403],
    // A stranger's word is not taken.
    ['127.0.0.3', '203.0.113.9', 200],
  ])('from %s, forwarded for %s: %i', async (from, forwardedFor, status) => {
    const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
    expect((await ask(gateway.httpPort, '/filtered', { from, headers })).status).toBe(status);
  });
});

describe('body-limit', () => {
  it.each([
    ['1234', {}, 200],
    ['12345', {}, 413],
    ['12345', { 'transfer-encoding': 'chunked' }, 413],
  ])('of 4 bytes answers to %s with %o: %i', async (body, headers, status) => {
    const reply = await ask(gateway.httpPort, '/small', { method: 'POST', body, headers });
    expect(reply.status).toBe(status);
    expect(reply.body).toContain(status === 413 ? 'payload_too_large' : 'origin');
  });
});
