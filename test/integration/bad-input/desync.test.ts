/** A second request hidden in a body, or behind an answer, never becomes a request of its own, on either side. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { DOORS, expectNothingForwarded, knock } from './doors.ts';
import { startRecordingUpstream, type RecordingUpstream } from './recording-upstream.ts';

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\nX: ';
const hex = smuggled.length.toString(16);
const host = 'Host: localhost\r\n';
const whole = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';

let upstream: RecordingUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  gateway = await startGateway({
    services: {
      recorder: {
        endpoints: [{ address: upstream.address }],
        // One connection, so that whatever were left on it would meet the next request.
        circuitBreaker: { maxConnections: 1 },
      },
    },
    routes: [{ name: 'all', to: 'recorder' }],
  });
});
beforeEach(() => upstream.forget());
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

/** Legal requests whose body looks like a request to whoever frames it otherwise. */
const legal: readonly (readonly [name: string, bytes: string])[] = [
  [
    'a length',
    `POST /outer HTTP/1.1\r\n${host}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
  [
    'chunks',
    `POST /outer HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${hex}\r\n${smuggled}\r\n0\r\n\r\n`,
  ],
  [
    'chunks in another case',
    `POST /outer HTTP/1.1\r\n${host}tRANSFER-eNCODING: CHUNKED\r\n\r\n${hex}\r\n${smuggled}\r\n0\r\n\r\n`,
  ],
  [
    'chunks with an extension',
    `POST /outer HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${hex};a=b\r\n${smuggled}\r\n0\r\n\r\n`,
  ],
  [
    'chunks with a long size',
    `POST /outer HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0000${hex}\r\n${smuggled}\r\n0000\r\n\r\n`,
  ],
  [
    'chunks and trailers',
    `POST /outer HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n${hex}\r\n${smuggled}\r\n0\r\nX-A: b\r\n\r\n`,
  ],
  [
    'a length that Connection names',
    `POST /outer HTTP/1.1\r\n${host}Connection: Content-Length\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
  [
    'chunks that Connection names',
    `POST /outer HTTP/1.1\r\n${host}Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n${hex}\r\n${smuggled}\r\n0\r\n\r\n`,
  ],
  [
    'a length on a GET',
    `GET /outer HTTP/1.1\r\n${host}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
  [
    'chunks on a GET',
    `GET /outer HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${hex}\r\n${smuggled}\r\n0\r\n\r\n`,
  ],
  [
    'a length on a DELETE',
    `DELETE /outer HTTP/1.1\r\n${host}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
  [
    'a length on an OPTIONS',
    `OPTIONS /outer HTTP/1.1\r\n${host}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
  [
    'a length with an upgrade to h2c',
    `POST /outer HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
  [
    'a length with a WebSocket handshake',
    `GET /outer HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
  [
    'a length under a look-alike name',
    `POST /outer HTTP/1.1\r\n${host}Content-Length: ${smuggled.length}\r\nContent_Length: 0\r\nX-Content-Length: 0\r\n\r\n${smuggled}`,
  ],
  [
    'a length with a look-alike coding',
    `POST /outer HTTP/1.1\r\n${host}Content-Length: ${smuggled.length}\r\nTransfer_Encoding: chunked\r\nX-Transfer-Encoding: chunked\r\n\r\n${smuggled}`,
  ],
  [
    'a length in HTTP/1.0',
    `POST /outer HTTP/1.0\r\n${host}Connection: keep-alive\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
];

describe.each(DOORS)('by the %s door', (door) => {
  it.for(legal)('a request in a body framed by %s stays a body', async ([, bytes]) => {
    const client = await knock(gateway, door);
    const next = `GET /next HTTP/1.1\r\n${host}Connection: close\r\n\r\n`;
    client.send(bytes + next);
    const text = await client.untilEnd();
    const answers = text.split(/HTTP\/1\.1 (?=\d{3} )/).slice(1);
    // node:http drops bytes behind an upgrade that is not taken: there the connection ends.
    const ends = bytes.includes('Upgrade: ');
    expect(answers.map((answer) => /answer to \S+/.exec(answer)?.[0])).toEqual(
      ends ? ['answer to /outer'] : ['answer to /outer', 'answer to /next'],
    );
    expect(/^connection: close\r$/im.test(answers[0]!)).toBe(ends);
    expect(upstream.targets).toEqual(ends ? ['/outer'] : ['/outer', '/next']);
    expect(upstream.garbled).toEqual([]);
    expect(upstream.requests[0]!.body).toBe(smuggled);
    // One framing, and of our own making.
    const { requests } = upstream;
    const framings = [
      ...requests[0]!.valuesOf('content-length'),
      ...requests[0]!.valuesOf('transfer-encoding'),
    ];
    expect(framings).toHaveLength(1);
    expect(requests[1]?.body ?? '').toBe('');
  });
});

/** Bodies that are announced, but come only after the upstream has answered. */
const late: readonly (readonly [name: string, head: string, body: string])[] = [
  ['a length', `Content-Length: ${whole.length}\r\n`, whole],
  [
    'chunks',
    'Transfer-Encoding: chunked\r\n',
    `${whole.length.toString(16)}\r\n${whole}\r\n0\r\n\r\n`,
  ],
  [
    'a length that was asked for',
    `Content-Length: ${whole.length}\r\nExpect: 100-continue\r\n`,
    whole,
  ],
];

describe('an upstream that answers before the body has come', () => {
  it.for(late)('does not make a request of a body framed by %s', async ([, lines, body]) => {
    upstream.answeringHead = (_request, response) => response.end('early');
    const client = await knock(gateway);
    client.send(`POST /outer HTTP/1.1\r\n${host}${lines}\r\n`);
    await client.untilText('early');
    client.send(body);
    client.socket.end();
    const text = await client.untilClosed();
    expect(
      text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split(/HTTP\/1\.1 \d/),
    ).toHaveLength(2);
    expect(upstream.targets).toEqual(['/outer']);
    expect(upstream.garbled).toEqual([]);
    upstream.forget();
    await expectNothingForwarded(gateway, upstream);
  });

  it('answers the next request of another client with its own answer', async () => {
    upstream.answeringHead = (request, response) => {
      if (request.url === '/outer') response.end('early');
      else response.end(`answer to ${request.url!}`);
    };
    const first = await knock(gateway);
    first.send(`POST /outer HTTP/1.1\r\n${host}Content-Length: 100000\r\n\r\npartial`);
    await first.untilText('early');
    const second = await knock(gateway);
    second.send(`GET /innocent HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
    expect(await second.untilEnd()).toContain('answer to /innocent');
    expect(upstream.garbled).toEqual([]);
    expect(upstream.targets).toEqual(['/outer', '/innocent']);
  });
});

describe('a request that the gateway answers itself', () => {
  it.for([
    ['refused by its path', 'POST /a%2Fb HTTP/1.1', 400],
    ['refused by its size', 'POST /outer HTTP/1.1\r\nX-Large: 1', 413],
  ] as const)('and that was %s leaves no request behind in its body', async ([, line, status]) => {
    const length = status === 413 ? 20 * 1024 * 1024 : whole.length;
    const client = await knock(gateway);
    client.send(`${line}\r\n${host}Content-Length: ${length}\r\n\r\n${whole}`);
    await client.until(({ text }) => text.includes('"source":"gateway"'));
    client.socket.end();
    const text = await client.untilClosed();
    expect(text.slice(9, 12)).toBe(String(status));
    expect(text.split(/HTTP\/1\.1 \d/)).toHaveLength(2);
    await expectNothingForwarded(gateway, upstream);
  });
});

it('keeps pipelined requests apart, and their answers in order', async () => {
  upstream.answering = (_request, response, { target, body }) =>
    response.end(`answer to ${target} with ${body};`);
  const client = await knock(gateway);
  client.send(
    `POST /a HTTP/1.1\r\n${host}Content-Length: 1\r\n\r\n1` +
      `POST /b HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n` +
      `GET /c HTTP/1.1\r\n${host}\r\n` +
      `POST /d HTTP/1.1\r\n${host}Connection: close\r\nContent-Length: 1\r\n\r\n4`,
  );
  const text = await client.untilEnd();
  expect(text.match(/answer to [^;]*;/g)).toEqual([
    'answer to /a with 1;',
    'answer to /b with 2;',
    'answer to /c with ;',
    'answer to /d with 4;',
  ]);
});
