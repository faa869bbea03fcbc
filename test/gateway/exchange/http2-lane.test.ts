/** HTTP/2 requests in, answers out, over h2c by prior knowledge. */
import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Downstream } from '../../../src/gateway/exchange/lane.ts';
import { openListener } from '../listener/open-listener.ts';
import { FakeDoor, readBody, type Echoed } from './fake-door.ts';
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
  RST_STREAM,
} from './h2-frames.ts';
import { connectRaw, type RawClient } from './raw-client.ts';

function connect(port: number): ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

interface Received {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[] | undefined;
  readonly informational: readonly string[][];
}

async function receive(stream: ClientHttp2Stream): Promise<Received> {
  let headers: string[] = [];
  let trailers: string[] | undefined;
  const informational: string[][] = [];
  let body = '';
  stream.on('headers', (_fields, _flags, raw: string[]) => informational.push(raw));
  stream.on('response', (_fields, _flags, raw: string[]) => {
    headers = raw;
  });
  stream.on('trailers', (_fields, _flags, raw: string[]) => {
    trailers = raw;
  });
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    body += chunk;
  });
  await once(stream, 'close');
  if (stream.rstCode !== 0) throw new Error(`reset with ${stream.rstCode}`);
  return { status: Number(headers[1]), headers, body, trailers, informational };
}

async function echoed(stream: ClientHttp2Stream): Promise<Echoed> {
  return JSON.parse((await receive(stream)).body) as Echoed;
}

describe('an HTTP/2 request', () => {
  it('reaches the door with :authority apart and its cookie crumbs in one line', async () => {
    const { port, door } = await openListener();
    const client = connect(port);
    const answer = await echoed(
      client.request([
        ':method',
        'GET',
        ':path',
        '/a?b',
        ':scheme',
        'http',
        ':authority',
        'Example.com:1',
        'x-one',
        '1',
        'cookie',
        'a=1',
        'x-one',
        '2',
        'cookie',
        'b=2',
        'te',
        'trailers',
        'host',
        'example.com:1',
      ]),
    );
    expect(answer).toMatchObject({
      method: 'GET',
      target: '/a?b',
      authority: 'Example.com:1',
      headers: ['x-one', '1', 'cookie', 'a=1; b=2', 'x-one', '2', 'te', 'trailers'],
    });
    expect(door.served[0]!.connection).toMatchObject({ protocol: 'h2', address: '127.0.0.1' });
    expect(door.served[0]!.body).toBeUndefined();
  });

  it('takes Host where there is no :authority', async () => {
    const { port } = await openListener();
    const client = await connectRaw(port);
    await greet(client);
    const block = headerBlock([...GET.slice(0, 3), ['host', 'only.host']]);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block));
    await client.untilText('only.host');
  });

  it('brings its body and trailers', async () => {
    const { port, door } = await openListener();
    const stream = connect(port).request(
      { ':method': 'POST', 'content-length': '5' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
    stream.end('hello');
    expect(await echoed(stream)).toMatchObject({ body: 'hello', trailers: ['x-sum', '1'] });
    expect(door.served[0]!.body!.length).toBe(5);
  });

  it('is told 100 Continue when its body is started', async () => {
    const { port, door } = await openListener();
    let start: (() => void) | undefined;
    door.handler = (intake, downstream) => {
      start = () => readBody(intake, (body) => downstream.answer(200, [], body));
    };
    const stream = connect(port).request({ ':method': 'POST', expect: '100-continue' });
    let continued = false;
    stream.on('continue', () => {
      continued = true;
      stream.end('hi');
    });
    await door.until(({ served }) => served.length === 1);
    expect(continued).toBe(false);
    expect(door.served[0]!.expectContinue).toBe(true);
    start!();
    expect((await receive(stream)).body).toBe('hi');
    expect(continued).toBe(true);
  });

  it('has its body fail when the client resets it', async () => {
    const { port, door } = await openListener();
    const failed = new Promise<Error | undefined>((resolve) => {
      door.handler = (intake) => readBody(intake, (_body, _trailers, error) => resolve(error));
    });
    const client = await connectRaw(port);
    await greet(client);
    client.send(frame(HEADERS, END_HEADERS, 1, headerBlock([[':method', 'POST'], ...GET.slice(1)])));
    client.send(frame(DATA, 0, 1, Buffer.from('abc')));
    await door.until(({ served }) => served.length === 1);
    // Without an error code node ends the body as if it were whole.
    client.send(frame(RST_STREAM, 0, 1, Buffer.alloc(4)));
    expect(await failed).toMatchObject({ code: 'client_closed_request' });
    await door.until(({ closed }) => closed.length === 1);
    expect(door.closed).toEqual([{ complete: false, bytesSent: 0 }]);
  });

  it('has its body fail when the connection breaks', async () => {
    const { port, door } = await openListener();
    const failed = new Promise<Error | undefined>((resolve) => {
      door.handler = (intake) => readBody(intake, (_body, _trailers, error) => resolve(error));
    });
    const client = connect(port);
    client.request({ ':method': 'POST' }).on('error', () => undefined).write('abc');
    await door.until(({ served }) => served.length === 1);
    client.destroy();
    expect(await failed).toMatchObject({ code: 'client_closed_request' });
    await door.until(({ closed }) => closed.length === 1);
  });

  it('is held back while its body is paused, without holding back other streams', async () => {
    const { port, door } = await openListener();
    let received = 0;
    door.handler = (intake, downstream) => {
      if (intake.target === '/other') {
        downstream.answer(200, [], 'other');
        return;
      }
      intake.body!.start({
        onData: (chunk) => {
          received += chunk.length;
          intake.body!.pause();
        },
        onEnd: () => downstream.answer(200, [], String(received)),
        onError: () => undefined,
      });
    };
    const client = connect(port);
    const upload = client.request({ ':method': 'POST', ':path': '/upload' });
    upload.end(Buffer.alloc(4 * 1024 * 1024));
    await door.until(({ served }) => served.length === 1);
    const other = client.request({ ':path': '/other' });
    expect((await receive(other)).body).toBe('other');
    expect(received).toBeLessThanOrEqual(128 * 1024);
    door.served[0]!.body!.resume();
    const wake = setInterval(() => door.served[0]!.body!.resume(), 1);
    expect((await receive(upload)).body).toBe(String(4 * 1024 * 1024));
    clearInterval(wake);
  });
});

