/** Upstreams that break off within an answer: no client can take what it has for complete. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { StreamHandler } from '../protocols/origins.ts';
import { ask, fieldOf, get, knock } from './doors.ts';
import { OK, startScriptedGateway, type ScriptedGateway } from './scripted-gateway.ts';
import type { Script } from './scripted-upstream.ts';

let scripted: ScriptedGateway;

beforeAll(async () => {
  scripted = await startScriptedGateway();
});
afterAll(() => scripted?.stop());

/** Answers that break off after `first`, and how. */
const broken: readonly (readonly [name: string, script: Script])[] = [
  ['with a length, by FIN', (socket) => socket.end(`${OK}Content-Length: 10\r\n\r\nfirst`)],
  [
    'with a length, by RST',
    (socket) =>
      void socket.write(`${OK}Content-Length: 10\r\n\r\nfirst`, () => resetWhenTaken(socket)),
  ],
  [
    'between chunks, by FIN',
    (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`),
  ],
  [
    'between chunks, by RST',
    (socket) =>
      void socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`, () =>
        resetWhenTaken(socket),
      ),
  ],
  ['within a chunk', (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\na\r\nfirst`)],
  [
    'within the size of a chunk',
    (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n1`),
  ],
  [
    'within the last chunk',
    (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n`),
  ],
  [
    'within the trailers',
    (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\nX-A: b\r\n`),
  ],
  [
    'by a bad chunk size',
    (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\nzz\r\n`),
  ],
  [
    'by a chunk longer than its size',
    (socket) =>
      socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirstandmore\r\n0\r\n\r\n`),
  ],
  [
    'by an extension without end',
    (socket) =>
      socket.write(
        `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n1;${'a'.repeat(64 * 1024)}`,
      ),
  ],
  [
    'by trailers without end',
    (socket) =>
      socket.write(
        `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n${`X-A: ${'b'.repeat(1024)}\r\n`.repeat(128)}`,
      ),
  ],
  [
    'by a bare LF in the framing',
    (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\n0\r\n\r\n`),
  ],
  [
    'without framing, by RST',
    (socket) => void socket.write(`${OK}\r\nfirst`, () => resetWhenTaken(socket)),
  ],
];
let taken: Promise<void>;

/** RST throws away what the receiver has not read yet. */
function resetWhenTaken(socket: Parameters<Script>[0]): void {
  taken.then(() => socket.resetAndDestroy()).catch(() => undefined);
}

const brokenHttp2: readonly (readonly [name: string, script: StreamHandler])[] = [
  ['by RST_STREAM', (stream) => sendFirst(stream, () => stream.close(2))],
  ['by RST_STREAM without an error', (stream) => sendFirst(stream, () => stream.close(0))],
  [
    'by RST_STREAM, with a length',
    (stream) => sendFirst(stream, () => stream.close(8), { 'content-length': 10 }),
  ],
  ['by the end of the connection', (stream) => sendFirst(stream, () => stream.session!.destroy())],
  [
    'by END_STREAM before its length',
    (stream) => {
      stream.respond({ ':status': 200, 'content-length': 10 });
      stream.write('first');
      taken.then(() => stream.end()).catch(() => undefined);
    },
  ],
];

function sendFirst(stream: Parameters<StreamHandler>[0], then: () => void, fields = {}): void {
  stream.on('error', () => undefined);
  // Otherwise node says END_STREAM before it resets.
  stream.respond({ ':status': 200, ...fields }, { waitForTrailers: true });
  stream.write('first');
  taken.then(then).catch(() => undefined);
}

describe('an answer that breaks off', () => {
  const ways: readonly (readonly [name: string, path: string, prepare: () => void])[] = [
    ...broken.map(([name, script]) => [name, '/', () => void scripted.play(script)] as const),
    ...brokenHttp2.map(
      ([name, script]) =>
        [`over HTTP/2 ${name}`, '/http2', () => scripted.playHttp2(script)] as const,
    ),
  ];

  it.for(ways)('is not complete to HTTP/1.1: %s', async ([, path, prepare]) => {
    const release = hold();
    prepare();
    const client = await knock(scripted.gateway);
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until(({ text, closed }) => text.includes('first') || closed);
    release();
    const text = await client.untilClosed();
    // The head may still have been on its way when the rest turned out wrong.
    expect(text).toMatch(/^(?:$|HTTP\/1\.1 200 OK\r\n)/);
    expect(passesForComplete(text, client.error)).toBe(false);
    // Nothing follows it that could pass for the rest.
    expect(text.lastIndexOf('HTTP/1.1 ')).toBeLessThanOrEqual(0);
  });

  it.for(ways)('is not complete to HTTP/1.0: %s', async ([, path, prepare]) => {
    const release = hold();
    prepare();
    const client = await knock(scripted.gateway);
    client.send(`GET ${path} HTTP/1.0\r\nHost: a\r\n\r\n`);
    await client.until(({ text, closed }) => text.includes('first') || closed);
    release();
    const text = await client.untilClosed();
    expect(passesForComplete(text, client.error)).toBe(false);
  });

  it.for(ways)('is not complete to HTTP/2: %s', async ([, path, prepare]) => {
    const release = hold();
    prepare();
    const session = connect(`http://127.0.0.1:${scripted.gateway.httpPort}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':path': path, ':authority': 'localhost' });
    stream.once('data', release);
    stream.resume();
    const [error] = (await once(stream, 'error')) as [Error & { code: string }];
    expect(error.code).toBe('ERR_HTTP2_STREAM_ERROR');
    expect(stream.rstCode).not.toBe(0);
  });

  it.for([
    ['a bad chunk', `${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    ['a chunk without a size', `${OK}Transfer-Encoding: chunked\r\n\r\n;\r\n`],
  ] as const)('is answered with 502 where %s comes with its head', async ([, bytes]) => {
    for (const door of ['http', 'https'] as const) {
      void scripted.play((socket) => socket.write(bytes));
      const answer = await ask(scripted.gateway, get('/'), door);
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'upstream_protocol_error' });
    }
    void scripted.play((socket) => socket.write(bytes));
    const session = connect(`http://127.0.0.1:${scripted.gateway.httpPort}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':path': '/', ':authority': 'localhost' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(502);
  });

  it('is logged as what it was', async () => {
    const release = hold();
    void scripted.play((socket) => socket.end(`${OK}Content-Length: 10\r\n\r\nfirst`));
    const client = await knock(scripted.gateway);
    await client.send('GET /cut HTTP/1.1\r\nHost: a\r\n\r\n').untilClosed();
    void scripted.play((socket) =>
      socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\nzz\r\n`),
    );
    const other = await knock(scripted.gateway);
    await other.send('GET /garbled HTTP/1.1\r\nHost: a\r\n\r\n').untilClosed();
    release();
    expect(await scripted.gateway.waitForLog(({ path }) => path === '/cut')).toMatchObject({
      status: 200,
      code: 'upstream_reset',
      endpoint: scripted.address,
      reason: expect.stringMatching(/./),
    });
    expect(await scripted.gateway.waitForLog(({ path }) => path === '/garbled')).toMatchObject({
      status: 200,
      code: 'upstream_protocol_error',
    });
  });

  it('is complete where the end of the connection is the end of the body', async () => {
    void scripted.play((socket) => socket.end(`${OK}\r\nfirst`));
    const answer = await ask(scripted.gateway, get('/'));
    expect(answer.status).toBe(200);
    expect(answer.body).toMatch(/^5\r\nfirst\r\n0\r\n\r\n$/);
  });
});

/** Until the returned function is called, resets wait: the bytes before them are to be seen. */
function hold(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  taken = promise;
  return resolve;
}

/** Whether a client would take what it has got for a whole answer (RFC 9112 §8). */
function passesForComplete(text: string, error: Error | undefined): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const head = text.slice(0, end);
  const body = text.slice(end + 4);
  if (fieldOf(head, 'transfer-encoding') === 'chunked') return /(?:^|\r\n)0\r\n/.test(body);
  const length = fieldOf(head, 'content-length');
  // Without either, the end of the connection is the end of the body, if it is a good one.
  return length === undefined ? error === undefined : body.length >= Number(length);
}
