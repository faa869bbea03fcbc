/** HTTP/2 requests that are none: answered by 4xx or reset, and the upstream sees nothing of them. */
import { connect, constants, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  greet,
  GOAWAY,
  headerBlock,
  HEADERS,
  parseFrames,
  RST_STREAM,
} from '../../gateway/exchange/full-lane/h2-frames.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { expectNothingForwarded, knock } from './doors.ts';
import { startRecordingUpstream, type RecordingUpstream } from './recording-upstream.ts';

type Field = readonly [name: string, value: string];

let upstream: RecordingUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  gateway = await startGateway({
    listeners: [{ name: 'http', address: '127.0.0.1:0', limits: { body: '64KiB' } }],
    services: { recorder: { endpoints: [{ address: upstream.address }] } },
    routes: [{ name: 'all', to: 'recorder' }],
  });
});
beforeEach(() => upstream.forget());
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

const method: Field = [':method', 'GET'];
const scheme: Field = [':scheme', 'http'];
const path: Field = [':path', '/bad'];
const authority: Field = [':authority', 'localhost'];
const right: readonly Field[] = [method, scheme, path, authority];
const post: readonly Field[] = [[':method', 'POST'], scheme, path, authority];

const malformed: readonly (readonly [name: string, fields: readonly Field[]])[] = [
  ['no :method', [scheme, path, authority]],
  ['no :path', [method, scheme, authority]],
  ['no :scheme', [method, path, authority]],
  ['no :authority and no Host', [method, scheme, path]],
  ['an empty :path', [method, scheme, [':path', ''], authority]],
  ['an empty :authority', [method, scheme, path, [':authority', '']]],
  ['two :path', [...right, [':path', '/other']]],
  ['two :method', [...right, [':method', 'POST']]],
  ['two :authority', [...right, [':authority', 'other']]],
  ['an unknown pseudo-field', [...right, [':x', 'y']]],
  ['a :status', [...right, [':status', '200']]],
  ['a :protocol without CONNECT', [...right, [':protocol', 'websocket']]],
  ['a pseudo-field after a field', [method, scheme, path, ['x-a', 'b'], authority]],
  ['a field name in upper case', [...right, ['X-A', 'b']]],
  ['CR LF in :path', [method, scheme, [':path', '/bad HTTP/1.1\r\nX-A: b'], authority]],
  ['a space in :path', [method, scheme, [':path', '/b ad'], authority]],
  ['NUL in :path', [method, scheme, [':path', '/b\0ad'], authority]],
  ['a fragment in :path', [method, scheme, [':path', '/bad#x'], authority]],
  [':path in absolute form', [method, scheme, [':path', 'http://localhost/bad'], authority]],
  [':path without a slash', [method, scheme, [':path', 'bad'], authority]],
  ['an asterisk for GET', [method, scheme, [':path', '*'], authority]],
  ['CR LF in :method', [[':method', 'GET /bad HTTP/1.1\r\nX-A: b\r\n'], scheme, path, authority]],
  ['a space in :method', [[':method', 'GE T'], scheme, path, authority]],
  ['a method that HTTP/1.1 is not served by', [[':method', 'FOO'], scheme, path, authority]],
  ['CR LF in :authority', [method, scheme, path, [':authority', 'localhost\r\nX-A: b']]],
  ['userinfo in :authority', [method, scheme, path, [':authority', 'u@localhost']]],
  ['a path in :authority', [method, scheme, path, [':authority', 'localhost/x']]],
  ['a Host that differs from :authority', [...right, ['host', 'other']]],
  ['two Host fields', [method, scheme, path, ['host', 'localhost'], ['host', 'other']]],
  ['Connection', [...right, ['connection', 'close']]],
  ['Keep-Alive', [...right, ['keep-alive', 'timeout=5']]],
  ['Proxy-Connection', [...right, ['proxy-connection', 'keep-alive']]],
  ['Upgrade', [...right, ['upgrade', 'h2c']]],
  ['Transfer-Encoding', [...post, ['transfer-encoding', 'chunked']]],
  ['TE other than trailers', [...right, ['te', 'gzip']]],
  ['a length that is no number', [...post, ['content-length', 'abc']]],
  ['a length with a sign', [...post, ['content-length', '+1']]],
  ['two different lengths', [...post, ['content-length', '1'], ['content-length', '2']]],
  ['the same length twice', [...post, ['content-length', '1'], ['content-length', '1']]],
  ['a length and no body', [...post, ['content-length', '10']]],
  [
    'CONNECT',
    [
      [':method', 'CONNECT'],
      [':authority', 'localhost:443'],
    ],
  ],
  [
    'CONNECT with a protocol nobody knows',
    [[':method', 'CONNECT'], [':protocol', 'tea'], scheme, path, authority],
  ],
];

