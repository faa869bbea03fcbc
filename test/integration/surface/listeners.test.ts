/** `listeners[]`: protocols, names, redirects to HTTPS, PROXY protocol and limits. */
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRaw, parseAnswer } from '../../gateway/exchange/raw-client.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, askHttp2, codeOf } from './client.ts';
import { startOrigin, type Origin } from './origin.ts';
import { freePort } from '../../redis/free-port.ts';

let gateway: TestGateway;
let origin: Origin;
let httpsPort: number;

beforeAll(async () => {
  origin = await startOrigin('origin');
  httpsPort = await freePort();
  const http = (name: string, more: object = {}): object => ({
    name,
    address: '127.0.0.1:0',
    ...more,
  });
  const https = (name: string, more: object = {}): object =>
    http(name, { protocol: 'https', tls: { selfSigned: ['localhost'] }, ...more });
  gateway = await startGateway({
    trustedProxies: ['127.0.0.2'],
    listeners: [
      http('http'),
      https('https', { address: `127.0.0.1:${httpsPort}`, hosts: ['*.example.com', 'localhost'] }),
      https('org', { hosts: ['*.example.org', 'api.example.net'] }),
      http('redirect', { redirectHttps: true }),
      http('redirect-elsewhere', { redirectHttps: { port: 443, status: 301 } }),
      http('proxy', { proxyProtocol: true }),
      https('tls-proxy', { proxyProtocol: true }),
      http('small', { limits: { headers: '1KiB', headerFields: 10, url: '64', body: '16' } }),
      http('impatient', { limits: { headerTimeout: '150ms', idleTimeout: '150ms' } }),
      http('two-requests', { limits: { requestsPerConnection: 2 } }),
      http('one-connection', { limits: { connections: 1 } }),
    ],
    services: { origin: { endpoints: [{ address: origin.address }] } },
    routes: [
      { name: 'everywhere', match: [{ path: '/*' }], to: 'origin' },
      {
        name: 'only-http',
        listeners: ['http'],
        match: [{ path: '/door' }],
        respond: { body: 'http' },
      },
      {
        name: 'only-https',
        listeners: ['https', 'org'],
        match: [{ path: '/door' }],
        respond: { body: 'https' },
      },
    ],
  });
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));

describe('protocol', () => {
  it('http speaks HTTP/1.1, and HTTP/2 by prior knowledge', async () => {
    expect(await ask(gateway.httpPort, '/')).toMatchObject({ status: 200, body: 'origin' });
    const reply = await askHttp2(gateway.httpPort, '/');
    expect(reply).toMatchObject({ status: 200, body: 'origin', alpn: 'h2c' });
  });

  it('https speaks HTTP/1.1 and HTTP/2 by ALPN', async () => {
    expect(await ask(httpsPort, '/', { host: 'localhost', tls: {} })).toMatchObject({
      status: 200,
    });
    expect(await askHttp2(httpsPort, '/', { tls: {} })).toMatchObject({ status: 200, alpn: 'h2' });
  });
});

describe('routes[].listeners', () => {
  it('lets a route in only by its doors', async () => {
    expect((await ask(gateway.httpPort, '/door')).body).toBe('http');
    expect((await ask(httpsPort, '/door', { host: 'localhost', tls: {} })).body).toBe('https');
    expect((await ask(gateway.portOf('impatient'), '/door')).body).toBe('origin');
  });
});

describe('hosts', () => {
  it.each(['a.example.com', 'A.B.Example.COM:1', 'localhost'])(
    'serves its own name %s',
    async (host) => {
      expect((await ask(httpsPort, '/', { host, tls: {} })).status).toBe(200);
    },
  );

  it.each(['a.example.org', 'api.example.net'])(
    'answers 421 for %s, another listener’s',
    async (host) => {
      const reply = await ask(httpsPort, '/', { host, tls: {} });
      expect(reply.status).toBe(421);
      expect(codeOf(reply)).toBe('misdirected_request');
      expect((await ask(gateway.portOf('org'), '/', { host, tls: {} })).status).toBe(200);
    },
  );

  it('answers 404 for a name that is nobody’s', async () => {
    const reply = await ask(httpsPort, '/', { host: 'else.test', tls: {} });
    expect(reply.status).toBe(404);
    expect(codeOf(reply)).toBe('no_route');
  });

  it('of a listener without any are all', async () => {
    expect((await ask(gateway.httpPort, '/', { host: 'a.example.org' })).status).toBe(200);
  });

  it('answers 421 to an HTTP/2 request whose name belongs to another listener', async () => {
    const reply = await askHttp2(httpsPort, '/', { host: 'a.example.org', tls: {} });
    expect(reply.status).toBe(421);
  });
});

