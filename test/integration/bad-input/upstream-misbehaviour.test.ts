/** Upstreams that break the protocol: what they send is refused whole, or visibly broken off, and poisons nobody. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { startHttp2Origin, type StreamHandler, type TestOrigin } from '../protocols/origins.ts';
import { ask, fieldOf, get, knock } from './doors.ts';
import { startScriptedUpstream, type Script, type ScriptedUpstream } from './scripted-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const POISON = `${OK}Content-Length: 8\r\n\r\npoisoned`;

let upstream: ScriptedUpstream;
let http2Upstream: TestOrigin;
let http2Script: StreamHandler;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startScriptedUpstream();
  http2Upstream = await startHttp2Origin((...call) => http2Script(...call));
  const once = { retry: { attempts: 0 }, circuitBreaker: { maxConnections: 1 } };
  gateway = await startGateway({
    services: {
      scripted: { ...once, endpoints: [{ address: upstream.address }] },
      http2: { ...once, protocol: 'h2c', endpoints: [{ address: http2Upstream.address }] },
    },
    routes: [
      { name: 'http2', match: { path: '/http2' }, to: 'http2' },
      { name: 'all', to: 'scripted' },
    ],
  });
});
beforeEach(() => {
  upstream.closed.length = 0;
});
afterAll(async () => {
  await gateway?.stop();
  await Promise.all([upstream?.close(), http2Upstream?.close()]);
});

const wrong: readonly (readonly [name: string, bytes: string])[] = [
  ['Content-Length twice, in different cases', `${OK}Content-Length: 2\r\ncontent-length: 2\r\n\r\nok`],
  ['two different Content-Length', `${OK}Content-Length: 2\r\nContent-Length: 30\r\n\r\nok`],
  ['a list of lengths', `${OK}Content-Length: 2, 2\r\n\r\nok`],
  ['a length with a sign', `${OK}Content-Length: +2\r\n\r\nok`],
  ['a negative length', `${OK}Content-Length: -2\r\n\r\nok`],
  ['a length that no number can hold', `${OK}Content-Length: 99999999999999999999\r\n\r\nok`],
  ['Content-Length with Transfer-Encoding', `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  ['Transfer-Encoding twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a transfer coding other than chunked', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['an obsolete folding', `${OK}X-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok`],
  ['a bare LF', `${OK}X-A: b\nX-B: c\r\nContent-Length: 2\r\n\r\nok`],
  ['a bare CR', `${OK}X-A: b\rX-B: c\r\nContent-Length: 2\r\n\r\nok`],
  ['NUL in a value', `${OK}X-A: b\0\r\nContent-Length: 2\r\n\r\nok`],
  ['a space before the colon', `${OK}Content-Length : 2\r\n\r\nok`],
  ['a line without a colon', `${OK}X-A\r\nContent-Length: 2\r\n\r\nok`],
  ['a control character in the reason', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a status below 100', 'HTTP/1.1 099 No\r\nContent-Length: 2\r\n\r\nok'],
  ['a version it does not have', 'HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['HTTP/0.9', 'just a body'],
  ['a switch nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
  ['a field that is a bomb', `${OK}X-A: ${'b'.repeat(128 * 1024)}\r\nContent-Length: 2\r\n\r\nok`],
  ['fields without end', `${OK}${`X-A: ${'b'.repeat(100)}\r\n`.repeat(2000)}`],
  ['a status line without end', `HTTP/1.1 200 ${'b'.repeat(128 * 1024)}`],
  ['interim answers with a bomb', `HTTP/1.1 103 Early Hints\r\nX-A: ${'b'.repeat(128 * 1024)}\r\n\r\n`],
];

describe('an answer that is none', () => {
  it.for(wrong)('is 502 with nothing of it, and its connection is not used again: %s', async ([, bytes]) => {
    upstream.script = (socket) => socket.write(bytes, 'latin1');
    const answer = await ask(gateway, get('/'));
    expect(answer.status, answer.body).toBe(502);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'upstream_protocol_error' });
    expect(fieldOf(answer.head, 'proxy-status')).toBe('meshgate; error=http_protocol_error');
    expect(answer.head).not.toMatch(/x-a|x-b/i);
    await upstream.closed[0];
    await expectHealthyNext();
  });
});

/** Bytes that belong to no answer, sent right behind one or while the connection rests. */
const poisons: readonly (readonly [name: string, script: Script])[] = [
  ['behind an answer with a length', (socket) => socket.write(`${OK}Content-Length: 2\r\n\r\nok${POISON}`)],
  ['behind an answer in chunks', (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${POISON}`)],
  ['behind an answer without a body', (socket) => socket.write(`HTTP/1.1 204 No Content\r\n\r\n${POISON}`)],
  ['as the body of 304', (socket) => socket.write(`HTTP/1.1 304 Not Modified\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`)],
  ['as line ends that belong to nothing', (socket) => socket.write(`${OK}Content-Length: 2\r\n\r\nok\r\n\r\n`)],
  [
    'on the connection at rest',
    (socket) => {
      socket.write(`${OK}Content-Length: 2\r\n\r\nok`);
      // Not before the answer has been taken and the connection put to rest.
      atRest.then(() => socket.write(POISON)).catch(() => undefined);
    },
  ],
  [
    'as a leave-taking on the connection at rest',
    (socket) => {
      socket.write(`${OK}Content-Length: 2\r\n\r\nok`);
      atRest
        .then(() => socket.end('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'))
        .catch(() => undefined);
    },
  ],
];
let atRest: Promise<void>;

describe('an answer that nobody asked for (CVE-2026-48931)', () => {
  it.for(poisons)('never becomes the next one: %s', async ([, script]) => {
    const rest = Promise.withResolvers<void>();
    atRest = rest.promise;
    upstream.script = script;
    const answer = await ask(gateway, get('/first'));
    expect([200, 204, 304]).toContain(answer.status);
    expect(answer.body).not.toContain('poisoned');
    rest.resolve();
    await upstream.closed[0];
    await expectHealthyNext();
  });

  it.for([...Array.from({ length: 10 }).keys()])('nor when the next request is on its way already (%i)', async () => {
    upstream.script = (socket, target) => {
      socket.write(`${OK}Content-Length: ${target.length}\r\n\r\n${target}${POISON}`);
    };
    const client = await knock(gateway);
    client.send('GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const text = await client.untilEnd();
    expect(text).not.toContain('poisoned');
    expect(text.split(/HTTP\/1\.1 \d/)).toHaveLength(3);
    expect(text).toContain('\r\n\r\n/one');
    expect(text).toContain('\r\n\r\n/two');
  });

  it('nor does the body of an answer to HEAD', async () => {
    upstream.script = (socket) => socket.write(`${OK}Content-Length: ${POISON.length}\r\n\r\n${POISON}`);
    const client = await knock(gateway);
    const text = await client.send('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').untilEnd();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).not.toContain('poisoned');
    await upstream.closed[0];
    await expectHealthyNext();
  });
});

it('keeps interim answers from the client that only concern the hop', async () => {
  upstream.script = (socket) =>
    socket.write(`HTTP/1.1 100 Continue\r\n\r\n${`HTTP/1.1 102 Processing\r\n\r\n`.repeat(3)}${OK}Content-Length: 2\r\n\r\nok`);
  const client = await knock(gateway);
  const text = await client.send(get('/')).untilEnd();
  expect(text).not.toContain('100 Continue');
  expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(1);
});

/** Answers that break off after `first`, and how. */
const broken: readonly (readonly [name: string, script: Script])[] = [
  ['with a length, by FIN', (socket) => socket.end(`${OK}Content-Length: 10\r\n\r\nfirst`)],
  ['with a length, by RST', (socket) => void socket.write(`${OK}Content-Length: 10\r\n\r\nfirst`, () => resetWhenTaken(socket))],
  ['between chunks, by FIN', (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`)],
  ['between chunks, by RST', (socket) => void socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`, () => resetWhenTaken(socket))],
  ['within a chunk', (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\na\r\nfirst`)],
  ['within the size of a chunk', (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n1`)],
  ['within the last chunk', (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n`)],
  ['within the trailers', (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\nX-A: b\r\n`)],
  ['by a bad chunk size', (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\nzz\r\n`)],
  ['by a chunk longer than its size', (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirstandmore\r\n0\r\n\r\n`)],
  ['by an extension without end', (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n1;${'a'.repeat(64 * 1024)}`)],
  ['by trailers without end', (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n${`X-A: ${'b'.repeat(1024)}\r\n`.repeat(128)}`)],
  ['by a bare LF in the framing', (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\n0\r\n\r\n`)],
  ['without framing, by RST', (socket) => void socket.write(`${OK}\r\nfirst`, () => resetWhenTaken(socket))],
];
let taken: Promise<void>;