/** nghttp2 takes such a field out and lets the rest through, and tells nobody. */
const maimed: readonly (readonly [name: string, fields: readonly Field[]])[] = [
  ['an empty field name', [...right, ['', 'b']]],
  ['a colon in a field name', [...right, ['x:a', 'b']]],
  ['a space in a field name', [...right, ['x a', 'b']]],
  ['CR LF in a field name', [...right, ['x-a: b\r\nx-b', 'c']]],
  ['CR LF in a value', [...right, ['x-a', 'b\r\nx-b: c']]],
  ['LF in a value', [...right, ['x-a', 'b\nx-b: c']]],
  ['CR in a value', [...right, ['x-a', 'b\rc']]],
  ['NUL in a value', [...right, ['x-a', 'b\0c']]],
  ['a control character in a value', [...right, ['x-a', 'b\x01c']]],
];

describe('malformed HTTP/2 requests', () => {
  it.for(malformed)('with %s are refused, and nothing is forwarded', async ([, fields]) => {
    const client = await knock(gateway);
    await greet(client);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, headerBlock(fields)));
    await client.until(({ received }) => parseFrames(received).some(ends));
    expect(verdictOn(client.received)).toMatch(/^(?:reset|400|405)$/);
    client.socket.destroy();
    await expectNothingForwarded(gateway, upstream);
  });

  it.for(maimed)('with %s reach the upstream without it, if at all', async ([, fields]) => {
    const client = await knock(gateway);
    await greet(client);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, headerBlock(fields)));
    await client.until(({ received }) => parseFrames(received).some(ends));
    expect(verdictOn(client.received)).toMatch(/^(?:reset|400|200)$/);
    expect(upstream.garbled).toEqual([]);
    for (const { target, fields: forwarded } of upstream.requests) {
      expect(target).toBe('/bad');
      expect(forwarded.join('\n')).not.toMatch(/x-[ab]|x:a|x a/);
    }
  });

  it('cannot be put into the field block of another stream', async () => {
    const client = await knock(gateway);
    await greet(client);
    const block = headerBlock(right);
    client.send(frame(HEADERS, END_STREAM, 1, block.subarray(0, 10)));
    client.send(frame(CONTINUATION, END_HEADERS, 3, block.subarray(10)));
    await client.untilEnd();
    expect(parseFrames(client.received).some(({ type }) => type === GOAWAY)).toBe(true);
    await expectNothingForwarded(gateway, upstream);
  });

  it('with a method of their own reach the upstream as it came, or not at all', async () => {
    const client = await knock(gateway);
    await greet(client);
    client.send(
      frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        headerBlock([[':method', 'BREW'], scheme, path, authority]),
      ),
    );
    await client.until(({ received }) => parseFrames(received).some(ends));
    expect(upstream.requests.map(({ method: received }) => received)).toEqual(
      upstream.requests.length === 0 ? [] : ['BREW'],
    );
  });

  it.for([
    ['shorter than announced', '10', 'first', ''],
    ['longer than announced', '7', 'first', 'second'],
  ] as const)('with a body %s are broken off upstream', async ([, length, first, rest]) => {
    const client = await knock(gateway);
    await greet(client);
    client.send(frame(HEADERS, END_HEADERS, 1, headerBlock([...post, ['content-length', length]])));
    client.send(frame(DATA, 0, 1, Buffer.from(first)));
    await upstream.until(({ requests }) => requests[0]?.body === first);
    client.send(frame(DATA, END_STREAM, 1, Buffer.from(rest)));
    await upstream.until(({ requests }) => requests[0]!.closed);
    expect(upstream.requests[0]).toMatchObject({ target: '/bad', complete: false });
    await client.until(({ received }) =>
      parseFrames(received).some(({ type }) => type === RST_STREAM || type === GOAWAY),
    );
  });

  it('with bad trailers are broken off upstream', async () => {
    const client = await knock(gateway);
    await greet(client);
    client.send(frame(HEADERS, END_HEADERS, 1, headerBlock(post)));
    client.send(frame(DATA, 0, 1, Buffer.from('first')));
    await upstream.until(({ requests }) => requests[0]?.body === 'first');
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, headerBlock([[':path', '/other']])));
    await upstream.until(({ requests }) => requests[0]!.closed);
    expect(upstream.requests[0]!.complete).toBe(false);
    expect(upstream.targets).toEqual(['/bad']);
  });

  it('are broken off upstream when the client resets them', async () => {
    const client = await knock(gateway);
    await greet(client);
    client.send(frame(HEADERS, END_HEADERS, 1, headerBlock(post)));
    client.send(frame(DATA, 0, 1, Buffer.from('first')));
    await upstream.until(({ requests }) => requests[0]?.body === 'first');
    client.send(frame(RST_STREAM, 0, 1, Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL])));
    await upstream.until(({ requests }) => requests[0]!.closed);
    expect(upstream.requests[0]!.complete).toBe(false);
  });
});