describe('redirectHttps', () => {
  it('sends to the first https listener, method and query kept', async () => {
    const reply = await ask(gateway.portOf('redirect'), '/a?b=c', {
      method: 'POST',
      host: 'api.example.com:8000',
      body: 'x',
    });
    expect(reply.status).toBe(308);
    expect(reply.headers.location).toBe(`https://api.example.com:${httpsPort}/a?b=c`);
  });

  it('takes a port and a status, and leaves 443 out', async () => {
    const reply = await ask(gateway.portOf('redirect-elsewhere'), '/a', {
      host: 'api.example.com',
    });
    expect(reply.status).toBe(301);
    expect(reply.headers.location).toBe('https://api.example.com/a');
  });

  it('lets through what a trusted proxy was asked by https', async () => {
    const headers = { 'x-forwarded-proto': 'https' };
    const port = gateway.portOf('redirect');
    expect((await ask(port, '/', { headers, from: '127.0.0.2' })).status).toBe(200);
    expect((await ask(port, '/', { headers })).status).toBe(308);
  });
});

describe('proxyProtocol', () => {
  const GET = 'GET /proxied HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  /** Version 2, PROXY, TCP over IPv4: 203.0.113.7:4000 to 192.0.2.1:80. */
  const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000ccb007107c00002010fa00050', 'hex');

  it.each([
    ['1', 'PROXY TCP4 203.0.113.7 192.0.2.1 4000 80\r\n'],
    ['2', V2],
  ])('of version %s names the client', async (_version, header) => {
    const client = await connectRaw(gateway.portOf('proxy'), '127.0.0.2');
    const { status } = parseAnswer(await client.send(header).send(GET).untilEnd());
    expect(status).toBe(200);
    expect(origin.asked.at(-1)!.headers['x-forwarded-for']).toBe('203.0.113.7');
  });

  it('comes before TLS', async () => {
    const client = await connectRaw(gateway.portOf('tls-proxy'), '127.0.0.2');
    client.send('PROXY TCP4 203.0.113.8 192.0.2.1 4000 443\r\n');
    const secure = connectTls({ socket: client.socket, rejectUnauthorized: false });
    secure.write(GET);
    expect(parseAnswer(await text(secure)).status).toBe(200);
    expect(origin.asked.at(-1)!.headers).toMatchObject({
      'x-forwarded-for': '203.0.113.8',
      'x-forwarded-proto': 'https',
    });
  });

  it('is believed from trusted proxies alone', async () => {
    const before = origin.asked.length;
    const client = await connectRaw(gateway.portOf('proxy'), '127.0.0.3');
    client.send('PROXY TCP4 203.0.113.7 192.0.2.1 4000 80\r\n').send(GET);
    expect(await client.untilClosed()).toBe('');
    expect(origin.asked).toHaveLength(before);
  });

  it('is required: a request without it is refused', async () => {
    const client = await connectRaw(gateway.portOf('proxy'), '127.0.0.2');
    expect(await client.send(GET).untilClosed()).toBe('');
  });
});

describe('limits', () => {
  it.each([
    ['headers', '/', { headers: { 'x-long': 'x'.repeat(1100) } }, 431, 'headers_too_large'],
    [
      'headerFields',
      '/',
      { headers: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`x-${i}`, '1'])) },
      431,
      'headers_too_large',
    ],
    ['url', `/${'x'.repeat(64)}`, {}, 414, 'uri_too_long'],
    ['body', '/', { method: 'POST', body: 'x'.repeat(17) }, 413, 'payload_too_large'],
    [
      'body without a declared length',
      '/',
      { method: 'POST', body: 'x'.repeat(17), headers: { 'transfer-encoding': 'chunked' } },
      413,
      'payload_too_large',
    ],
  ])('%s over the limit is refused', async (_limit, path, options, status, code) => {
    const reply = await ask(gateway.portOf('small'), path, options);
    expect(reply.status).toBe(status);
    expect(codeOf(reply)).toBe(code);
  });

  it('admit what is just within them', async () => {
    const reply = await ask(gateway.portOf('small'), `/${'x'.repeat(63)}`, {
      method: 'POST',
      body: 'x'.repeat(16),
    });
    expect(reply.status).toBe(200);
  });

  it('headerTimeout ends a head that does not end, with 408', async () => {
    const client = await connectRaw(gateway.portOf('impatient'));
    const answer = parseAnswer(await client.send('GET / HTTP/1.1\r\nHost: a\r\n').untilClosed());
    expect(answer.status).toBe(408);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'request_timeout' });
  });

  it('idleTimeout closes a connection between two requests, without a word', async () => {
    const client = await connectRaw(gateway.portOf('impatient'));
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const text = await client.untilClosed();
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(parseAnswer(text).status).toBe(200);
  });

  it('requestsPerConnection closes it after as many', async () => {
    const client = await connectRaw(gateway.portOf('two-requests'));
    const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const [first, second] = (await client.send(GET + GET + GET).untilClosed()).split(
      /(?=HTTP\/1\.1 )/,
    );
    expect(first).not.toMatch(/connection: close/i);
    expect(second).toMatch(/connection: close/i);
    expect(client.text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it('connections closes those that are too many at once', async () => {
    const first = await connectRaw(gateway.portOf('one-connection'));
    await first.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').untilText('200 OK');
    const second = await connectRaw(gateway.portOf('one-connection'));
    expect(await second.untilClosed()).toBe('');
  });
});
