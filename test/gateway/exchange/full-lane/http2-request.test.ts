/** HTTP/2 requests as they reach the door, over h2c by prior knowledge. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MeshgateError } from '../../../../src/errors.ts';
import { openListener } from '../../listener/open-listener.ts';
import { FakeDoor, readBody } from '../fake-door.ts';
import { connectH2, echoed, receive } from './h2-client.ts';
import {
  DATA,
  END_HEADERS,
  frame,
  GET,
  greet,
  HEADERS,
  headerBlock,
  requestFrame,
  RST_STREAM,
} from './h2-frames.ts';
import { connectRaw } from '../raw-client.ts';

describe('an HTTP/2 request', () => {
  it('reaches the door with :authority apart and its cookie crumbs in one line', async () => {
    const { port, door } = await openListener();
    const client = connectH2(port);
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
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    await greet(client);
    client.send(requestFrame(1, [...GET.slice(0, 3), ['host', 'only.host']]));
    await client.untilText('only.host');
    expect(door.served[0]!.authority).toBe('only.host');
  });

  it('brings its body and trailers', async () => {
    const { port, door } = await openListener();
    const stream = connectH2(port).request(
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
    const stream = connectH2(port).request({ ':method': 'POST', expect: '100-continue' });
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
    client.send(
      frame(HEADERS, END_HEADERS, 1, headerBlock([[':method', 'POST'], ...GET.slice(1)])),
    );
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
    const client = connectH2(port);
    client
      .request({ ':method': 'POST' })
      .on('error', () => undefined)
      .write('abc');
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
    const client = connectH2(port);
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

describe('an extended CONNECT', () => {
  it('to a WebSocket reads as an upgrade and hands over the stream', async () => {
    const door = new FakeDoor((_intake, downstream) => {
      const stream = downstream.upgrade(101, '', [
        'Upgrade',
        'websocket',
        'Connection',
        'Upgrade',
        'Sec-WebSocket-Accept',
        'x',
        'Sec-WebSocket-Protocol',
        'chat',
      ]);
      stream.on('data', (chunk: Buffer) => stream.write(`<${chunk.toString()}>`));
      stream.on('end', () => stream.end('bye'));
    });
    const { port } = await openListener({ door });
    const client = connectH2(port);
    await once(client, 'remoteSettings');
    expect(client.remoteSettings.enableConnectProtocol).toBe(true);
    const stream = client.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/chat',
      ':scheme': 'http',
      ':authority': 'a',
      'sec-websocket-version': '13',
    });
    stream.end('hello');
    const received = await receive(stream);
    expect(received).toMatchObject({ status: 200, body: '<hello>bye' });
    expect(received.headers).toContain('sec-websocket-protocol');
    expect(received.headers).not.toContain('sec-websocket-accept');
    expect(door.served[0]).toMatchObject({
      method: 'GET',
      upgrade: 'websocket',
      target: '/chat',
      authority: 'a',
      body: undefined,
    });
  });

  it('that is refused gets a plain answer', async () => {
    const door = new FakeDoor((_intake, downstream) => downstream.answer(403, [], 'no'));
    const { port } = await openListener({ door });
    const client = connectH2(port);
    await once(client, 'remoteSettings');
    const stream = client.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/',
      ':scheme': 'http',
      ':authority': 'a',
    });
    stream.on('error', () => undefined);
    expect(await receive(stream)).toMatchObject({ status: 403, body: 'no' });
  });
});

describe('an HTTP/2 connection', () => {
  it('offers 100 streams, a 64 KiB stream window and a 1 MiB connection window', async () => {
    const { port } = await openListener();
    const client = connectH2(port);
    await once(client, 'remoteSettings');
    expect(client.remoteSettings).toMatchObject({
      maxConcurrentStreams: 100,
      initialWindowSize: 65_536,
    });
    await receive(client.request({}));
    expect(client.state.remoteWindowSize).toBe(1024 * 1024);
  });

  it('is closed when it is idle', async () => {
    const { port } = await openListener({ limits: { idleTimeoutMs: 200 } });
    const client = connectH2(port);
    await receive(client.request({}));
    const [goaway] = await Promise.all([once(client, 'goaway'), once(client, 'close')]);
    expect(goaway[0]).toBe(0);
  });

  it('ends with the last request it may carry', async () => {
    const { port } = await openListener({ limits: { maxRequestsPerConnection: 2 } });
    const client = connectH2(port);
    const goaway = once(client, 'goaway');
    expect((await receive(client.request({}))).status).toBe(200);
    expect((await receive(client.request({}))).status).toBe(200);
    expect((await goaway)[0]).toBe(0);
  });
});

describe('an HTTP/2 request body that comes too slowly', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it.for([
    ['is refused with 408 after ten seconds', { 'content-length': '5000' }, 408],
    ['is a stream where it has no length', {}, 200],
  ] as const)('%s', async ([, fields, status]) => {
    const { port, door } = await openListener();
    let received = 0;
    let succeed: () => void = () => undefined;
    door.handler = (intake, downstream) => {
      succeed = () => downstream.answer(200, [], undefined);
      intake.body!.start({
        onData: (chunk) => void (received += chunk.length),
        onEnd: () => undefined,
        onError: (error) => downstream.answer((error as MeshgateError).status, [], undefined),
      });
    };
    const stream = connectH2(port).request({ ':method': 'POST', ':path': '/', ...fields });
    stream.write('x'.repeat(1000));
    await expect.poll(() => received).toBe(1000);
    vi.advanceTimersByTime(11_000);
    succeed();
    expect((await receive(stream)).status).toBe(status);
  });
});
