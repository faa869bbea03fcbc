/** HTTP/1.1 on one side of the gateway and HTTP/2 on the other: nothing is lost in translation. */
import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRaw, type RawClient } from '../../gateway/exchange/raw-client.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { openSession, receive } from './http2-client.ts';
import {
  rawService,
  startHttp2Origin,
  startRawOrigin,
  type RawOrigin,
  type TestOrigin,
} from './origins.ts';

interface Arrived {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly raw: readonly string[];
}

let http1: RawOrigin;
let http2: TestOrigin;
let gateway: TestGateway;
let onStream: (arrived: Arrived) => void = () => undefined;

beforeAll(async () => {
  http1 = await startRawOrigin();
  http2 = await startHttp2Origin((stream, headers, raw) => onStream({ stream, headers, raw }));
  gateway = await startGateway({
    services: {
      h1: rawService(http1),
      h2: { protocol: 'h2c', endpoints: [{ address: http2.address }] },
    },
    routes: ['h1', 'h2'].map((name) => ({ name, match: { path: `/${name}/*` }, to: name })),
  });
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([http1?.close(), http2?.close()]);
});

const nextStream = (): Promise<Arrived> => new Promise((resolve) => (onStream = resolve));

async function textOf(stream: ServerHttp2Stream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

describe('an HTTP/2 request to an HTTP/1.1 upstream', () => {
  const request = (headers: Record<string, string | string[]>, options = {}) =>
    openSession(gateway, true).request(
      { ':path': '/h1/a?b', ':authority': 'shop.test', ...headers },
      options,
    );

  async function nextHead(): Promise<{ peer: RawClient; head: string }> {
    const peer = await http1.nextPeer();
    await peer.untilText('\r\n\r\n');
    return { peer, head: peer.text.slice(0, peer.text.indexOf('\r\n\r\n') + 2) };
  }

  it('has its authority for Host, its cookies in one line, and no pseudo-fields', async () => {
    const answer = receive(request({ cookie: ['a=1', 'b=2', 'c=3'], 'x-twice': ['1', '2'] }));
    const { peer, head } = await nextHead();
    expect(head).toMatch(/^GET \/h1\/a\?b HTTP\/1.1\r\nHost: shop.test\r\n/);
    expect(head).toMatch(/\r\ncookie: a=1; b=2; c=3\r\n/);
    expect(head.match(/\r\nx-twice: /g)).toHaveLength(2);
    expect(head).not.toMatch(/\r\n:|\r\nte:|\r\nconnection:/i);
    peer.send(
      'HTTP/1.1 200 Fine\r\nSet-Cookie: x=1\r\nSet-Cookie: y=2\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok',
    );
    const { headers, body } = await answer;
    expect(headers).toMatchObject({
      ':status': 200,
      'set-cookie': ['x=1', 'y=2'],
      'content-length': '2',
    });
    expect(headers).not.toHaveProperty('keep-alive');
    expect(body).toBe('ok');
  });

  it('keeps a length that is known, and comes in chunks where it is not', async () => {
    for (const [fields, framing, sent] of [
      [{ 'content-length': '4' }, 'Content-Length: 4', 'body'],
      [{}, 'Transfer-Encoding: chunked', '4\r\nbody\r\n0\r\n\r\n'],
    ] as const) {
      const stream = request({ ':method': 'POST', ...fields });
      stream.end('body');
      const answer = receive(stream);
      const { peer, head } = await nextHead();
      expect(head).toContain(`\r\n${framing}\r\n`);
      await peer.untilText(`\r\n\r\n${sent}`);
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      expect((await answer).headers).toMatchObject({ ':status': 200, 'content-length': '0' });
    }
  });

  it('carries trailers up and down', async () => {
    const stream = request({ ':method': 'POST', te: 'trailers' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '9' }));
    stream.end('a');
    const answer = receive(stream);
    const { peer } = await nextHead();
    await peer.untilText('1\r\na\r\n0\r\nx-sum: 9\r\n\r\n');
    peer.send(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\nX-Down: 8\r\n\r\n',
    );
    expect(await answer).toMatchObject({ body: 'b', trailers: { 'x-down': '8' } });
  });

  it.for([
    ['HEAD', '200 OK', 'Content-Length: 12\r\n', { ':status': 200, 'content-length': '12' }],
    ['GET', '204 No Content', '', { ':status': 204 }],
    ['GET', '304 Not Modified', 'ETag: "a"\r\n', { ':status': 304, etag: '"a"' }],
    ['GET', '200 OK', 'Content-Length: 0\r\n', { ':status': 200, 'content-length': '0' }],
  ] as const)(
    'has the bodiless answer to %s with %s as it is',
    async ([method, line, fields, expected]) => {
      const answer = receive(request({ ':method': method }));
      const { peer } = await nextHead();
      peer.send(`HTTP/1.1 ${line}\r\n${fields}\r\n`);
      const { headers, body } = await answer;
      expect(headers).toMatchObject(expected);
      expect(body).toBe('');
    },
  );

  it('is answered to the end of a connection without length', async () => {
    const answer = receive(request({}));
    const { peer } = await nextHead();
    peer.send('HTTP/1.1 200 OK\r\n\r\nuntil the end');
    peer.socket.end();
    expect((await answer).body).toBe('until the end');
  });

  it('is reset where the answer breaks off', async () => {
    const stream = request({});
    stream.on('error', () => undefined);
    const outcome = receive(stream).then(
      () => 'complete',
      () => 'broken',
    );
    const { peer } = await nextHead();
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await once(stream, 'response');
    peer.socket.resetAndDestroy();
    expect(await outcome).toBe('broken');
  });
});

