/** HTTP/1 answers as they reach the client, over real sockets. */
import { describe, expect, it } from 'vitest';
import { HeaderFields } from '../../../../src/plugins/sdk/header-fields.ts';
import type { Downstream } from '../../../../src/gateway/exchange/lane.ts';
import { openListener } from '../../listener/open-listener.ts';
import { FakeDoor, pour, type Poured } from '../fake-door.ts';
import { connectRaw } from '../raw-client.ts';

describe('an HTTP/1 answer', () => {
  async function answered(
    handler: (downstream: Downstream) => void,
    requestLine = 'GET / HTTP/1.1',
  ): Promise<{ readonly text: string; readonly door: FakeDoor }> {
    const door = new FakeDoor((_intake, downstream) => handler(downstream));
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(`${requestLine}\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const text = await client.untilClosed();
    await door.until(({ closed }) => closed.length > 0);
    return { text, door };
  }

  it('keeps order, case and repetition of its fields', async () => {
    const { text } = await answered((downstream) => {
      downstream.head(
        200,
        'Fine',
        new HeaderFields(['Set-Cookie', 'a=1', 'X-CaSe', 'y', 'set-cookie', 'b=2']),
        2,
      );
      downstream.write(Buffer.from('ok'));
      downstream.end();
    });
    expect(text).toMatch(
      /^HTTP\/1.1 200 Fine\r\nSet-Cookie: a=1\r\nX-CaSe: y\r\nset-cookie: b=2\r\nContent-Length: 2\r\n/,
    );
    expect(text).toMatch(/\r\nDate: [^\r]+GMT\r\n/);
    expect(text.endsWith('\r\n\r\nok')).toBe(true);
  });

  it('keeps the upstream’s Date', async () => {
    const { text } = await answered((downstream) => downstream.answer(200, ['Date', 'then'], 'x'));
    expect(text.match(/date:/gi)).toHaveLength(1);
  });

  it('is chunked where its length is unknown, with trailers after it', async () => {
    const { text, door } = await answered((downstream) => {
      downstream.head(200, 'OK', new HeaderFields(['Trailer', 'X-Sum']), undefined);
      downstream.write(Buffer.from('abc'));
      downstream.write(Buffer.alloc(0));
      downstream.end(['X-Sum', '7', 'X-Sum', '8']);
    });
    expect(text).toContain('Transfer-Encoding: chunked\r\n');
    expect(text.endsWith('3\r\nabc\r\n0\r\nX-Sum: 7\r\nX-Sum: 8\r\n\r\n')).toBe(true);
    expect(door.closed).toEqual([{ complete: true, bytesSent: 3 }]);
  });

  it('is ended by the connection for HTTP/1.0', async () => {
    const { text } = await answered((downstream) => {
      downstream.informational(103, ['Link', '</x>']);
      downstream.head(200, 'OK', new HeaderFields(), undefined);
      downstream.write(Buffer.from('abc'));
      downstream.end(['X-Sum', '7']);
    }, 'GET / HTTP/1.0');
    expect(text).not.toContain('chunked');
    expect(text).not.toContain('103');
    expect(text.endsWith('\r\n\r\nabc')).toBe(true);
  });

  it('announces a length for HEAD and sends no body', async () => {
    const { text } = await answered((downstream) => {
      downstream.head(200, 'OK', new HeaderFields(), 1234);
      downstream.write(Buffer.from('not sent'));
      downstream.end();
    }, 'HEAD / HTTP/1.1');
    expect(text).toContain('Content-Length: 1234\r\n');
    expect(text.endsWith('\r\n\r\n')).toBe(true);
  });

  it.for([
    ['GET', 204, undefined],
    ['HEAD', 204, undefined],
    ['GET', 205, '0'],
    ['GET', 304, '9'],
  ] as const)('has no body to %s with status %i', async ([method, status, length]) => {
    const { text, door } = await answered((downstream) => {
      downstream.head(status, '', new HeaderFields(), 9);
      downstream.write(Buffer.from('not sent!'));
      downstream.end();
    }, `${method} / HTTP/1.1`);
    expect(/Content-Length: (\d+)/.exec(text)?.[1]).toBe(length);
    expect(text).not.toContain('chunked');
    expect(text.endsWith('\r\n\r\n')).toBe(true);
    expect(door.closed).toEqual([{ complete: true, bytesSent: 0 }]);
  });

  it('sends interim answers before it', async () => {
    const { text } = await answered((downstream) => {
      downstream.informational(103, ['Link', '</a>', 'Link', '</b>']);
      downstream.informational(100, []);
      downstream.answer(200, [], undefined);
    });
    expect(text).toMatch(
      /^HTTP\/1.1 103 Early Hints\r\nLink: <\/a>\r\nLink: <\/b>\r\n\r\nHTTP\/1.1 200 OK\r\n/,
    );
    expect(text).not.toContain('100 Continue');
    expect(text).toContain('Content-Length: 0\r\n');
  });

  it('leaves with its head alone when the body is not there yet', async () => {
    const { port, door } = await openListener();
    let downstream: Downstream | undefined;
    door.handler = (_intake, given) => {
      downstream = given;
      given.head(200, 'OK', new HeaderFields(['Content-Type', 'text/event-stream']), undefined);
    };
    const client = await connectRaw(port);
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').untilText('\r\n\r\n');
    downstream!.write(Buffer.from('data: 1\n\n'));
    await client.untilText('data: 1');
    downstream!.end();
    await client.untilText('0\r\n\r\n');
    expect(client.text.match(/HTTP/g)).toHaveLength(1);
  });

  it.for([
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
    [
      'is aborted in the middle',
      (d: Downstream) => (
        d.head(200, '', new HeaderFields(), undefined),
        d.write(Buffer.from('abc')),
        d.abort()
      ),
    ],
    ['is aborted before it began', (d: Downstream) => d.abort()],
    ['has a field that cannot be said', (d: Downstream) => d.answer(200, ['X', 'a\nb'], 'x')],
  ] as const)('cannot pass for complete when it %s', async ([, handler]) => {
    const { text, door } = await answered((downstream) => void handler(downstream));
    expect(text).not.toMatch(/0\r\n\r\n$/);
    expect(text).not.toMatch(/\r\n\r\nabc$/);
    expect(door.closed).toMatchObject([{ complete: false }]);
  });

  it('is reset for HTTP/1.0, where an end would look complete', async () => {
    const door = new FakeDoor((_intake, downstream) => {
      downstream.head(200, '', new HeaderFields(), undefined);
      downstream.write(Buffer.from('abc'));
      setImmediate(() => downstream.abort());
    });
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    await client.send('GET / HTTP/1.0\r\n\r\n').untilClosed();
    expect((client.error as NodeJS.ErrnoException).code).toBe('ECONNRESET');
  });

  it('holds back when the client is slow, and goes on when it reads', async () => {
    const chunk = Buffer.alloc(256 * 1024, 'x');
    let poured: Poured | undefined;
    const door = new FakeDoor((_intake, downstream) => {
      poured = pour(downstream, chunk, 256);
    });
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await door.until(({ served }) => served.length === 1);
    expect(poured!.held).toBeGreaterThan(0);
    expect(poured!.sent).toBeLessThan(256);
    client.socket.resume();
    await client.untilClosed();
    expect(client.bytes).toBeGreaterThan(256 * chunk.length);
    expect(door.closed).toEqual([{ complete: true, bytesSent: 256 * chunk.length }]);
  });

  it('cuts off a client that takes nothing for the idle time', async () => {
    const chunk = Buffer.alloc(1024 * 1024);
    const door = new FakeDoor((_intake, downstream) => void pour(downstream, chunk, Infinity));
    const { port } = await openListener({ door, limits: { idleTimeoutMs: 200 } });
    const client = await connectRaw(port);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await door.until(({ closed }) => closed.length === 1);
    expect(door.closed[0]!.complete).toBe(false);
  });
});
