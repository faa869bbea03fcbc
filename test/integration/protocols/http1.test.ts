/** HTTP/1.1 through the whole gateway, byte by byte on both sides. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAnswer } from '../../gateway/exchange/raw-client.ts';
import { startRawGateway, type RawGateway } from './raw-gateway.ts';

let gateway: RawGateway;

beforeAll(async () => {
  gateway = await startRawGateway([
    { name: 'raw', to: 'raw' },
    { name: 'server', match: { path: { regex: '\\*' } }, to: 'raw' },
  ]);
});

afterAll(() => gateway?.stop());

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';

describe('a connection', () => {
  it('serves one request after the other and closes when it is asked to', async () => {
    const client = await gateway.connect();
    for (const path of ['/one', '/two']) {
      client.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const peer = await gateway.origin.nextPeer();
      expect(await peer.untilHead()).toMatch(
        new RegExp(`^GET ${path} HTTP/1.1\r\nHost: a.test\r\n`),
      );
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n${path}`);
      await client.untilText(`\r\n\r\n${path}`);
    }
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    const peer = await gateway.origin.nextPeer();
    // The client's wish is not the upstream's business.
    expect(await peer.untilHead()).not.toMatch(/\r\nConnection:/i);
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend');
    const text = await client.untilEnd();
    expect(text.slice(text.lastIndexOf('HTTP/1.1 200'))).toMatch(/\r\nConnection: close\r\n/);
    expect(text.endsWith('end')).toBe(true);
  });

  it('stays open for the client where the upstream closes its own', async () => {
    const client = await gateway.connect();
    client.send(GET);
    const peer = await gateway.origin.nextPeer();
    await peer.untilHead();
    peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1');
    await client.untilText('\r\n\r\n1');
    expect(client.text).not.toMatch(/Connection: close/i);
    client.send(GET);
    const next = await gateway.origin.nextPeer();
    await next.untilHead();
    next.send('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2');
    await client.untilText('\r\n\r\n2');
  });

  it('sends pipelined requests on one after the other, and answers them in order', async () => {
    const client = await gateway.connect();
    client.send('GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const first = await gateway.origin.nextPeer();
    expect(await first.untilHead()).toMatch(/^GET \/1 /);
    const seen = gateway.origin.accepted;
    first.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nfirst');
    const second = await gateway.origin.nextPeer();
    expect(gateway.origin.accepted).toBe(seen + 1);
    expect(await second.untilHead()).toMatch(/^GET \/2 /);
    second.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond');
    await client.untilText('second');
    expect(client.text.indexOf('first')).toBeLessThan(client.text.indexOf('second'));
    expect(client.text.match(/HTTP\/1.1 200/g)).toHaveLength(2);
  });

  it('serves HTTP/1.0: no chunks, no interim answers, closed at the end', async () => {
    const client = await gateway.connect();
    client.send('GET /old HTTP/1.0\r\nHost: a.test\r\n\r\n');
    const peer = await gateway.origin.nextPeer();
    expect(await peer.untilHead()).toMatch(/^GET \/old HTTP\/1.1\r\nHost: a.test\r\n/);
    expect(peer.text).toMatch(/\r\nVia: 1.0 meshgate\r\n/);
    peer.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
    peer.send(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx-t: 1\r\n\r\n',
    );
    const { status, head, body } = parseAnswer(await client.untilEnd());
    expect([status, body]).toEqual([200, 'abcde']);
    expect(head).not.toMatch(/transfer-encoding/i);
  });

  it('keeps an HTTP/1.0 connection that asks for it, where the length is known', async () => {
    const client = await gateway.connect();
    for (const n of ['1', '2']) {
      client.send('GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n');
      const peer = await gateway.origin.nextPeer();
      await peer.untilHead();
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${n}`);
      await client.untilText(`\r\n\r\n${n}`);
    }
    expect(client.text.match(/Connection: keep-alive/gi)).toHaveLength(2);
  });
});

describe('a request target', () => {
  it('in absolute form reaches the upstream as path and Host, whatever Host said', async () => {
    const client = await gateway.connect();
    client.send('GET http://b.test:81/x?y=1 HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const peer = await gateway.origin.nextPeer();
    expect(await peer.untilHead()).toMatch(/^GET \/x\?y=1 HTTP\/1.1\r\nHost: b.test:81\r\n/);
    expect(peer.text).not.toContain('a.test');
    peer.send('HTTP/1.1 204 No Content\r\n\r\n');
    await client.untilText('\r\n\r\n');
  });

  it('of OPTIONS may be the asterisk, which only an expression names', async () => {
    const client = await gateway.connect();
    client.send('OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const peer = await gateway.origin.nextPeer();
    expect(await peer.untilHead()).toMatch(/^OPTIONS \* HTTP\/1.1\r\nHost: a.test\r\n/);
    peer.send('HTTP/1.1 200 OK\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n');
    await client.untilText('Allow: GET');
  });
});

describe('a body', () => {
  it('in chunks reaches the upstream in chunks, as it comes, with its trailers', async () => {
    const client = await gateway.connect();
    client.send(
      'POST /up HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n',
    );
    client.send('3\r\nabc\r\n');
    const peer = await gateway.origin.nextPeer();
    await peer.untilText('3\r\nabc\r\n');
    expect(await peer.untilHead()).toMatch(/\r\nTransfer-Encoding: chunked/);
    expect(await peer.untilHead()).not.toMatch(/content-length/i);
    client.send('5;ext=1\r\ndefgh\r\n0\r\nX-Sum: 42\r\n\r\n');
    await peer.untilText('5\r\ndefgh\r\n0\r\nX-Sum: 42\r\n\r\n');
    // Extensions of a chunk end at the hop.
    expect(peer.text).not.toContain('ext');
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await client.untilText('\r\n\r\nok');
  });

  it('with a length keeps it', async () => {
    const client = await gateway.connect();
    client.send('PUT /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: 8\r\n\r\nhalf');
    const peer = await gateway.origin.nextPeer();
    await peer.untilText('\r\n\r\nhalf');
    expect(await peer.untilHead()).toMatch(/\r\nContent-Length: 8/);
    client.send('more');
    await peer.untilText('halfmore');
    peer.send('HTTP/1.1 201 Created\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n');
    await client.untilText('\r\n\r\n');
    expect(client.text).toMatch(/^HTTP\/1.1 201 Created\r\n[^]*Location: \/x\r\n/);
  });

  it('of an answer comes in chunks, as it comes, with its trailers', async () => {
    const client = await gateway.connect();
    client.send(GET.replace('Host', 'TE: trailers\r\nConnection: TE\r\nHost'));
    const peer = await gateway.origin.nextPeer();
    await peer.untilHead();
    peer.send(
      'HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n1\r\na\r\n',
    );
    await client.untilText('\r\n\r\n1\r\na\r\n');
    expect(client.text).toMatch(/^HTTP\/1.1 200 Fine\r\n/);
    peer.send('2\r\nbc\r\n');
    await client.untilText('2\r\nbc\r\n');
    peer.send('0\r\nX-Sum: 9\r\nX-Two: z\r\n\r\n');
    await client.untilText('0\r\nX-Sum: 9\r\nX-Two: z\r\n\r\n');
  });

  it('that ends with the upstream connection comes in chunks', async () => {
    const client = await gateway.connect();
    client.send(GET);
    const peer = await gateway.origin.nextPeer();
    await peer.untilHead();
    peer.send('HTTP/1.1 200 OK\r\n\r\nall of it');
    peer.socket.end();
    await client.untilText('0\r\n\r\n');
    expect(client.text).toMatch(/\r\nTransfer-Encoding: chunked\r\n/i);
    expect(client.text).toContain('9\r\nall of it\r\n');
  });

  it('that breaks off is never made to look complete', async () => {
    const client = await gateway.connect();
    client.send(GET);
    const peer = await gateway.origin.nextPeer();
    await peer.untilHead();
    peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
    await client.untilText('half');
    peer.socket.resetAndDestroy();
    await client.untilClosed();
    expect(client.text.endsWith('4\r\nhalf\r\n')).toBe(true);
    const line = await gateway.waitForLog(({ code }) => code === 'upstream_reset');
    expect(line).toMatchObject({ status: 200 });
  });

  it('shorter than announced is never made to look complete', async () => {
    const client = await gateway.connect();
    client.send(GET);
    const peer = await gateway.origin.nextPeer();
    await peer.untilHead();
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort');
    await client.untilText('short');
    peer.socket.end();
    await client.untilClosed();
    expect(client.text.endsWith('short')).toBe(true);
  });

  it.for([
    ['HEAD', '200 OK', 'Content-Length: 12\r\n', /\r\nContent-Length: 12\r\n/],
    ['GET', '204 No Content', '', /^(?![^]*content-length)(?![^]*transfer-encoding)/i],
    ['GET', '304 Not Modified', 'ETag: "a"\r\nContent-Length: 5\r\n', /\r\nETag: "a"\r\n/],
  ] as const)(
    'is absent from the answer to %s with %s',
    async ([method, line, fields, expected]) => {
      const client = await gateway.connect();
      client.send(`${method} / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const peer = await gateway.origin.nextPeer();
      await peer.untilHead();
      peer.send(`HTTP/1.1 ${line}\r\n${fields}\r\n`);
      await client.untilText('\r\n\r\n');
      // A next request shows that the client's parser is not out of step.
      client.send(GET);
      const next = await gateway.origin.nextPeer();
      await next.untilHead();
      next.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
      await client.untilText('\r\n\r\nnext');
      const [first, second] = client.text.split(/(?=HTTP\/1.1 200 OK\r\n[^]*next$)/);
      expect(first).toMatch(new RegExp(`^HTTP/1.1 ${line}\r\n`));
      expect(first).toMatch(expected);
      expect(first!.endsWith('\r\n\r\n')).toBe(true);
      expect(second).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    },
  );
});
