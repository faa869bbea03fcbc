/** Bytes that are no HTTP/1 request get their 4xx through the whole gateway, and the upstream nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAnswer } from '../../gateway/exchange/raw-client.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { DOORS, expectNothingForwarded, fieldOf, knock } from './doors.ts';
import { badChunks, malformed } from './malformed-http1.ts';
import { startRecordingUpstream, type RecordingUpstream } from './recording-upstream.ts';

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';

let upstream: RecordingUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  const limits = { body: '64KiB' };
  gateway = await startGateway({
    listeners: [
      { name: 'http', address: '127.0.0.1:0', limits },
      {
        name: 'https',
        address: '127.0.0.1:0',
        protocol: 'https',
        tls: { selfSigned: ['localhost'] },
        limits,
      },
    ],
    services: { recorder: { endpoints: [{ address: upstream.address }] } },
    routes: [{ name: 'all', to: 'recorder' }],
  });
});
beforeEach(() => upstream.forget());
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

describe.each(DOORS)('by the %s door', (door) => {
  it.for(malformed)(
    'answers $name by $status and forwards nothing',
    async ({ bytes, status, code }) => {
      const client = await knock(gateway, door);
      const text = await client.send(bytes + smuggled).untilEnd();
      const { head, body, ...answer } = parseAnswer(text);
      expect(answer.status).toBe(status);
      expect(fieldOf(head, 'connection')).toBe('close');
      expect(fieldOf(head, 'content-type')).toBe('application/problem+json');
      expect(JSON.parse(body)).toMatchObject({ status, code, source: 'gateway' });
      // What came behind it has not become a request of its own.
      expect(text.split('HTTP/1.1 ')).toHaveLength(2);
      client.socket.end();
      await client.untilClosed();
      await expectNothingForwarded(gateway, upstream);
    },
  );

  it.for(badChunks)('breaks off a body at %s, on both sides', async ([, bytes, status = 400]) => {
    const client = await knock(gateway, door);
    client.send(
      'POST /cut HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n',
    );
    await upstream.until(({ requests }) => requests[0]?.body === 'first');
    const text = await client.send(bytes + smuggled).untilEnd();
    expect(parseAnswer(text).status).toBe(status);
    expect(text.split('HTTP/1.1 ')).toHaveLength(2);
    await upstream.until(({ requests }) => requests[0]!.closed);
    expect(upstream.requests[0]!.complete).toBe(false);
    expect(upstream.targets).toEqual(['/cut']);
    upstream.forget();
    client.socket.end();
    await client.untilClosed();
    await expectNothingForwarded(gateway, upstream);
  });
});

it.for(DOORS)('refuses a head without end that comes in pieces (%s)', async (door) => {
  const client = await knock(gateway, door);
  client.send('GET /bad HTTP/1.1\r\nHost: localhost\r\nX-A: ');
  for (let i = 0; i < 64 && !client.ended; i++) {
    client.send('b'.repeat(1024));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  // Which of the two limits was passed cannot be told from one piece.
  expect([414, 431]).toContain(parseAnswer(await client.untilEnd()).status);
  await expectNothingForwarded(gateway, upstream);
});

it('refuses bad chunk framing in the first packet as in a later one', async () => {
  const client = await knock(gateway);
  const text = await client
    .send(
      `POST /cut HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${smuggled}`,
    )
    .untilEnd();
  expect(parseAnswer(text).status).toBe(400);
  expect(text.split('HTTP/1.1 ')).toHaveLength(2);
  await client.untilClosed();
  const sentinel = await knock(gateway);
  await sentinel.send('GET /sentinel HTTP/1.1\r\nHost: localhost\r\n\r\n').untilText('/sentinel');
  expect(upstream.requests.filter(({ complete }) => complete).map(({ target }) => target)).toEqual([
    '/sentinel',
  ]);
});

describe('a body that turns out too large', () => {
  it.for([
    ['in chunks', 'Transfer-Encoding: chunked', `10000\r\n${'a'.repeat(65_536)}\r\n1\r\na\r\n`],
    ['in small chunks', 'Transfer-Encoding: chunked', `100\r\n${'a'.repeat(256)}\r\n`.repeat(257)],
  ] as const)(
    'is answered by 413 while it streams %s, and broken off upstream',
    async ([, framing, rest]) => {
      const client = await knock(gateway);
      client.send(`POST /large HTTP/1.1\r\nHost: localhost\r\n${framing}\r\n\r\n5\r\nfirst\r\n`);
      await upstream.until(({ requests }) => requests[0]?.body === 'first');
      const text = await client.send(`${rest}0\r\n\r\n${smuggled}`).untilEnd();
      const answer = parseAnswer(text);
      expect(answer.status).toBe(413);
      expect(fieldOf(answer.head, 'connection')).toBe('close');
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'payload_too_large' });
      await upstream.until(({ requests }) => requests[0]!.closed);
      expect(upstream.requests[0]!.complete).toBe(false);
      expect(upstream.targets).toEqual(['/large']);
      expect(upstream.requests[0]!.body.length).toBeLessThanOrEqual(65_536);
    },
  );

  it('passes where it is as large as it may be', async () => {
    const client = await knock(gateway);
    client.send(
      `POST /just HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n${'a'.repeat(65_536)}\r\n0\r\n\r\n`,
    );
    expect(parseAnswer(await client.untilEnd()).status).toBe(200);
    expect(upstream.requests[0]!.body).toHaveLength(65_536);
  });
});

describe('a client that breaks its body off', () => {
  it.for([
    ['announced', 'Content-Length: 10\r\n\r\nfirst'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n'],
    ['in the middle of a chunk', 'Transfer-Encoding: chunked\r\n\r\na\r\nfirst'],
  ] as const)('never leaves the upstream a whole request (%s)', async ([, rest]) => {
    const client = await knock(gateway);
    client.send(`POST /cut HTTP/1.1\r\nHost: localhost\r\n${rest}`);
    await upstream.until(({ requests }) => requests[0]?.body === 'first');
    client.socket.destroy();
    await upstream.until(({ requests }) => requests[0]!.closed);
    expect(upstream.requests[0]!.complete).toBe(false);
    const line = await gateway.waitForLog(
      ({ path, code }) => path === '/cut' && code === 'client_closed_request',
    );
    expect(line).toMatchObject({ method: 'POST' });
  });
});

describe('a head that comes too slowly', () => {
  it.for(['GET /slow HTT', 'GET /slow HTTP/1.1\r\nHost: loc'])(
    'is answered by 408 and closed (%s)',
    async (bytes) => {
      const slow = await startGateway({
        listeners: [{ name: 'http', address: '127.0.0.1:0', limits: { headerTimeout: '200ms' } }],
        services: { recorder: { endpoints: [{ address: upstream.address }] } },
        routes: [{ name: 'all', to: 'recorder' }],
      });
      try {
        const client = await knock(slow);
        const answer = parseAnswer(await client.send(bytes).untilEnd());
        expect(answer.status).toBe(408);
        expect(fieldOf(answer.head, 'connection')).toBe('close');
        expect(JSON.parse(answer.body)).toMatchObject({ code: 'request_timeout' });
        expect(upstream.requests).toEqual([]);
      } finally {
        await slow.stop();
      }
    },
  );
});