describe('an HTTP/1.1 request to an HTTP/2 upstream', () => {
  it('has its Host for authority, lower-case names and no hop-by-hop fields', async () => {
    const client = await connectRaw(gateway.httpPort);
    const arrived = nextStream();
    client.send(
      'GET /h2/a?b HTTP/1.1\r\nHost: shop.test:81\r\nX-Name: v\r\nCookie: a=1; b=2\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers, gzip\r\n\r\n',
    );
    const { stream, headers } = await arrived;
    expect(headers).toMatchObject({
      ':method': 'GET',
      ':scheme': 'http',
      ':authority': 'shop.test:81',
      ':path': '/h2/a?b',
      'x-name': 'v',
      cookie: 'a=1; b=2',
      te: 'trailers',
      via: '1.1 meshgate',
    });
    for (const name of ['host', 'connection', 'x-hop', 'keep-alive'])
      expect(headers).not.toHaveProperty(name);
    stream.respond({ ':status': 200, 'set-cookie': ['x=1', 'y=2'], 'content-length': 2 });
    stream.end('ok');
    await client.untilText('\r\n\r\nok');
    expect(client.text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(client.text).toMatch(/\r\nset-cookie: x=1\r\nset-cookie: y=2\r\n/);
    expect(client.text).toMatch(/\r\nContent-Length: 2\r\n/i);
    expect(client.text).not.toMatch(/transfer-encoding/i);
  });

  it('carries a body of known length, and one in chunks with trailers', async () => {
    for (const [framing, bytes, length, trailer] of [
      ['Content-Length: 4', 'body', '4', undefined],
      ['Transfer-Encoding: chunked', '2\r\nbo\r\n2\r\ndy\r\n0\r\nX-Sum: 5\r\n\r\n', undefined, '5'],
    ] as const) {
      const client = await connectRaw(gateway.httpPort);
      const arrived = nextStream();
      client.send(`POST /h2/ HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${bytes}`);
      const { stream, headers } = await arrived;
      const trailers = new Promise((resolve) => stream.on('trailers', resolve).on('end', resolve));
      expect(headers['content-length']).toBe(length);
      expect(headers).not.toHaveProperty('transfer-encoding');
      expect(await textOf(stream)).toBe('body');
      expect(((await trailers) as IncomingHttpHeaders | undefined)?.['x-sum']).toBe(trailer);
      stream.respond({ ':status': 200 }, { endStream: true });
      await client.untilText('\r\n\r\n');
    }
  });

  it('is answered in chunks with trailers where the upstream tells no length', async () => {
    const client = await connectRaw(gateway.httpPort);
    const arrived = nextStream();
    client.send('GET /h2/ HTTP/1.1\r\nHost: a\r\n\r\n');
    const { stream } = await arrived;
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '6' }));
    stream.write('one');
    await client.untilText('3\r\none\r\n');
    stream.end('two');
    await client.untilText('3\r\ntwo\r\n0\r\nx-sum: 6\r\n\r\n');
    expect(client.text).toMatch(/\r\nTransfer-Encoding: chunked\r\n/i);
  });

  it('gets interim answers', async () => {
    const client = await connectRaw(gateway.httpPort);
    const arrived = nextStream();
    client.send('GET /h2/ HTTP/1.1\r\nHost: a\r\n\r\n');
    const { stream } = await arrived;
    stream.additionalHeaders({ ':status': 103, link: '</a>' });
    await client.untilText('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
    stream.respond({ ':status': 204 }, { endStream: true });
    await client.untilText('HTTP/1.1 204 No Content\r\n');
    expect(client.text.match(/HTTP\/1.1 /g)).toHaveLength(2);
  });

  it('waits for the 100 of the upstream', async () => {
    const client = await connectRaw(gateway.httpPort);
    const arrived = nextStream();
    client.send(
      'PUT /h2/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
    );
    const { stream, headers } = await arrived;
    expect(headers['expect']).toBe('100-continue');
    expect(client.text).toBe('');
    stream.additionalHeaders({ ':status': 100 });
    await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('body');
    expect(await textOf(stream)).toBe('body');
    stream.respond({ ':status': 200 }, { endStream: true });
    await client.untilText('HTTP/1.1 200 OK\r\n');
  });

  it.for([
    [
      'HEAD',
      { ':status': 200, 'content-length': 12 },
      /^HTTP\/1.1 200 OK\r\n[^]*content-length: 12\r\n/i,
    ],
    [
      'GET',
      { ':status': 204 },
      /^HTTP\/1.1 204 No Content\r\n(?![^]*(?:content-length|transfer-encoding))/i,
    ],
    ['GET', { ':status': 304, etag: '"a"' }, /^HTTP\/1.1 304 Not Modified\r\n[^]*etag: "a"\r\n/],
  ] as const)(
    'has the bodiless answer to %s with %o as it is',
    async ([method, fields, expected]) => {
      const client = await connectRaw(gateway.httpPort);
      for (const answered of [1, 2]) {
        const arrived = nextStream();
        client.send(`${method} /h2/ HTTP/1.1\r\nHost: a\r\n\r\n`);
        const { stream } = await arrived;
        stream.respond(fields, { endStream: true });
        await client.until(({ text }) => text.split('\r\n\r\n').length === answered + 1);
      }
      const [first, second, rest] = client.text.split(/(?<=\r\n\r\n)/);
      expect(first).toMatch(expected);
      expect(second).toMatch(expected);
      expect(rest).toBeUndefined();
    },
  );

  it('is cut off where the answer breaks off', async () => {
    const client = await connectRaw(gateway.httpPort);
    const arrived = nextStream();
    client.send('GET /h2/ HTTP/1.1\r\nHost: a\r\n\r\n');
    const { stream } = await arrived;
    // Else node would say END_STREAM before it resets.
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.write('half');
    await client.untilText('half');
    stream.close(2);
    await client.untilClosed();
    expect(client.text.endsWith('4\r\nhalf\r\n')).toBe(true);
  });
});