describe('an HTTP/2 answer', () => {
  async function answered(
    handler: (downstream: Downstream) => void,
    method = 'GET',
  ): Promise<{ readonly received: Received; readonly door: FakeDoor }> {
    const door = new FakeDoor((_intake, downstream) => handler(downstream));
    const { port } = await openListener({ door });
    const received = await receive(connect(port).request({ ':method': method }));
    await door.until(({ closed }) => closed.length > 0);
    return { received, door };
  }

  it('keeps order and repetition of its fields', async () => {
    const { received, door } = await answered((downstream) => {
      downstream.head(200, 'Fine', ['Set-Cookie', 'a=1', 'ETag', '"x"', 'Set-Cookie', 'b=2', 'ETag', '"y"'], 2);
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
      downstream.head(200, '', ['Content-Type', 'application/grpc'], undefined);
      downstream.write(Buffer.from('abc'));
      downstream.end(['Grpc-Status', '0', 'X-A', '1', 'x-a', '2']);
    });
    expect(received.informational).toEqual([[':status', '103', 'link', '</a>', 'link', '</b>']]);
    expect(received.body).toBe('abc');
    expect(received.trailers).toEqual(['grpc-status', '0', 'x-a', '1', 'x-a', '2']);
  });

  it('may be head and trailers alone', async () => {
    const { received, door } = await answered((downstream) => {
      downstream.head(200, '', [], undefined);
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
      downstream.head(status, '', [], 9);
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
    const { received } = await answered((downstream) => downstream.answer(404, ['X-A', 'b'], 'gone'));
    expect(received).toMatchObject({ status: 404, body: 'gone' });
    const { received: head } = await answered((downstream) => downstream.answer(404, [], 'gone'), 'HEAD');
    expect(head.body).toBe('');
    expect(head.headers[head.headers.indexOf('content-length') + 1]).toBe('4');
  });

  it.for([
    ['is aborted in the middle', (d: Downstream) => (d.head(200, '', [], undefined), d.write(Buffer.from('abc')), d.abort())],
    ['is aborted later', (d: Downstream) => (d.head(200, '', [], undefined), d.write(Buffer.from('abc')), setTimeout(() => d.abort(), 20))],
    ['is shorter than announced', (d: Downstream) => (d.head(200, '', [], 5), d.write(Buffer.from('abc')), d.end())],
    ['is longer than announced', (d: Downstream) => (d.head(200, '', [], 2), d.write(Buffer.from('abc')))],
    ['is aborted before it began', (d: Downstream) => d.abort()],
    ['has a field that HTTP/2 cannot say', (d: Downstream) => d.answer(200, ['Connection', 'close'], 'x')],
    ['has a status that HTTP/2 cannot say', (d: Downstream) => d.answer(700, [], 'x')],
  ] as const)('is reset and never ended when it %s', async ([, handler]) => {
    const door = new FakeDoor((_intake, downstream) => void handler(downstream));
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    await greet(client);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, headerBlock(GET)));
    await client.until(({ received }) => errorCode(parseFrames(received), RST_STREAM) !== undefined);
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
        downstream.head(403, '', [], undefined);
        downstream.write(Buffer.from('no'));
        downstream.end(['x-t', '1']);
      } else {
        downstream.answer(403, [], 'no');
      }
    });
    const { port } = await openListener({ door });
    const client = connect(port);
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

  it('holds back when the client is slow, and goes on when it reads', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    const door = new FakeDoor((_intake, downstream) => {
      downstream.head(200, '', [], 100 * chunk.length);
      const pump = (): void => {
        while (sent < 100) {
          sent++;
          if (!downstream.write(chunk)) return;
        }
        downstream.end();
      };
      downstream.observer = { onDrain: pump, onClosed: () => undefined };
      pump();
    });
    const { port } = await openListener({ door });
    const stream = connect(port).request({});
    await once(stream, 'response');
    expect(sent).toBeLessThan(10);
    let bytes = 0;
    stream.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    await once(stream, 'close');
    expect(bytes).toBe(100 * chunk.length);
  });

  it('cuts off a stream whose client takes nothing for the idle time', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<boolean>();
    const door = new FakeDoor((_intake, downstream) => {
      downstream.head(200, '', [], undefined);
      const pump = (): void => void (downstream.write(Buffer.alloc(64 * 1024)) && pump());
      downstream.observer = { onDrain: pump, onClosed: resolve };
      pump();
    });
    const { port } = await openListener({ door, limits: { idleTimeoutMs: 200 } });
    const client = await connectRaw(port);
    await greet(client);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, headerBlock(GET)));
    expect(await closed).toBe(false);
  });
});

