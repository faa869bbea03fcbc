/** HTTP/2 answers as they reach the client. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { HeaderFields } from '../../../../src/plugins/sdk/header-fields.ts';
import type { Downstream } from '../../../../src/gateway/exchange/lane.ts';
import { openListener } from '../../listener/open-listener.ts';
import { FakeDoor, pour, type Poured } from '../fake-door.ts';
import { connectH2, receive, type Received } from './h2-client.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  errorCode,
  frame,
  GET,
  greet,
  HEADERS,
  headerBlock,
  parseFrames,
  requestFrame,
  RST_STREAM,
} from './h2-frames.ts';
import { connectRaw } from '../raw-client.ts';

function toPairs(fields: readonly string[]): string[] {
  return fields.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${fields[i + 1]!}`] : []));
}

describe('an HTTP/2 answer', () => {
  async function answered(
    handler: (downstream: Downstream) => void,
    method = 'GET',
  ): Promise<{ readonly received: Received; readonly door: FakeDoor }> {
    const door = new FakeDoor((_intake, downstream) => handler(downstream));
    const { port } = await openListener({ door });
    const received = await receive(connectH2(port).request({ ':method': method }));
    await door.until(({ closed }) => closed.length > 0);
    return { received, door };
  }

  it('that is made before the body was read, which has come whole, ends the exchange', async () => {
    const waiting: Downstream[] = [];
    const door = new FakeDoor(({ body }, downstream) => {
      body?.cancel();
      waiting.push(downstream);
    });
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    await greet(client);
    const post = headerBlock([[':method', 'POST'], ...GET.slice(1)]);
    client.send(frame(HEADERS, END_HEADERS, 1, post));
    client.send(frame(DATA, END_STREAM, 1, Buffer.from('body')));
    client.send(requestFrame(3));
    await door.until(({ served }) => served.length === 2);
    for (const downstream of waiting) downstream.answer(403, [], undefined);
    await door.until(({ closed }) => closed.length === 2);
    expect(door.closed.map(({ complete }) => complete)).toEqual([true, true]);
  });

  it('keeps order and repetition of its fields', async () => {
    const { received, door } = await answered((downstream) => {
      downstream.head(
        200,
        'Fine',
        new HeaderFields(['Set-Cookie', 'a=1', 'ETag', '"x"', 'Set-Cookie', 'b=2', 'ETag', '"y"']),
        2,
      );
      downstream.write(Buffer.from('ok'));
      downstream.end();
    });
    expect(received.headers.slice(0, 12)).toEqual([
      ':status',
      '200',
      'set-cookie',
      'a=1',
      'etag',
      '"x"',
      'set-cookie',
      'b=2',
      'etag',
      '"y"',
      'content-length',
      '2',
    ]);
    expect(received.headers[12]).toBe('date');
    expect(received.body).toBe('ok');
    expect(door.closed).toEqual([{ complete: true, bytesSent: 2 }]);
  });

  it('sends interim answers and trailers', async () => {
    const { received } = await answered((downstream) => {
      downstream.informational(103, ['Link', '</a>', 'Link', '</b>']);
      downstream.head(200, '', new HeaderFields(['Content-Type', 'application/grpc']), undefined);
      downstream.write(Buffer.from('abc'));
      downstream.end(['Grpc-Status', '0', 'X-A', '1', 'x-a', '2']);
    });
    expect(received.informational).toEqual([[':status', '103', 'link', '</a>', 'link', '</b>']]);
    expect(received.body).toBe('abc');
    expect(received.trailers).toEqual(['grpc-status', '0', 'x-a', '1', 'x-a', '2']);
  });

  it('may be head and trailers alone', async () => {
    const { received, door } = await answered((downstream) => {
      downstream.head(200, '', new HeaderFields(), undefined);
      downstream.end(['grpc-status', '5']);
    });
    expect(received.trailers).toEqual(['grpc-status', '5']);
    expect(door.closed).toEqual([{ complete: true, bytesSent: 0 }]);
  });

  it.for([
    ['HEAD', 200, '9'],
    ['GET', 204, undefined],
    ['GET', 205, '0'],
    ['GET', 304, '9'],
  ] as const)('to %s with status %i has no body', async ([method, status, length]) => {
    const { received, door } = await answered((downstream) => {
      downstream.head(status, '', new HeaderFields(), 9);
      downstream.write(Buffer.from('not sent!'));
      downstream.end();
    }, method);
    expect(received.status).toBe(status);
    expect(received.body).toBe('');
    const at = received.headers.indexOf('content-length');
    expect(at === -1 ? undefined : received.headers[at + 1]).toBe(length);
    expect(door.closed).toEqual([{ complete: true, bytesSent: 0 }]);
  });

  it('known at once leaves whole, also to HEAD', async () => {
    const { received } = await answered((downstream) =>
      downstream.answer(404, ['X-A', 'b'], 'gone'),
    );
    expect(received).toMatchObject({ status: 404, body: 'gone' });
    const { received: head } = await answered(
      (downstream) => downstream.answer(404, [], 'gone'),
      'HEAD',
    );
    expect(head.body).toBe('');
    expect(head.headers[head.headers.indexOf('content-length') + 1]).toBe('4');
  });

  it.for([
    [
      'is aborted in the middle',
      (d: Downstream) => (
        d.head(200, '', new HeaderFields(), undefined),
        d.write(Buffer.from('abc')),
        d.abort()
      ),
    ],
    [
      'is aborted later',
      (d: Downstream) => (
        d.head(200, '', new HeaderFields(), undefined),
        d.write(Buffer.from('abc')),
        setTimeout(() => d.abort(), 20)
      ),
    ],
    [
      'is shorter than announced',
      (d: Downstream) => (
        d.head(200, '', new HeaderFields(), 5),
        d.write(Buffer.from('abc')),
        d.end()
      ),
    ],
    [
      'is longer than announced',
      (d: Downstream) => (d.head(200, '', new HeaderFields(), 2), d.write(Buffer.from('abc'))),
    ],
    ['is aborted before it began', (d: Downstream) => d.abort()],
    [
      'has a field that HTTP/2 cannot say',
      (d: Downstream) => d.answer(200, ['Connection', 'close'], 'x'),
    ],
    ['has a status that HTTP/2 cannot say', (d: Downstream) => d.answer(700, [], 'x')],
  ] as const)('is reset and never ended when it %s', async ([, handler]) => {
    const door = new FakeDoor((_intake, downstream) => void handler(downstream));
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    await greet(client);
    client.send(requestFrame(1));
    await client.until(
      ({ received }) => errorCode(parseFrames(received), RST_STREAM) !== undefined,
    );
    const frames = parseFrames(client.received).filter(({ stream }) => stream === 1);
    expect(frames.at(-1)!.type).toBe(RST_STREAM);
    expect(
      frames.some(({ type, flags }) => type !== RST_STREAM && (flags & END_STREAM) !== 0),
    ).toBe(false);
    await door.until(({ closed }) => closed.length === 1);
    expect(door.closed[0]!.complete).toBe(false);
  });

  it('ends the stream of a client that is still sending, after the answer', async () => {
    const door = new FakeDoor((intake, downstream) => {
      if (intake.target === '/stream') {
        downstream.head(403, '', new HeaderFields(), undefined);
        downstream.write(Buffer.from('no'));
        downstream.end(['x-t', '1']);
      } else {
        downstream.answer(403, [], 'no');
      }
    });
    const { port } = await openListener({ door });
    const client = connectH2(port);
    for (const path of ['/stream', '/answer']) {
      const stream = client.request({ ':method': 'POST', ':path': path });
      stream.on('error', () => undefined);
      stream.write(Buffer.alloc(1024));
      const received = await receive(stream);
      expect(received).toMatchObject({ status: 403, body: 'no' });
    }
    await door.until(({ closed }) => closed.length === 2);
    expect(door.closed.map(({ complete }) => complete)).toEqual([true, true]);
  });

  it('passes on fields of any name as they are, in trailers and in interim answers', async () => {
    const { received } = await answered((downstream) => {
      downstream.informational(103, [
        '__proto__',
        'a',
        'constructor',
        'b',
        'link',
        'c',
        'Link',
        'd',
      ]);
      downstream.head(200, '', new HeaderFields(), undefined);
      downstream.write(Buffer.from('x'));
      downstream.end(['__proto__', 'a', 'constructor', 'b', 'x-sum', '1', 'X-Sum', '2']);
    });
    const [interim] = received.informational;
    expect(toPairs(interim!)).toEqual(
      expect.arrayContaining(['__proto__: a', 'constructor: b', 'link: c', 'link: d']),
    );
    expect(toPairs(received.trailers!)).toEqual([
      '__proto__: a',
      'constructor: b',
      'x-sum: 1',
      'x-sum: 2',
    ]);
  });

  it('holds back when the client is slow, and goes on when it reads', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let poured: Poured | undefined;
    const door = new FakeDoor((_intake, downstream) => {
      poured = pour(downstream, chunk, 100);
    });
    const { port } = await openListener({ door });
    const stream = connectH2(port).request({});
    await once(stream, 'response');
    expect(poured!.sent).toBeLessThan(10);
    let bytes = 0;
    stream.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    await once(stream, 'close');
    expect(bytes).toBe(100 * chunk.length);
  });

  it('cuts off a stream whose client takes nothing for the idle time', async () => {
    const chunk = Buffer.alloc(64 * 1024);
    const door = new FakeDoor((_intake, downstream) => void pour(downstream, chunk, Infinity));
    const { port } = await openListener({ door, limits: { idleTimeoutMs: 200 } });
    const client = await connectRaw(port);
    await greet(client);
    client.send(requestFrame(1));
    await door.until(({ closed }) => closed.length === 1);
    expect(door.closed[0]!.complete).toBe(false);
  });
});
