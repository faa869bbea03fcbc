/** Everything that HTTP can do, through two doors. */
import { once } from 'node:events';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startEchoServer } from '../../mesh/transport/grpc-echo-server.ts';
import { until, type TestGateway } from '../gateway-fixture.ts';
import { receive } from '../protocols/http2-client.ts';
import { EchoClient } from '../protocols/grpc-client.ts';
import {
  CALLER,
  outboundOf,
  provider,
  startApplication,
  untilServed,
  useMesh,
} from './mesh-fixture.ts';

const newMesh = useMesh();
const MIB = 1024 * 1024;
/** More than all the sockets on the way hold. */
const STREAM_BYTES = 100 * MIB;

/** An application behind one node, and a node to call it by. */
async function startPair(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  more: Record<string, unknown> = {},
): Promise<TestGateway> {
  const mesh = newMesh();
  const { port } = await startApplication((asked, response) => {
    if (asked.url === '/ready') response.end('ready');
    else answer(asked, response);
  });
  await mesh.node(provider('orders', port, more));
  const caller = await mesh.node(CALLER);
  await untilServed(caller, 'http://orders.mesh/ready');
  return caller;
}

function ask(
  node: TestGateway,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): ReturnType<typeof request> {
  return request({
    host: '127.0.0.1',
    port: outboundOf(node),
    path: `http://orders.mesh${path}`,
    agent: false,
    ...options,
    headers: { host: 'orders.mesh', ...options.headers },
  });
}

async function answerOf(asked: ReturnType<typeof request>): Promise<IncomingMessage> {
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

async function lengthOf(stream: Readable): Promise<number> {
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await once(stream, 'end');
  return bytes;
}

/** What has begun to grow, once it has not grown for a third of a second. */
async function untilStill(count: () => number): Promise<number> {
  let last = 0;
  for (let still = 0; still < 10 || last === 0;) {
    await pause(33);
    still = count() === last ? still + 1 : 0;
    last = count();
  }
  return last;
}

describe('gRPC', () => {
  it('passes in all four kinds to an application whose protocol nobody named', async () => {
    const mesh = newMesh();
    const echo = await startEchoServer();
    onTestFinished(() => echo.stop());
    await mesh.node(provider('echo', Number(echo.address.split(':')[1])));
    const caller = await mesh.node(CALLER);
    const client = new EchoClient(`127.0.0.1:${outboundOf(caller)}`, false, '', {
      'grpc.default_authority': 'echo.mesh',
    });
    onTestFinished(() => client.close());
    const metadata = new Metadata();
    metadata.set('echo-tenant', 'a');
    const { message, head, trailers } = await until(() =>
      client.unary(Buffer.from('hello'), metadata).catch((error: ServiceError) => {
        if (error.code === status.UNAVAILABLE) return undefined;
        throw error;
      }),
    );
    expect(message.toString()).toBe('hello');
    expect(head.get('head-echo-tenant')).toEqual(['a']);
    expect(trailers.get('trailer-echo-tenant')).toEqual(['a']);

    expect(await client.collect(['a', 'b', 'c'])).toBe('a+b+c');

    const parts: string[] = [];
    const spread = client.serverStream('spread', 'x y z');
    spread.on('data', (part: Buffer) => parts.push(part.toString()));
    await once(spread, 'end');
    expect(parts).toEqual(['x', 'y', 'z']);

    const chat = client.chat();
    for (const word of ['one', 'two']) {
      chat.write(Buffer.from(word));
      const [said] = (await once(chat, 'data')) as [Buffer];
      expect(said.toString()).toBe(word.toUpperCase());
    }
    chat.end();
    await once(chat, 'end');

    const failed: ServiceError = await client
      .unary(Buffer.alloc(0), new Metadata(), {}, 'fail')
      .then(
        () => Promise.reject(new Error('it did not fail')),
        (error: ServiceError) => error,
      );
    expect([failed.code, failed.details]).toEqual([status.DATA_LOSS, 'nötig: 100%']);
  });

  it('is told of a service that is not there by a grpc-status', async () => {
    const caller = await newMesh().node(CALLER);
    const client = new EchoClient(`127.0.0.1:${outboundOf(caller)}`, false, '', {
      'grpc.default_authority': 'nobody.mesh',
    });
    onTestFinished(() => client.close());
    await expect(client.unary(Buffer.from('x'))).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
  });

  it('reaches the same application as plain HTTP, each by its own protocol', async () => {
    const versions = new Set<string>();
    const caller = await startPair((asked, response) => {
      versions.add(asked.httpVersion);
      response.end();
    });
    const session = connect(`http://127.0.0.1:${outboundOf(caller)}`);
    onTestFinished(() => session.destroy());
    const head = { ':authority': 'orders.mesh', ':method': 'POST', ':path': '/' };
    const plain = await receive(
      session.request({ ...head, 'content-type': 'application/json' }, { endStream: true }),
    );
    expect(plain.headers[':status']).toBe(200);
    expect([...versions]).toEqual(['1.1']);
  });
});

describe('a WebSocket', () => {
  it('passes both ways, with its subprotocol', async () => {
    const mesh = newMesh();
    const { server, port } = await startApplication('ready');
    const sockets = new WebSocketServer({ server, handleProtocols: () => 'chat.v2' });
    sockets.on('connection', (socket, { headers, url }) => {
      socket.send(`${headers.host} ${url}`);
      socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
    });
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate();
    });
    await mesh.node(provider('chat', port));
    const caller = await mesh.node(CALLER);
    await untilServed(caller, 'http://chat.mesh/');
    const socket = new WebSocket(`ws://127.0.0.1:${outboundOf(caller)}/room?a=1`, ['chat.v2'], {
      headers: { host: 'chat.mesh' },
    });
    onTestFinished(() => socket.terminate());
    const [first] = (await once(socket, 'message')) as [Buffer];
    expect(first.toString()).toBe('chat.mesh /room?a=1');
    expect(socket.protocol).toBe('chat.v2');
    const bytes = Buffer.alloc(MIB, 7);
    socket.send(bytes);
    const [back] = (await once(socket, 'message')) as [Buffer];
    expect(back.equals(bytes)).toBe(true);
    socket.close(4001, 'enough');
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(4001);
  });
});