describe('a refused HTTP/2 request', () => {
  const post = [[':method', 'POST'], ...GET.slice(1)] as const;

  async function send(
    client: RawClient,
    fields: readonly (readonly [string, string])[],
  ): Promise<string> {
    await greet(client);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, headerBlock(fields)));
    await client.until(({ received }) =>
      parseFrames(received).some(
        ({ type, flags, stream }) =>
          stream === 1 && (type === RST_STREAM || (flags & END_STREAM) !== 0),
      ),
    );
    return client.text;
  }

  it.for([
    ['Host and :authority differ', [...GET, ['host', 'b']], 400],
    ['its authority has a list', [...GET.slice(0, 3), [':authority', 'a,b']], 400],
    ['it is TRACE', [[':method', 'TRACE'], ...GET.slice(1)], 405],
    ['it is CONNECT', [[':method', 'CONNECT'], [':authority', 'a:1']], 405],
    ['it connects to another protocol', [[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'connect-udp']], 405],
    ['it expects too much', [...post, ['expect', 'tea']], 417],
    ['its target is too long', [...GET.slice(0, 2), [':path', `/${'x'.repeat(8192)}`], GET[3]!], 414],
    ['it has too many fields', [...GET, ...Array.from({ length: 101 }, (_, i) => [`x-${i}`, 'y'] as const)], 431],
    ['its fields are too large', [...GET, ['x', 'y'.repeat(15_000)], ['z', 'y'.repeat(15_000)], ['w', 'y'.repeat(5000)]], 431],
  ] as const)('because %s is answered by the door and the connection goes on', async ([, fields, status]) => {
    const { port, door } = await openListener();
    const client = connect(port);
    const raw = fields.flat();
    if (!raw.includes(':scheme') && !raw.includes('CONNECT')) raw.push(':scheme', 'http');
    const plain = await connectRaw(port);
    // 16 KiB is the largest frame: what is larger goes by node's client, which splits it.
    const block = headerBlock(fields);
    if (block.length <= 16_384) {
      await send(plain, fields);
    } else {
      const stream = client.request(raw as string[]);
      expect((await receive(stream)).status).toBe(status);
    }
    await door.until(({ refused }) => refused.length === 1);
    expect(door.refused[0]!.error.status).toBe(status);
    expect(door.refused[0]!.connection.protocol).toBe('h2');
    expect(door.served).toEqual([]);
    expect((await receive(client.request({ ':path': '/next' }))).status).toBe(200);
  });

  it.for([
    ['connection', [...GET, ['connection', 'close']]],
    ['transfer-encoding', [...GET, ['transfer-encoding', 'chunked']]],
    ['te other than trailers', [...GET, ['te', 'gzip']]],
    ['a name in upper case', [...GET, ['X-A', 'b']]],
    ['two Host fields', [...GET, ['host', 'a'], ['host', 'a']]],
    ['userinfo in its authority', [...GET.slice(0, 3), [':authority', 'u@a']]],
    ['a line break in its path', [...GET.slice(0, 2), [':path', '/a\r\nb'], GET[3]!]],
    ['no :path', [GET[0]!, GET[1]!, GET[3]!]],
    ['an empty :path', [GET[0]!, GET[1]!, [':path', ''], GET[3]!]],
    ['a :path that is no path', [GET[0]!, GET[1]!, [':path', 'a'], GET[3]!]],
    ['two :path', [...GET, [':path', '/b']]],
    ['an unknown pseudo-field', [...GET, [':x', 'y']]],
    ['a pseudo-field after a field', [...GET.slice(0, 3), ['x', 'y'], GET[3]!]],
    ['two Content-Length', [...post, ['content-length', '0'], ['content-length', '0']]],
    ['a Content-Length without its body', [...post, ['content-length', '3']]],
  ] as const)('with %s is reset and not served', async ([, fields]) => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    await send(client, fields);
    expect(errorCode(parseFrames(client.received), RST_STREAM)).toBe(1);
    expect(door.served).toEqual([]);
  });

  it.for([
    ['a line break in a value', ['x-a', 'b\r\nc: d']],
    ['NUL in a value', ['x-a', 'b\0c']],
    ['a colon in a name', ['x:a', 'b']],
    ['a space in a name', ['x a', 'b']],
    ['a line break in a name', ['x\r\na', 'b']],
  ] as const)('with %s is served without that field', async ([, field]) => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    await send(client, [...GET, field, ['x-kept', 'y']]);
    // nghttp2 drops it, and tells nobody.
    expect(door.served[0]!.headers).toEqual(['x-kept', 'y']);
  });

  it('with more than twice the fields is reset by the parser', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    await send(client, [...GET, ...Array.from({ length: 300 }, (_, i) => [`x${i}`, 'y'] as const)]);
    expect(errorCode(parseFrames(client.received), RST_STREAM)).toBeGreaterThan(0);
    expect(door.served).toEqual([]);
  });
});