/** How stream 1 was answered: by a status, or by a reset of it or of the connection. */
function verdictOn(received: Buffer): string {
  const frames = parseFrames(received);
  const first = frames.find(({ type, stream }) => type === GOAWAY || stream === 1)!;
  if (first.type !== HEADERS) return 'reset';
  // `:status` comes first: one of the static table (RFC 7541, appendix A), or in three plain digits.
  const [index] = first.payload;
  const indexed = new Map([
    [0x88, '200'],
    [0x8c, '400'],
    [0x8d, '404'],
  ]).get(index!);
  return indexed ?? first.payload.toString('latin1', 2, 5);
}

/** Whether the frame says how stream 1, or the whole connection, ended. */
function ends({ type, flags, stream }: { type: number; flags: number; stream: number }): boolean {
  if (type === GOAWAY) return true;
  if (stream !== 1) return false;
  return type === RST_STREAM || ((type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0);
}

describe('HTTP/2 requests that are too much', () => {
  it.for([
    ['too many fields', 431, 'headers_too_large', manyFields(101)],
    ['a field that is too large', 431, 'headers_too_large', { 'x-a': 'b'.repeat(33 * 1024) }],
    ['fields too large together', 431, 'headers_too_large', manyFields(40, 'b'.repeat(1024))],
    ['a path that is too long', 414, 'uri_too_long', { ':path': `/${'b'.repeat(8 * 1024)}` }],
    [
      'a body announced too large',
      413,
      'payload_too_large',
      { ':method': 'POST', 'content-length': '65537' },
    ],
    ['an unknown expectation', 417, 'expectation_failed', { ':method': 'POST', expect: 'tea' }],
    ['TRACE', 405, 'bad_request', { ':method': 'TRACE' }],
  ] as const)('get their 4xx: %s', async ([, status, code, headers]) => {
    const session = await openSession();
    const answer = await request(session, headers);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ status, code, source: 'gateway' });
    await expectNothingForwarded(gateway, upstream);
  });

  it('are broken off upstream when the body turns out too large', async () => {
    const session = await openSession();
    const stream = session.request({ ':path': '/large', ':method': 'POST' });
    // The answer may come with a reset behind it.
    stream.on('error', () => undefined);
    const head = once(stream, 'response') as Promise<[Record<string, unknown>]>;
    stream.write('first');
    await upstream.until(({ requests }) => requests[0]?.body === 'first');
    stream.write(Buffer.alloc(65_536, 'a'));
    const [fields] = await head;
    expect(fields[':status']).toBe(413);
    await upstream.until(({ requests }) => requests[0]!.closed);
    expect(upstream.requests[0]!.complete).toBe(false);
    // The connection itself has done nothing wrong.
    expect((await request(session, { ':path': '/next' })).status).toBe(200);
  });
});

function manyFields(count: number, value = 'b'): OutgoingHttpHeaders {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, value]));
}

async function openSession(): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${gateway.httpPort}`, {
    settings: { enablePush: false },
  });
  onTestFinished(() => session.destroy());
  await once(session, 'remoteSettings');
  return session;
}

async function request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
): Promise<{ readonly status: number; readonly body: string }> {
  const stream = session.request(
    { ':path': '/bad', ':authority': 'localhost', ...headers },
    // A body that is announced but never sent.
    { endStream: headers['content-length'] === undefined },
  );
  let status = 0;
  let body = '';
  stream.on('response', (fields) => (status = fields[':status']!));
  stream.setEncoding('utf8').on('data', (text: string) => (body += text));
  await once(stream, 'close');
  return { status, body };
}
