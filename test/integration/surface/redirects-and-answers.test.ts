/** `routes[].redirect` and `routes[].respond`: what the gateway answers by itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';

let gateway: TestGateway;

const redirect = (name: string, to: object): object => ({
  name,
  match: [{ path: `/${name}/*` }],
  redirect: to,
});

beforeAll(async () => {
  gateway = await startGateway({
    trustedProxies: ['127.0.0.9'],
    routes: [
      redirect('prefix', { prefix: '/new', status: 308 }),
      redirect('root', { prefix: '/' }),
      redirect('path', { path: '/there', status: 301 }),
      redirect('host', { host: 'www.example.org' }),
      redirect('port', { port: 8080 }),
      redirect('port-80', { port: 80 }),
      redirect('scheme', { scheme: 'https' }),
      redirect('scheme-http', { scheme: 'http', host: 'plain.example' }),
      redirect('https-80', { scheme: 'https', port: 80 }),
      redirect('http-443', { scheme: 'http', port: 443 }),
      redirect('all', { scheme: 'https', host: 'a.example', port: 8443, path: '/x', status: 303 }),
      { name: 'hello', match: [{ path: '/hello' }], respond: { status: 200, body: 'hi' } },
      { name: 'gone', match: [{ path: '/gone' }], respond: { status: 410 } },
      { name: 'empty', match: [{ path: '/empty' }], respond: { status: 204 } },
      {
        name: 'fields',
        match: [{ path: '/fields' }],
        respond: {
          status: 503,
          headers: { 'Content-Type': 'text/html', 'Retry-After': '30' },
          body: '<p>Bäck soon</p>',
        },
      },
      {
        name: 'target-redirect',
        match: [{ path: '/target-redirect/*' }],
        to: [{ redirect: { prefix: '/elsewhere' } }],
      },
    ],
  });
});
afterAll(() => gateway.stop());

async function location(path: string, host = 'api.example.com'): Promise<string | undefined> {
  return (await ask(gateway.httpPort, path, { host })).headers.location;
}

describe('redirect', () => {
  it('answers 302 unless it names a status', async () => {
    expect((await ask(gateway.httpPort, '/host/')).status).toBe(302);
    expect((await ask(gateway.httpPort, '/prefix/')).status).toBe(308);
    expect((await ask(gateway.httpPort, '/path/')).status).toBe(301);
    expect((await ask(gateway.httpPort, '/all/', { method: 'POST', body: 'x' })).status).toBe(303);
  });

  it('keeps the listener’s port where it gives neither scheme nor port', async () => {
    const { httpPort } = gateway;
    expect(await location('/prefix/1?q=1')).toBe(`http://api.example.com:${httpPort}/new/1?q=1`);
    expect(await location('/host/')).toBe(`http://www.example.org:${httpPort}/host/`);
  });

  it('takes the port of the listener, whatever port the Host field names', async () => {
    expect(await location('/prefix/', 'api.example.com:1')).toBe(
      `http://api.example.com:${gateway.httpPort}/new/`,
    );
  });

  it('lets a scheme bring its own port, which Location leaves out', async () => {
    expect(await location('/scheme/1?q=1', 'api.example.com:1')).toBe(
      'https://api.example.com/scheme/1?q=1',
    );
    expect(await location('/scheme-http/')).toBe('http://plain.example/scheme-http/');
  });

  it.each([
    ['/port-80/', 'http://api.example.com/port-80/'],
    ['/port/', 'http://api.example.com:8080/port/'],
    ['/https-80/', 'https://api.example.com:80/https-80/'],
    ['/http-443/', 'http://api.example.com:443/http-443/'],
    ['/all/', 'https://a.example:8443/x'],
  ])('leaves 80 and 443 out only where they are the scheme’s: %s goes to %s', async (path, to) => {
    expect(await location(path)).toBe(to);
  });

  it.each([
    ['/prefix', '/new'],
    ['/prefix/', '/new/'],
    ['/prefix/a/b?c=d', '/new/a/b?c=d'],
    ['/root', '/'],
    ['/root/a', '/a'],
    ['/path/a?c=d', '/there?c=d'],
    ['/target-redirect/a', '/elsewhere/a'],
  ])('makes the path of %s into %s', async (path, expected) => {
    const found = new URL((await location(path)) ?? '');
    expect(found.pathname + found.search).toBe(expected);
  });

  it('speaks of the scheme and port that a trusted proxy was asked for', async () => {
    const reply = await ask(gateway.httpPort, '/host/', {
      from: '127.0.0.9',
      headers: { 'x-forwarded-proto': 'https', 'x-forwarded-port': '443' },
    });
    expect(reply.headers.location).toBe('https://www.example.org/host/');
  });

  it('on the https listener stays with https and its port', async () => {
    const reply = await ask(gateway.httpsPort, '/host/', { tls: {} });
    expect(reply.headers.location).toBe(`https://www.example.org:${gateway.httpsPort}/host/`);
  });
});

describe('respond', () => {
  it('answers with its status and body', async () => {
    const reply = await ask(gateway.httpPort, '/hello');
    expect(reply).toMatchObject({ status: 200, body: 'hi' });
    expect(reply.headers['content-length']).toBe('2');
  });

  it('answers with its fields, and a body of more than ASCII whole', async () => {
    const reply = await ask(gateway.httpPort, '/fields');
    expect(reply).toMatchObject({ status: 503, body: '<p>Bäck soon</p>' });
    expect(reply.headers).toMatchObject({ 'content-type': 'text/html', 'retry-after': '30' });
  });

  it('may have no body', async () => {
    expect(await ask(gateway.httpPort, '/gone')).toMatchObject({ status: 410, body: '' });
    const empty = await ask(gateway.httpPort, '/empty');
    expect(empty).toMatchObject({ status: 204, body: '' });
    expect(empty.headers['content-length']).toBeUndefined();
  });

  it('answers HEAD with the length of the body, and no body', async () => {
    const reply = await ask(gateway.httpPort, '/hello', { method: 'HEAD' });
    expect(reply).toMatchObject({ status: 200, body: '' });
    expect(reply.headers['content-length']).toBe('2');
  });
});
