/** `routes[].rewrite`, and what reaches the service without one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';
import { startOrigin, type Origin } from './origin.ts';

let gateway: TestGateway;
let origin: Origin;

beforeAll(async () => {
  origin = await startOrigin('orders');
  const to = 'orders';
  gateway = await startGateway({
    services: { orders: { endpoints: [{ address: origin.address }] } },
    routes: [
      { name: 'strip', match: [{ path: '/orders/*' }], to, rewrite: { stripPrefix: '/orders' } },
      { name: 'path', match: [{ path: '/any/*' }], to, rewrite: { path: '/one' } },
      { name: 'prefix', match: [{ path: '/old/*' }], to, rewrite: { prefix: '/new/er' } },
      { name: 'root', match: [{ path: '/gone/*' }], to, rewrite: { prefix: '/' } },
      {
        name: 'regex',
        match: [{ path: '/users/*' }],
        to,
        rewrite: { regex: '^/users/([0-9]+)/(.*)$', replacement: '/$2/of/$1' },
      },
      { name: 'host', match: [{ path: '/host' }], to, rewrite: { host: 'inside.example:81' } },
      {
        name: 'targets',
        match: [{ path: '/targets/*' }],
        to: [{ service: to, rewrite: { stripPrefix: '/targets', host: 'target.example' } }],
        rewrite: { path: '/of-the-route', host: 'route.example' },
      },
      { name: 'as-it-is', match: [{ path: '/*' }], to },
    ],
  });
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));
beforeEach(() => void origin.asked.splice(0));

async function seen(path: string, host?: string): Promise<{ target: string; host: string }> {
  const reply = await ask(gateway.httpPort, path, host === undefined ? {} : { host });
  expect(reply.status).toBe(200);
  const { target, headers } = origin.asked[0]!;
  return { target, host: headers.host ?? '' };
}

describe('without a rewrite', () => {
  it('passes the Host on unchanged, port and case included', async () => {
    expect((await seen('/x', 'API.Example.com:8000')).host).toBe('API.Example.com:8000');
  });

  it('passes the path on in its normal form, and the query byte for byte', async () => {
    expect((await seen('/a/../b//c/%7Euser?q=a%2Fb&q=%20+;&x=/../y')).target).toBe(
      '/b/c/~user?q=a%2Fb&q=%20+;&x=/../y',
    );
  });
});

describe('rewrite', () => {
  it.each([
    ['stripPrefix', '/orders/1/items?x=1', '/1/items?x=1'],
    ['stripPrefix of the whole path', '/orders', '/'],
    ['stripPrefix of the whole path with a slash', '/orders/', '/'],
    ['path', '/any/thing?x=1', '/one?x=1'],
    ['prefix', '/old/1?x=1', '/new/er/1?x=1'],
    ['prefix of the whole path', '/old', '/new/er'],
    ['prefix with a trailing slash', '/old/', '/new/er/'],
    ['prefix to the root', '/gone/1', '/1'],
    ['prefix of the whole path to the root', '/gone', '/'],
    ['regex and replacement', '/users/42/orders/7?x=1', '/orders/7/of/42?x=1'],
    ['regex that does not match', '/users/me', '/users/me'],
  ])('by %s makes %s into %s', async (_way, path, target) => {
    expect((await seen(path)).target).toBe(target);
  });

  it('by host changes the Host that the service sees, and not X-Forwarded-Host', async () => {
    expect((await seen('/host', 'api.example.com')).host).toBe('inside.example:81');
    expect(origin.asked[0]!.headers['x-forwarded-host']).toBe('api.example.com');
  });

  it('of a target stands in place of the route’s', async () => {
    expect(await seen('/targets/1')).toEqual({ target: '/1', host: 'target.example' });
  });
});