/** RST throws away what the receiver has not read yet. */
function resetWhenTaken(socket: Parameters<Script>[0]): void {
  taken.then(() => socket.resetAndDestroy()).catch(() => undefined);
}

const brokenHttp2: readonly (readonly [name: string, script: StreamHandler])[] = [
  ['by RST_STREAM', (stream) => void sendFirst(stream, () => stream.close(2))],
  ['by RST_STREAM without an error', (stream) => void sendFirst(stream, () => stream.close(0))],
  ['by RST_STREAM, with a length', (stream) => void sendFirst(stream, () => stream.close(8), { 'content-length': 10 })],
  ['by the end of the connection', (stream) => void sendFirst(stream, () => stream.session!.destroy())],
];

function sendFirst(stream: Parameters<StreamHandler>[0], then: () => void, fields = {}): void {
  stream.on('error', () => undefined);
  stream.respond({ ':status': 200, ...fields });
  stream.write('first');
  taken.then(then).catch(() => undefined);
}

describe('an answer that breaks off', () => {
  const ways: readonly (readonly [name: string, path: string, play: () => void])[] = [
    ...broken.map(([name, script]) => [name, '/', () => (upstream.script = script)] as const),
    ...brokenHttp2.map(
      ([name, script]) => [`over HTTP/2 ${name}`, '/http2', () => (http2Script = script)] as const,
    ),
  ];

  it.for(ways)('is not complete to HTTP/1.1: %s', async ([, path, play]) => {
    const release = hold();
    play();
    const client = await knock(gateway);
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until(({ text, closed }) => text.includes('first') || closed);
    release();
    const text = await client.untilClosed();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const { chunked, length, body } = partsOf(text);
    if (chunked) expect(body).not.toMatch(/(?:^|\r\n)0\r\n/);
    else expect(body.length).toBeLessThan(length);
    // Nothing follows it that could pass for the rest.
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it.for(ways)('is not complete to HTTP/1.0: %s', async ([, path, play]) => {
    const release = hold();
    play();
    const client = await knock(gateway);
    client.send(`GET ${path} HTTP/1.0\r\nHost: a\r\n\r\n`);
    await client.until(({ text, closed }) => text.includes('first') || closed);
    release();
    const text = await client.untilClosed();
    const { length, body } = partsOf(text);
    // Where only the end of the connection tells the end of the body, it must not be a good one.
    if (Number.isNaN(length)) expect(client.error).toMatchObject({ code: 'ECONNRESET' });
    else expect(body.length).toBeLessThan(length);
  });

  it.for(ways)('is not complete to HTTP/2: %s', async ([, path, play]) => {
    const release = hold();
    play();
    const session = connect(`http://127.0.0.1:${gateway.httpPort}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':path': path, ':authority': 'localhost' });
    stream.once('data', release);
    stream.resume();
    const [error] = (await once(stream, 'error')) as [Error & { code: string }];
    expect(error.code).toBe('ERR_HTTP2_STREAM_ERROR');
    expect(stream.rstCode).not.toBe(0);
  });

  it('is logged as what it was', async () => {
    const release = hold();
    upstream.script = (socket) => socket.end(`${OK}Content-Length: 10\r\n\r\nfirst`);
    const client = await knock(gateway);
    await client.send('GET /cut HTTP/1.1\r\nHost: a\r\n\r\n').untilClosed();
    upstream.script = (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\nzz\r\n`);
    const other = await knock(gateway);
    await other.send('GET /garbled HTTP/1.1\r\nHost: a\r\n\r\n').untilClosed();
    release();
    expect(await gateway.waitForLog(({ path }) => path === '/cut')).toMatchObject({
      status: 200,
      code: 'upstream_reset',
      endpoint: upstream.address,
      reason: expect.stringMatching(/./),
    });
    expect(await gateway.waitForLog(({ path }) => path === '/garbled')).toMatchObject({
      status: 200,
      code: 'upstream_protocol_error',
    });
  });

  it('is complete where the end of the connection is the end of the body', async () => {
    upstream.script = (socket) => socket.end(`${OK}\r\nfirst`);
    const answer = await ask(gateway, get('/'));
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

function partsOf(text: string): { chunked: boolean; length: number; body: string } {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  return {
    chunked: fieldOf(head, 'transfer-encoding') === 'chunked',
    length: Number(fieldOf(head, 'content-length')),
    body: text.slice(end + 4),
  };
}

/** What has gone wrong before does not touch the next exchange. */
async function expectHealthyNext(): Promise<void> {
  upstream.script = (socket, target) => {
    const body = `answer to ${target}`;
    socket.write(`${OK}Content-Length: ${body.length}\r\n\r\n${body}`);
  };
  expect(await ask(gateway, get('/next'))).toMatchObject({ status: 200, body: 'answer to /next' });
}