describe('a stream', () => {
  it('of server-sent events comes as it is written', async () => {
    let emit: ((text: string) => void) | undefined;
    const caller = await startPair((_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      emit = (line) => void response.write(`data: ${line}\n\n`);
    });
    const response = await answerOf(ask(caller, '/events').end());
    for (const line of ['one', 'two']) {
      emit!(line);
      const [chunk] = (await once(response, 'data')) as [Buffer];
      expect(chunk.toString()).toBe(`data: ${line}\n\n`);
    }
    response.destroy();
  });

  it('of 100 MiB passes either way, whole, and waits for who reads it', async () => {
    let sent = 0;
    let upload: IncomingMessage | undefined;
    const chunk = Buffer.alloc(MIB, 'x');
    const caller = await startPair((asked, response) => {
      if (asked.method === 'POST') {
        upload = asked;
        asked.on('end', () => response.end('read'));
      } else writeAll(response);
    });
    const writeAll = (to: Writable): void => {
      while (sent < STREAM_BYTES) {
        sent += MIB;
        if (!to.write(chunk)) {
          to.once('drain', () => writeAll(to));
          return;
        }
      }
      to.end();
    };

    const download = await answerOf(ask(caller, '/down').end());
    expect(await untilStill(() => sent)).toBeLessThan(STREAM_BYTES / 2);
    expect(await lengthOf(download)).toBe(STREAM_BYTES);

    sent = 0;
    const asked = ask(caller, '/up', { method: 'POST' });
    const answered = answerOf(asked);
    writeAll(asked);
    expect(await untilStill(() => sent)).toBeLessThan(STREAM_BYTES / 2);
    expect(await lengthOf(upload!)).toBe(STREAM_BYTES);
    expect(await text(await answered)).toBe('read');
  });

  it('waits for a reader that is slow, through both doors', async () => {
    let written = 0;
    let stalled = false;
    const caller = await startPair((_asked, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const write = (): void => {
        stalled = false;
        while (written < 64 * MIB) {
          written += chunk.length;
          if (!response.write(chunk)) {
            stalled = true;
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    const response = await answerOf(ask(caller, '/').end());
    response.pause();
    let last = -1;
    await until(async () => {
      const settled = stalled && last === written;
      last = written;
      return settled ? true : undefined;
    });
    expect(written).toBeLessThan(48 * MIB);
    let received = 0;
    response.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
    await once(response, 'end');
    expect(received).toBe(64 * MIB);
  });

  it('is broken off for the application when its client leaves', async () => {
    const left = Promise.withResolvers<void>();
    const caller = await startPair((_asked, response) => {
      response.write('some');
      response.once('close', () => left.resolve());
    });
    const asked = ask(caller, '/').end();
    await once(await answerOf(asked), 'data');
    asked.destroy();
    await expect(left.promise).resolves.toBeUndefined();
  });

  it('that the application breaks off does not look complete', async () => {
    let breakOff: (() => void) | undefined;
    const caller = await startPair((_asked, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('some');
      breakOff = () => void response.socket!.destroy();
    });
    const response = await answerOf(ask(caller, '/').end());
    await once(response, 'data');
    breakOff!();
    await expect(once(response, 'end')).rejects.toThrow('aborted');
  });
});

describe('a message', () => {
  it('keeps its trailers both ways, over both versions of HTTP', async () => {
    const caller = await startPair((asked, response) => {
      asked.resume();
      asked.on('end', () => {
        response.writeHead(200, { trailer: 'x-sum' });
        response.write('body');
        response.addTrailers({ 'x-sum': asked.trailers['x-request-sum'] ?? 'none' });
        response.end();
      });
    });
    const asked = ask(caller, '/', { method: 'POST', headers: { trailer: 'x-request-sum' } });
    const answered = answerOf(asked);
    asked.write('a');
    asked.addTrailers({ 'x-request-sum': '1' });
    asked.end();
    const response = await answered;
    response.resume();
    await once(response, 'end');
    expect(response.trailers).toEqual({ 'x-sum': '1' });

    const session = connect(`http://127.0.0.1:${outboundOf(caller)}`);
    onTestFinished(() => session.destroy());
    const stream = session.request(
      { ':authority': 'orders.mesh', ':method': 'POST', ':path': '/' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-request-sum': '2' }));
    stream.end('b');
    const { trailers, body } = await receive(stream);
    expect([body, trailers?.['x-sum']]).toEqual(['body', '2']);
  });

  it('may be preceded by interim answers', async () => {
    const caller = await startPair((_asked, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.end('done');
    });
    const asked = ask(caller, '/').end();
    const hint = once(asked, 'information') as Promise<[{ statusCode: number; headers: object }]>;
    const response = await answerOf(asked);
    const [{ statusCode, headers }] = await hint;
    expect([statusCode, headers]).toEqual([103, { link: '</a.css>; rel=preload' }]);
    expect(response.statusCode).toBe(200);
    response.resume();
  });
});
