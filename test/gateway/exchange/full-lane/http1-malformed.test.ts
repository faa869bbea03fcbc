/** Bytes that are no HTTP/1 request: refused, closed, and never served. */
import { describe, expect, it } from 'vitest';
import { openListener } from '../../listener/open-listener.ts';
import { connectRaw, parseAnswer } from '../raw-client.ts';

const host = 'Host: a\r\n';
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

const malformed: readonly (readonly [name: string, bytes: string, status: number])[] = [
  [
    'Content-Length with Transfer-Encoding',
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'Transfer-Encoding with Content-Length',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'two different Content-Length',
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
    400,
  ],
  [
    'the same Content-Length twice',
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
    400,
  ],
  [
    'case variants of Content-Length',
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc`,
    400,
  ],
  ['a list in Content-Length', `POST / HTTP/1.1\r\n${host}Content-Length: 3, 3\r\n\r\nabc`, 400],
  ['a signed Content-Length', `POST / HTTP/1.1\r\n${host}Content-Length: +3\r\n\r\nabc`, 400],
  [
    'a Content-Length beyond counting',
    `POST / HTTP/1.1\r\n${host}Content-Length: 9007199254740993\r\n\r\nabc`,
    400,
  ],
  ['two Host fields', `GET / HTTP/1.1\r\n${host}Host: b\r\n\r\n`, 400],
  ['the same Host twice', `GET / HTTP/1.1\r\n${host}host: a\r\n\r\n`, 400],
  ['no Host on HTTP/1.1', 'GET / HTTP/1.1\r\nAccept: */*\r\n\r\n', 400],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['a Host with userinfo', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 400],
  ['a Host with a space', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['an obsolete line folding', `GET / HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n`, 400],
  ['a folding before the first field', `GET / HTTP/1.1\r\n X: y\r\n${host}\r\n`, 400],
  ['a bare LF after a field', `GET / HTTP/1.1\r\n${host}X-A: b\nX-B: c\r\n\r\n`, 400],
  ['a bare LF after the request line', `GET / HTTP/1.1\n${host}\r\n`, 400],
  ['a bare CR in a value', `GET / HTTP/1.1\r\n${host}X-A: b\rc\r\n\r\n`, 400],
  ['a bare CR after the head', `GET / HTTP/1.1\r\n${host}X-A: b\r\n\rX`, 400],
  ['a space before the colon', `GET / HTTP/1.1\r\n${host}X-A : b\r\n\r\n`, 400],
  ['a tab before the colon', `GET / HTTP/1.1\r\n${host}Transfer-Encoding\t: chunked\r\n\r\n`, 400],
  ['NUL in a value', `GET / HTTP/1.1\r\n${host}X-A: b\0c\r\n\r\n`, 400],
  ['a control character in a value', `GET / HTTP/1.1\r\n${host}X-A: b\x01c\r\n\r\n`, 400],
  ['a control character in a name', `GET / HTTP/1.1\r\n${host}X\x01A: b\r\n\r\n`, 400],
  ['DEL in a value', `GET / HTTP/1.1\r\n${host}X-A: b\x7fc\r\n\r\n`, 400],
  ['a control character in the target', `GET /a\x01b HTTP/1.1\r\n${host}\r\n`, 400],
  ['an empty field name', `GET / HTTP/1.1\r\n${host}: b\r\n\r\n`, 400],
  ['a field without a colon', `GET / HTTP/1.1\r\n${host}X-A\r\n\r\n`, 400],
  [
    'gzip as a transfer coding',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'gzip before chunked',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'chunked before identity',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'chunked twice',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'a disguised chunked',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'Transfer-Encoding on HTTP/1.0',
    `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ['an unknown method', `FOO / HTTP/1.1\r\n${host}\r\n`, 400],
  ['a method in lower case', `get / HTTP/1.1\r\n${host}\r\n`, 400],
  ['HTTP/0.9', 'GET /\r\n\r\n', 400],
  ['HTTP/0.9 by number', `GET / HTTP/0.9\r\n${host}\r\n`, 400],
  ['HTTP/1.2', `GET / HTTP/1.2\r\n${host}\r\n`, 400],
  ['HTTP/2.0 by number', `GET / HTTP/2.0\r\n${host}\r\n`, 400],
  ['HTTP/3.0', `GET / HTTP/3.0\r\n${host}\r\n`, 400],
  ['another protocol', `GET / ICY/1.1\r\n${host}\r\n`, 400],
  ['a target that is neither path nor URL', `GET foo HTTP/1.1\r\n${host}\r\n`, 400],
  ['an asterisk for GET', `GET * HTTP/1.1\r\n${host}\r\n`, 400],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['TRACE', `TRACE / HTTP/1.1\r\n${host}\r\n`, 405],
  ['CONNECT', `CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n`, 405],
  [
    'an unknown expectation',
    `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nExpect: tea\r\n\r\na`,
    417,
  ],
  [
    'an expectation among others',
    `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nExpect: 100-continue, tea\r\n\r\na`,
    417,
  ],
];

describe('malformed HTTP/1 requests', () => {
  it.for(malformed)('refuses %s, closes, and serves nothing of it', async ([, bytes, status]) => {
    const { door, port } = await openListener();
    const client = await connectRaw(port);
    const answer = parseAnswer(await client.send(bytes + smuggled).untilEnd());
    expect(answer.status).toBe(status);
    expect(answer.head).toContain('Connection: close');
    expect(answer.body).toContain(status === 417 ? 'expectation_failed' : 'bad_request');
    client.socket.end();
    await client.untilClosed();
    expect(client.text.split('HTTP/1.1 ')).toHaveLength(2);
    expect(door.served).toEqual([]);
    expect(door.refused).toHaveLength(1);
  });

  it.for(malformed.filter(([name]) => !name.includes('TLS')))(
    'refuses %s when it comes byte by byte',
    async ([, bytes, status]) => {
      const { door, port } = await openListener();
      const client = await connectRaw(port);
      for (const byte of bytes) {
        client.send(byte);
        await new Promise<void>((resolve) => setImmediate(resolve));
        if (client.ended) break;
      }
      expect(parseAnswer(await client.untilEnd()).status).toBe(status);
      expect(door.served).toEqual([]);
    },
  );

  it('answers what came before the bad bytes first, in order', async () => {
    const { door, port } = await openListener();
    const waiting: (() => void)[] = [];
    door.handler = (_intake, downstream) => waiting.push(() => downstream.answer(200, [], 'first'));
    const client = await connectRaw(port);
    client.send(`GET /first HTTP/1.1\r\n${host}\r\nGET / HTTP/1.1\r\nX : y\r\n\r\n`);
    await door.until(({ served }) => served.length === 1);
    expect(client.text).toBe('');
    waiting[0]!();
    const text = await client.untilEnd();
    expect(text.indexOf('first')).toBeGreaterThan(0);
    expect(text.indexOf('HTTP/1.1 400')).toBeGreaterThan(text.indexOf('first'));
  });

  it.for([
    ['a chunk size that is no number', 'zz\r\n'],
    ['a negative chunk size', '-1\r\n'],
    ['a chunk that is longer than said', '3\r\nabcdef\r\n'],
    ['a bare LF after a chunk size', '3\nabc\r\n'],
    ['a chunk size beyond counting', 'fffffffffffffffff\r\n'],
    ['a chunk extension with a bare CR', '3;a\rb\r\nabc\r\n'],
    ['chunk extensions without end', `3;${'x'.repeat(20_000)}\r\nabc\r\n`],
    ['an obsolete folding in trailers', '0\r\nX: y\r\n z\r\n\r\n'],
  ] as const)('breaks the body off at %s', async ([, chunk]) => {
    const { door, port } = await openListener();
    const client = await connectRaw(port);
    client.send(`POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    await door.until(({ served }) => served.length === 1);
    const text = await client.send(chunk + smuggled).untilEnd();
    const answer = parseAnswer(text);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('not an HTTP request');
    expect(answer.head).toContain('Connection: close');
    expect(door.served).toHaveLength(1);
    expect(text.split('HTTP/1.1 ')).toHaveLength(2);
  });

  it('lets a client that is still sending read the refusal', async () => {
    const { port } = await openListener();
    const client = await connectRaw(port);
    client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`);
    for (let i = 0; i < 50; i++) client.send(Buffer.alloc(64 * 1024));
    expect(parseAnswer(await client.untilEnd()).status).toBe(400);
    expect(client.error).toBeUndefined();
  });
});
