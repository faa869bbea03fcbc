/** HTTP/1 requests in, answers out, over real sockets. */
import { request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { BodySink, BodySource } from '../../../src/mesh/transport/body-source.ts';
import type { Downstream } from '../../../src/gateway/exchange/lane.ts';
import { openListener } from '../listener/open-listener.ts';
import { FakeDoor, readBody, type Echoed } from './fake-door.ts';
import { connectRaw, parseAnswer, type RawClient } from './raw-client.ts';

async function exchange(client: RawClient, bytes: string): Promise<Echoed> {
  const before = client.text.length;
  client.send(bytes);
  await client.until(({ text }) => /\r\n\r\n\{.*\}$/s.test(text.slice(before)));
  return JSON.parse(
    Buffer.from(parseAnswer(client.text.slice(before)).body, 'latin1').toString(),
  ) as Echoed;
}

const nothing: BodySink = {
  onData: () => undefined,
  onEnd: () => undefined,
  onError: () => undefined,
};

describe('an HTTP/1 request', () => {
  it('reaches the door as received, its Host apart', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    const echoed = await exchange(
      client,
      'GET /a//b/../%2e?q=1&q=2 HTTP/1.1\r\nX-One: 1\r\nHost: Example.COM:8080\r\nx-one: 2\r\nX-Utf: \xe9\r\n\r\n',
    );
    expect(echoed).toMatchObject({
      method: 'GET',
      target: '/a//b/../%2e?q=1&q=2',
      authority: 'Example.COM:8080',
      headers: ['X-One', '1', 'x-one', '2', 'X-Utf', '\xe9'],
      body: '',
    });
    const [intake] = door.served;
    expect(intake!.body).toBeUndefined();
    expect(intake!.upgrade).toBeUndefined();
    expect(intake!.connection).toMatchObject({
      address: '127.0.0.1',
      port: client.socket.localPort,
      protocol: 'http/1.1',
      trusted: false,
      tls: undefined,
    });
    expect(intake!.connection.listener).toMatchObject({ name: 'test', port, scheme: 'http' });
  });

  it.for([
    ['OPTIONS *', 'OPTIONS * HTTP/1.1', '*'],
    ['an absolute-form target', 'GET http://other.example/x?y HTTP/1.1', 'http://other.example/x?y'],
    ['an https target', 'GET https://other.example HTTP/1.1', 'https://other.example'],
    ['a path that cannot be decoded', 'GET /%zz%ff HTTP/1.1', '/%zz%ff'],
    ['a fragment', 'GET /a#b HTTP/1.1', '/a#b'],
    ['a path of dots and semicolons', 'GET /..;/a;b=c/%00 HTTP/1.1', '/..;/a;b=c/%00'],
    ['PURGE', 'PURGE /x HTTP/1.1', '/x'],
    ['PROPFIND', 'PROPFIND /x HTTP/1.1', '/x'],
    ['QUERY', 'QUERY /x HTTP/1.1', '/x'],
    ['M-SEARCH', 'M-SEARCH /x HTTP/1.1', '/x'],
  ] as const)('passes %s through unjudged', async ([, line, target]) => {
    const { port } = await openListener();
    const echoed = await exchange(await connectRaw(port), `${line}\r\nHost: a\r\n\r\n`);
    expect(echoed.target).toBe(target);
    expect(echoed.method).toBe(line.slice(0, line.indexOf(' ')));
  });

  it('is not subject to the framework: bad content types, versions and long parameters', async () => {
    const { port } = await openListener();
    const client = await connectRaw(port);
    const echoed = await exchange(
      client,
      `POST /${'p'.repeat(5000)} HTTP/1.1\r\nHost: a\r\nContent-Type: ;;;\r\nAccept-Version: 9\r\nContent-Length: 2\r\n\r\n{x`,
    );
    expect(echoed).toMatchObject({ body: '{x', target: `/${'p'.repeat(5000)}` });
    expect(echoed.headers).toContain('Accept-Version');
  });

  it('without a Host is served on HTTP/1.0', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    client.send('GET / HTTP/1.0\r\n\r\n');
    const answer = parseAnswer(await client.untilEnd());
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ authority: '' });
    expect(door.served[0]!.connection.protocol).toBe('http/1.0');
  });

  it('brings its body and trailers', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    const sized = await exchange(client, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    expect(sized.body).toBe('hello');
    expect(door.served[0]!.body!.length).toBe(5);
    const chunked = await exchange(
      client,
      'POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
    expect(chunked).toMatchObject({ body: 'abcde', trailers: ['X-Sum', '1'] });
    expect(door.served[1]!.body!.length).toBeUndefined();
    const empty = await exchange(client, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    expect(empty.body).toBe('');
    expect(door.served[2]!.body).toBeUndefined();
  });

  it('is answered in its turn when pipelined', async () => {
    const { port, door } = await openListener();
    const answers: Downstream[] = [];
    door.handler = (_intake, downstream) => void answers.push(downstream);
    const client = await connectRaw(port);
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await door.until(({ served }) => served.length === 2);
    answers[1]!.informational(103, ['Link', '</x>']);
    answers[1]!.answer(200, [], 'second');
    answers[0]!.answer(200, [], 'first');
    await client.untilText('second');
    expect(client.text.indexOf('first')).toBeLessThan(client.text.indexOf('second'));
    expect(door.closed).toEqual([
      { complete: true, bytesSent: 5 },
      { complete: true, bytesSent: 6 },
    ]);
  });
});

