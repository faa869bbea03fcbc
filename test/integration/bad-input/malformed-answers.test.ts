/** Upstreams whose answers are none: 502 with nothing of them, and a connection that is not used again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, fieldOf, get, knock } from './doors.ts';
import { OK, startScriptedGateway, type ScriptedGateway } from './scripted-gateway.ts';

let scripted: ScriptedGateway;

beforeAll(async () => {
  scripted = await startScriptedGateway();
});
afterAll(() => scripted?.stop());

const wrong: readonly (readonly [name: string, bytes: string])[] = [
  [
    'Content-Length twice, in different cases',
    `${OK}Content-Length: 2\r\ncontent-length: 2\r\n\r\nok`,
  ],
  ['two different Content-Length', `${OK}Content-Length: 2\r\nContent-Length: 30\r\n\r\nok`],
  ['a list of lengths', `${OK}Content-Length: 2, 2\r\n\r\nok`],
  ['a length with a sign', `${OK}Content-Length: +2\r\n\r\nok`],
  ['a negative length', `${OK}Content-Length: -2\r\n\r\nok`],
  ['a length that no number can hold', `${OK}Content-Length: 99999999999999999999\r\n\r\nok`],
  [
    'Content-Length with Transfer-Encoding',
    `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  ],
  [
    'Transfer-Encoding twice',
    `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    'a transfer coding other than chunked',
    `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    'Transfer-Encoding in HTTP/1.0',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
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
  [
    'a switch nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  ],
  ['a field that is a bomb', `${OK}X-A: ${'b'.repeat(128 * 1024)}\r\nContent-Length: 2\r\n\r\nok`],
  ['fields without end', `${OK}${`X-A: ${'b'.repeat(100)}\r\n`.repeat(2000)}`],
  ['a status line without end', `HTTP/1.1 200 ${'b'.repeat(128 * 1024)}`],
  [
    'interim answers with a bomb',
    `HTTP/1.1 103 Early Hints\r\nX-A: ${'b'.repeat(128 * 1024)}\r\n\r\n`,
  ],
];

describe('an answer that is none', () => {
  it.for(wrong)(
    'is 502 with nothing of it, and its connection is not used again: %s',
    async ([, bytes]) => {
      const closed = scripted.play((socket) => socket.write(bytes, 'latin1'));
      const answer = await ask(scripted.gateway, get('/'));
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'upstream_protocol_error' });
      expect(fieldOf(answer.head, 'proxy-status')).toBe('meshgate; error=http_protocol_error');
      expect(answer.head).not.toMatch(/x-a|x-b/i);
      await closed;
      await scripted.expectHealthyNext();
    },
  );
});

describe('an HTTP/2 answer that is none', () => {
  it.for<readonly [string, Record<string, string>]>([
    ['a field that is a bomb', { 'x-a': 'b'.repeat(200 * 1024) }],
    ['fields that are one together', Object.fromEntries(manyFields(300, 'b'.repeat(1024)))],
    ['more fields than anybody needs', Object.fromEntries(manyFields(5000, 'b'))],
  ])('is refused with nothing of it, and the gateway lives: %s', async ([, fields]) => {
    scripted.playHttp2((stream) => {
      stream.respond({ ':status': 200, ...fields });
      stream.end('ok');
    });
    const answer = await ask(scripted.gateway, get('/http2'));
    expect([502, 503]).toContain(answer.status);
    expect(JSON.parse(answer.body)).toMatchObject({ source: 'gateway' });
    expect(answer.head).not.toMatch(/x-a|x-0/i);
    scripted.playHttp2((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
    expect((await ask(scripted.gateway, get('/http2'))).status).toBe(200);
  });
});

function manyFields(count: number, value: string): [string, string][] {
  return Array.from({ length: count }, (_, i) => [`x-${i}`, value]);
}

it('keeps interim answers from the client that only concern the hop', async () => {
  void scripted.play((socket) =>
    socket.write(
      `HTTP/1.1 100 Continue\r\n\r\n${`HTTP/1.1 102 Processing\r\n\r\n`.repeat(3)}${OK}Content-Length: 2\r\n\r\nok`,
    ),
  );
  const client = await knock(scripted.gateway);
  const text = await client.send(get('/')).untilEnd();
  expect(text).not.toContain('100 Continue');
  expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(1);
});