describe('an extended CONNECT', () => {
  it('to a WebSocket reads as an upgrade and hands over the stream', async () => {
    const door = new FakeDoor((_intake, downstream) => {
      const stream = downstream.upgrade(101, '', ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept', 'x', 'Sec-WebSocket-Protocol', 'chat']);
      stream.on('data', (chunk: Buffer) => stream.write(`<${chunk.toString()}>`));
      stream.on('end', () => stream.end('bye'));
    });
    const { port } = await openListener({ door });
    const client = connect(port);
    await once(client, 'remoteSettings');
    expect(client.remoteSettings.enableConnectProtocol).toBe(true);
    const stream = client.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat', ':scheme': 'http', ':authority': 'a', 'sec-websocket-version': '13' });
    stream.end('hello');
    const received = await receive(stream);
    expect(received).toMatchObject({ status: 200, body: '<hello>bye' });
    expect(received.headers).toContain('sec-websocket-protocol');
    expect(received.headers).not.toContain('sec-websocket-accept');
    expect(door.served[0]).toMatchObject({ method: 'GET', upgrade: 'websocket', target: '/chat', authority: 'a', body: undefined });
  });

  it('that is refused gets a plain answer', async () => {
    const door = new FakeDoor((_intake, downstream) => downstream.answer(403, [], 'no'));
    const { port } = await openListener({ door });
    const client = connect(port);
    await once(client, 'remoteSettings');
    const stream = client.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', ':scheme': 'http', ':authority': 'a' });
    stream.on('error', () => undefined);
    expect(await receive(stream)).toMatchObject({ status: 403, body: 'no' });
  });
});

describe('an HTTP/2 connection', () => {
  it('offers 100 streams, a 64 KiB stream window and a 1 MiB connection window', async () => {
    const { port } = await openListener();
    const client = connect(port);
    await once(client, 'remoteSettings');
    expect(client.remoteSettings).toMatchObject({ maxConcurrentStreams: 100, initialWindowSize: 65_536 });
    await receive(client.request({}));
    expect(client.state.remoteWindowSize).toBe(1024 * 1024);
  });

  it('is closed when it is idle', async () => {
    const { port } = await openListener({ limits: { idleTimeoutMs: 200 } });
    const client = connect(port);
    await receive(client.request({}));
    await once(client, 'close');
  });

  it('ends with the last request it may carry', async () => {
    const { port } = await openListener({ limits: { maxRequestsPerConnection: 2 } });
    const client = connect(port);
    const goaway = once(client, 'goaway');
    expect((await receive(client.request({}))).status).toBe(200);
    expect((await receive(client.request({}))).status).toBe(200);
    expect((await goaway)[0]).toBe(0);
  });
});