describe('100 Continue', () => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n';

  it('is sent when the body is started, not before', async () => {
    const { port, door } = await openListener();
    let start: (() => void) | undefined;
    door.handler = (intake, downstream) => {
      start = () => readBody(intake, (body) => downstream.answer(200, [], `got ${body.toString()}`));
    };
    const client = await connectRaw(port);
    client.send(head);
    await door.until(({ served }) => served.length === 1);
    expect(door.served[0]!.expectContinue).toBe(true);
    expect(client.text).toBe('');
    start!();
    await client.untilText('100 Continue\r\n\r\n');
    await client.send('hi').untilText('got hi');
  });

  it('is not sent, and the connection closed, when the answer does not want the body', async () => {
    const { port, door } = await openListener();
    door.handler = (_intake, downstream) => downstream.answer(401, [], undefined);
    const client = await connectRaw(port);
    const text = await client.send(head).untilEnd();
    expect(text).toMatch(/^HTTP\/1.1 401 /);
    expect(text).toContain('Connection: close');
  });

  it('is not waited for by HTTP/1.0', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    client.send(`${head.replace('HTTP/1.1', 'HTTP/1.0')}hi`);
    const text = await client.untilEnd();
    expect(text).not.toContain('100 Continue');
    expect(parseAnswer(text).body).toContain('"body":"hi"');
    expect(door.served[0]!.expectContinue).toBe(false);
  });
});

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
      downstream.head(200, 'Fine', ['Set-Cookie', 'a=1', 'X-CaSe', 'y', 'set-cookie', 'b=2'], 2);
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
    const { text } = await answered((downstream) =>
      downstream.answer(200, ['Date', 'then'], 'x'),
    );
    expect(text.match(/date:/gi)).toHaveLength(1);
  });

  it('is chunked where its length is unknown, with trailers after it', async () => {
    const { text, door } = await answered((downstream) => {
      downstream.head(200, 'OK', ['Trailer', 'X-Sum'], undefined);
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
      downstream.head(200, 'OK', [], undefined);
      downstream.write(Buffer.from('abc'));
      downstream.end(['X-Sum', '7']);
    }, 'GET / HTTP/1.0');
    expect(text).not.toContain('chunked');
    expect(text).not.toContain('103');
    expect(text.endsWith('\r\n\r\nabc')).toBe(true);
  });

  it('announces a length for HEAD and sends no body', async () => {
    const { text } = await answered((downstream) => {
      downstream.head(200, 'OK', [], 1234);
      downstream.write(Buffer.from('not sent'));
      downstream.end();
    }, 'HEAD / HTTP/1.1');
    expect(text).toContain('Content-Length: 1234\r\n');
    expect(text.endsWith('\r\n\r\n')).toBe(true);
  });

  it.for([
    [204, undefined],
    [205, '0'],
    [304, '9'],
  ] as const)('has no body with status %i', async ([status, length]) => {
    const { text, door } = await answered((downstream) => {
      downstream.head(status, '', [], 9);
      downstream.write(Buffer.from('not sent!'));
      downstream.end();
    });
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
      given.head(200, 'OK', ['Content-Type', 'text/event-stream'], undefined);
    };
    const client = await connectRaw(port);
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').untilText('\r\n\r\n');
    downstream!.write(Buffer.from('data: 1\n\n'));
    await client.untilText('data: 1');
    downstream!.end();
    await client.untilText('0\r\n\r\n');
  });

  it.for([
    ['is shorter than announced', (d: Downstream) => (d.head(200, '', [], 5), d.write(Buffer.from('abc')), d.end())],
    ['is longer than announced', (d: Downstream) => (d.head(200, '', [], 2), d.write(Buffer.from('abc')))],
    ['is aborted in the middle', (d: Downstream) => (d.head(200, '', [], undefined), d.write(Buffer.from('abc')), d.abort())],
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
      downstream.head(200, '', [], undefined);
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
    let held = 0;
    let sent = 0;
    const door = new FakeDoor((_intake, downstream) => {
      downstream.head(200, '', [], 256 * chunk.length);
      const pump = (): void => {
        while (sent < 256) {
          sent++;
          if (!downstream.write(chunk)) {
            held++;
            return;
          }
        }
        downstream.end();
      };
      downstream.observer = {
        onDrain: pump,
        onClosed: (complete, bytesSent) => door.closed.push({ complete, bytesSent }),
      };
      pump();
    });
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await door.until(({ served }) => served.length === 1);
    expect(held).toBeGreaterThan(0);
    expect(sent).toBeLessThan(256);
    client.socket.resume();
    await client.untilClosed();
    expect(client.bytes).toBeGreaterThan(256 * chunk.length);
    expect(door.closed).toEqual([{ complete: true, bytesSent: 256 * chunk.length }]);
  });

  it('cuts off a client that takes nothing for the idle time', async () => {
    const { promise: closed, resolve: cut } = Promise.withResolvers<void>();
    const door = new FakeDoor((_intake, downstream) => {
      downstream.head(200, '', [], undefined);
      const chunk = Buffer.alloc(1024 * 1024);
      const pump = (): void => void (downstream.write(chunk) && pump());
      downstream.observer = {
        onDrain: pump,
        onClosed: (complete, bytesSent) => {
          door.closed.push({ complete, bytesSent });
          cut();
        },
      };
      pump();
    });
    const { port } = await openListener({ door, limits: { idleTimeoutMs: 200 } });
    const client = await connectRaw(port);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await closed;
    expect(door.closed[0]!.complete).toBe(false);
  });
});

