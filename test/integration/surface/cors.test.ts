/** `cors`, on every route and on single ones: preflights find the route that they ask about. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, type Reply } from './client.ts';
import { startOrigin, type Origin } from './origin.ts';

let gateway: TestGateway;
let origin: Origin;

beforeAll(async () => {
  origin = await startOrigin('origin');
  const cors = (origins: string[], more: object = {}): object => ({ cors: { origins, ...more } });
  const on = (host: string, match: object): object[] => [{ hosts: [host], ...match }];
  gateway = await startGateway({
    services: { origin: { endpoints: [{ address: origin.address }] } },
    routes: [
      {
        name: 'full',
        match: on('full.test', {}),
        to: 'origin',
        plugins: [
          cors(['https://app.example.com', 'https://*.bar.com'], {
            methods: ['GET', 'PUT'],
            headers: ['X-Custom', 'Content-Type'],
            exposeHeaders: ['X-Total'],
            credentials: true,
            maxAge: '10m',
          }),
        ],
      },
      { name: 'open', match: on('open.test', {}), to: 'origin', plugins: [cors(['*'])] },
      // Only GET and only PUT are admitted, so that no route takes OPTIONS by its method.
      {
        name: 'read',
        match: on('methods.test', { path: '/things/*', methods: ['GET'] }),
        to: 'origin',
        plugins: [cors(['https://read.example.com'])],
      },
      {
        name: 'write',
        match: on('methods.test', { path: '/things/*', methods: ['PUT'] }),
        to: 'origin',
        plugins: [cors(['https://write.example.com'])],
      },
      {
        name: 'bare',
        match: on('methods.test', { path: '/bare', methods: ['GET'] }),
        to: 'origin',
      },
      // A catch-all beside it takes OPTIONS, as a web site's would.
      {
        name: 'api',
        match: on('site.test', { path: '/api/*', methods: ['GET'] }),
        to: 'origin',
        plugins: [cors(['https://app.example.com'])],
      },
      { name: 'site', match: on('site.test', {}), respond: { body: 'site' } },
      {
        name: 'own-options',
        match: on('own.test', { methods: ['OPTIONS'] }),
        respond: { body: 'own', headers: { allow: 'GET' } },
      },
      {
        name: 'own-get',
        match: on('own.test', { methods: ['GET'] }),
        to: 'origin',
        plugins: [cors(['https://app.example.com'])],
      },
    ],
  });
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));
beforeEach(() => void origin.asked.splice(0));

function preflight(
  host: string,
  from: string,
  method: string,
  { path = '/', headers }: { path?: string; headers?: string } = {},
): Promise<Reply> {
  return ask(gateway.httpPort, path, {
    method: 'OPTIONS',
    host,
    headers: {
      origin: from,
      'access-control-request-method': method,
      ...(headers !== undefined && { 'access-control-request-headers': headers }),
    },
  });
}

const allowOrigin = ({ headers }: Reply): string | undefined =>
  headers['access-control-allow-origin'];

describe('a preflight', () => {
  it('is answered with all that the browser has to know, and goes no further', async () => {
    const reply = await preflight('full.test', 'https://app.example.com', 'PUT', {
      headers: 'content-type, x-custom',
    });
    expect(reply).toMatchObject({ status: 204, body: '' });
    expect(reply.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'X-Custom, Content-Type',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
    });
    expect(reply.headers.vary).toContain('Origin');
    expect(origin.asked).toEqual([]);
  });

  it.each([
    ['https://a.bar.com', true],
    ['https://a.b.bar.com', true],
    ['https://bar.com', false],
    ['https://evilbar.com', false],
    ['http://a.bar.com', false],
    ['https://a.bar.com:8443', false],
    ['https://a.bar.com.evil.com', false],
    ['null', false],
  ])('https://*.bar.com spans labels: %s is allowed: %s', async (from, allowed) => {
    const reply = await preflight('full.test', from, 'GET');
    expect(allowOrigin(reply)).toBe(allowed ? from : undefined);
  });

  it.each([
    ['of another origin', 'https://evil.example', 'GET', {}],
    ['for another method', 'https://app.example.com', 'DELETE', {}],
    ['for another field', 'https://app.example.com', 'GET', { headers: 'x-custom, x-other' }],
  ])('%s is refused: it has no allow-origin', async (_what, from, method, options) => {
    const reply = await preflight('full.test', from, method, options);
    expect(reply.status).toBe(204);
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual(
      [],
    );
    expect(origin.asked).toEqual([]);
  });

  it('of any origin is answered with *, and never with credentials', async () => {
    const reply = await preflight('open.test', 'https://anybody.example', 'DELETE');
    expect(allowOrigin(reply)).toBe('*');
    expect(reply.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('finds the route that takes the method it asks about', async () => {
    const at = { path: '/things/1' };
    const read = 'https://read.example.com';
    const write = 'https://write.example.com';
    expect(allowOrigin(await preflight('methods.test', read, 'GET', at))).toBe(read);
    expect(allowOrigin(await preflight('methods.test', read, 'PUT', at))).toBeUndefined();
    expect(allowOrigin(await preflight('methods.test', write, 'PUT', at))).toBe(write);
    expect((await preflight('methods.test', write, 'DELETE', at)).status).toBe(404);
  });

  it('finds it although a route of less merit would take its OPTIONS', async () => {
    const from = 'https://app.example.com';
    const at = { path: '/api/x' };
    expect(allowOrigin(await preflight('site.test', from, 'GET', at))).toBe(from);
    // Nobody but the site takes POST, and the site knows no CORS.
    expect(await preflight('site.test', from, 'POST', at)).toMatchObject({
      status: 200,
      body: 'site',
    });
  });

  it('goes to a route that names OPTIONS, where there is one', async () => {
    const reply = await preflight('own.test', 'https://app.example.com', 'GET');
    expect(reply).toMatchObject({ status: 200, body: 'own' });
  });

  it('gets 404 where the route has nothing that answers preflights', async () => {
    const reply = await preflight('methods.test', 'https://read.example.com', 'GET', {
      path: '/bare',
    });
    expect(reply.status).toBe(404);
    expect(origin.asked).toEqual([]);
  });
});

describe('an OPTIONS request that is no preflight', () => {
  it.each([
    ['without Origin', { 'access-control-request-method': 'GET' }],
    ['without a method asked about', { origin: 'https://read.example.com' }],
  ])('%s does not pass a route for GET alone', async (_what, headers) => {
    const reply = await ask(gateway.httpPort, '/things/1', {
      method: 'OPTIONS',
      host: 'methods.test',
      headers,
    });
    expect(reply.status).toBe(404);
    expect(origin.asked).toEqual([]);
  });

  it('is passed on where the route takes it', async () => {
    const reply = await ask(gateway.httpPort, '/', { method: 'OPTIONS', host: 'full.test' });
    expect(reply.body).toBe('origin');
  });
});

describe('an answer', () => {
  it('to an allowed origin says so, in place of what the service says', async () => {
    origin.answer = (_asked, response) =>
      response.writeHead(200, { 'Access-Control-Allow-Origin': '*', Vary: 'Accept' }).end();
    const reply = await ask(gateway.httpPort, '/', {
      host: 'full.test',
      headers: { origin: 'https://app.example.com' },
    });
    expect(reply.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'X-Total',
      vary: 'Accept, Origin',
    });
  });

  it('to another origin does not, but goes out: CORS is the browser’s to enforce', async () => {
    const reply = await ask(gateway.httpPort, '/', {
      host: 'full.test',
      headers: { origin: 'https://evil.example' },
    });
    expect(reply.status).toBe(200);
    expect(allowOrigin(reply)).toBeUndefined();
  });

  it('that the gateway makes itself is readable too', async () => {
    origin.answer = (_asked, response) => response.socket!.resetAndDestroy();
    const reply = await ask(gateway.httpPort, '/', {
      host: 'open.test',
      method: 'POST',
      headers: { origin: 'https://app.example.com' },
    });
    expect(reply.status).toBe(503);
    expect(allowOrigin(reply)).toBe('*');
  });
});

it('never * with credentials: such a configuration is refused whole', async () => {
  const plugins = [{ cors: { origins: ['*'], credentials: true } }];
  await expect(startGateway({ plugins, routes: [] })).rejects.toThrow(/credentials/);
});