describe('a client that leaves', () => {
  it('before the answer is reported', async () => {
    const { port, door } = await openListener();
    door.handler = () => undefined;
    const client = await connectRaw(port);
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await door.until(({ served }) => served.length === 2);
    client.socket.destroy();
    await door.until(({ closed }) => closed.length === 2);
    expect(door.closed).toEqual([
      { complete: false, bytesSent: 0 },
      { complete: false, bytesSent: 0 },
    ]);
  });

  it.for(['Content-Length: 10\r\n\r\nabc', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'])(
    'in the middle of its body (%j) fails the body',
    async (rest) => {
      const { port, door } = await openListener();
      const failed = new Promise<Error | undefined>((resolve) => {
        door.handler = (intake) => readBody(intake, (_body, _trailers, error) => resolve(error));
      });
      const client = await connectRaw(port);
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
      await door.until(({ served }) => served.length === 1);
      client.socket.end();
      expect(await failed).toMatchObject({ code: 'client_closed_request' });
      await door.until(({ closed }) => closed.length === 1);
      expect(door.closed[0]!.complete).toBe(false);
    },
  );
});

describe('a body that nobody wants', () => {
  const refuse = new FakeDoor();

  it('is dropped, if small, and the connection goes on', async () => {
    const { port, door } = await openListener();
    door.handler = (intake, downstream) => {
      intake.body?.cancel();
      downstream.answer(403, [], 'no');
    };
    const client = await connectRaw(port);
    client.send('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n');
    await client.untilText('no');
    expect(client.text).toContain('Connection: keep-alive');
    client.send(Buffer.alloc(60_000)).send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await door.until(({ served }) => served.length === 2);
    expect(door.served[1]!.target).toBe('/2');
  });

  it.for([
    ['large', 'Content-Length: 10000000\r\n\r\n'],
    ['of unknown length', 'Transfer-Encoding: chunked\r\n\r\n'],
  ] as const)('ends the connection after the answer if %s', async ([, head]) => {
    const { port, door } = await openListener();
    door.handler = (_intake, downstream) => downstream.answer(403, [], 'no');
    const client = await connectRaw(port);
    client.send(`POST /1 HTTP/1.1\r\nHost: a\r\n${head}`);
    const text = await client.untilEnd();
    expect(text).toContain('Connection: close');
    expect(text.endsWith('no')).toBe(true);
    expect(refuse.served).toEqual([]);
  });

  it('ends the connection when it is given up after the head was sent', async () => {
    const { port, door } = await openListener();
    door.handler = (intake, downstream) => {
      intake.body!.start(nothing);
      downstream.head(200, '', [], 2);
      downstream.write(Buffer.from('ok'));
      intake.body!.cancel();
      downstream.end();
    };
    const client = await connectRaw(port);
    client.send('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nabc');
    expect((await client.untilEnd()).endsWith('ok')).toBe(true);
    client.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.untilClosed();
    expect(door.served).toHaveLength(1);
  });

  it('stops coming while it is paused', async () => {
    const { port, door } = await openListener();
    let source: BodySource | undefined;
    let received = 0;
    const ended = new Promise<void>((resolve) => {
      door.handler = (intake) => {
        source = intake.body!;
        source.start({
          ...nothing,
          onData: (chunk) => {
            if (received === 0) source!.pause();
            received += chunk.length;
          },
          onEnd: () => resolve(),
        });
      };
    });
    const total = 32 * 1024 * 1024;
    const upload = httpRequest({ port, host: '127.0.0.1', method: 'PUT', headers: { 'content-length': total } });
    upload.on('error', () => undefined);
    expect(upload.write(Buffer.alloc(total - 1))).toBe(false);
    await door.until(({ served }) => served.length === 1);
    // The client cannot get rid of it: what is under way is bounded by the sockets' buffers.
    const socket = upload.socket ?? ((await once(upload, 'socket'))[0] as never);
    let stuck = -1;
    while (stuck !== socket.writableLength) {
      stuck = socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(stuck).toBeGreaterThan(0);
    expect(received).toBeLessThan(total / 2);
    source!.resume();
    upload.end(Buffer.alloc(1));
    await ended;
    expect(received).toBe(total);
    upload.destroy();
  });
});

describe('limits of an HTTP/1 request', () => {
  it('takes 100 fields and refuses 101 with 431', async () => {
    const { port, door } = await openListener();
    const fields = (count: number): string =>
      `Host: a\r\n${Array.from({ length: count - 1 }, (_, i) => `X-${i}: y\r\n`).join('')}`;
    const client = await connectRaw(port);
    const echoed = await exchange(client, `GET / HTTP/1.1\r\n${fields(100)}\r\n`);
    expect(echoed.headers).toHaveLength(198);
    client.send(`GET / HTTP/1.1\r\n${fields(101)}\r\n`);
    await client.untilText('HTTP/1.1 431');
    await client.untilEnd();
    expect(door.served).toHaveLength(1);
  });

  it('refuses thousands of fields with 431, whatever the parser keeps of them', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(5000)}Content-Length: 0\r\n\r\n`);
    expect(parseAnswer(await client.untilEnd()).status).toBe(431);
    expect(door.served).toEqual([]);
  });

  it.for([
    ['one field of 33 KiB', 33 * 1024],
    ['one field of 1 MiB', 1024 * 1024],
  ] as const)('refuses %s with 431', async ([, bytes]) => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y '.repeat(bytes / 2)}\r\n\r\n`);
    const answer = parseAnswer(await client.untilEnd());
    expect(answer.status).toBe(431);
    expect(answer.body).toContain('headers_too_large');
    expect(door.served).toEqual([]);
  });

  it('takes a target of 8 KiB and refuses a longer one with 414', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    const echoed = await exchange(client, `GET /${'x'.repeat(8191)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(echoed.target).toHaveLength(8192);
    client.send(`GET /${'x'.repeat(8192)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.untilText('HTTP/1.1 414');
    await client.untilEnd();
    expect(client.text).toContain('uri_too_long');
    const other = await connectRaw(port);
    other.send(`GET /${'x'.repeat(1024 * 1024)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(parseAnswer(await other.untilEnd()).status).toBe(414);
    expect(door.served).toHaveLength(1);
  });

  it('answers 408 to a head that does not come in time', async () => {
    const { port, door } = await openListener({ limits: { headerTimeoutMs: 200 } });
    const client = await connectRaw(port);
    const answer = parseAnswer(await client.send('GET / HTTP/1.1\r\nHost: a\r\n').untilEnd());
    expect(answer.status).toBe(408);
    expect(answer.body).toContain('request_timeout');
    expect(door.refused).toHaveLength(1);
  });

  it('closes a connection that says nothing', async () => {
    const { port, door } = await openListener({ limits: { headerTimeoutMs: 200 } });
    const client = await connectRaw(port);
    expect(await client.untilClosed()).toBe('');
    expect(door.refused).toEqual([]);
  });

  it('closes an idle connection after the idle time', async () => {
    const { port } = await openListener({ limits: { idleTimeoutMs: 200 } });
    const client = await connectRaw(port);
    await exchange(client, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.untilClosed();
    expect(client.error).toBeUndefined();
  });

  it('ends a connection with the last request it may carry', async () => {
    const { port, door } = await openListener({ limits: { maxRequestsPerConnection: 2 } });
    const client = await connectRaw(port);
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    const text = await client.untilEnd();
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(2);
    expect(text.match(/Connection: close/g)).toHaveLength(1);
    expect(door.served).toHaveLength(2);
  });
});
