/** Bodies flow as they come, and at the pace of whoever is slower. */
import { once } from 'node:events';
import { get, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRaw } from '../../gateway/exchange/raw-client.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { openSession } from './http2-client.ts';
import {
  rawService,
  startHttp1Origin,
  startHttp2Origin,
  startRawOrigin,
  type RawOrigin,
  type TestOrigin,
} from './origins.ts';
import { stable } from './stable.ts';

/** More than all the buffers on the way together. */
const MUCH = 64 * 1024 * 1024;

let http1: TestOrigin;
let http2: TestOrigin;
let raw: RawOrigin;
let gateway: TestGateway;
let onRequest: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
let onStream: (stream: ServerHttp2Stream) => void = () => undefined;

beforeAll(async () => {
  http1 = await startHttp1Origin((request, response) => onRequest(request, response));
  http2 = await startHttp2Origin((stream) => onStream(stream));
  raw = await startRawOrigin();
  gateway = await startGateway({
    services: {
      h1: { endpoints: [{ address: http1.address }] },
      h2: { protocol: 'h2c', endpoints: [{ address: http2.address }] },
      raw: rawService(raw),
    },
    routes: ['h1', 'h2', 'raw'].map((name) => ({
      name,
      match: { path: `/${name}/*` },
      to: name,
      plugins: [{ 'body-limit': { max: '1GiB' } }],
    })),
  });
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([http1?.close(), http2?.close(), raw?.close()]);
});

const nextExchange = (): Promise<{ request: IncomingMessage; response: ServerResponse }> =>
  new Promise((resolve) => (onRequest = (request, response) => resolve({ request, response })));

const nextStream = (): Promise<ServerHttp2Stream> => new Promise((resolve) => (onStream = resolve));

const urlOf = (path: string): string => `http://127.0.0.1:${gateway.httpPort}${path}`;

describe('an event stream', () => {
  it('arrives event by event, each before the next is sent', async () => {
    const upstream = nextExchange();
    const call = get(urlOf('/h1/events'));
    const { response } = await upstream;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    // The head alone, before any event.
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    expect(answer.headers['content-type']).toBe('text/event-stream');
    for (const n of [1, 2, 3]) {
      const event = once(answer, 'data');
      response.write(`data: ${n}\n\n`);
      expect(String((await event)[0])).toBe(`data: ${n}\n\n`);
    }
    response.end();
    answer.resume();
    await once(answer, 'end');
  });

  it('arrives so over HTTP/2 too, from either kind of upstream', async () => {
    const session = openSession(gateway, true);
    const one = nextExchange();
    const fromHttp1 = session.request({ ':path': '/h1/events' });
    const { response } = await one;
    const two = nextStream();
    const fromHttp2 = session.request({ ':path': '/h2/events' });
    const stream = await two;
    stream.respond({ ':status': 200 });
    response.writeHead(200);
    for (const [source, client] of [
      [response, fromHttp1],
      [stream, fromHttp2],
    ] as const) {
      for (const n of [1, 2, 3]) {
        const event = once(client, 'data');
        source.write(`data: ${n}\n\n`);
        expect(String((await event)[0])).toBe(`data: ${n}\n\n`);
      }
      const ended = once(client, 'end');
      source.end();
      await ended;
    }
  });

  it('goes up as it comes too, byte by byte', async () => {
    const client = await connectRaw(gateway.httpPort);
    client.send('POST /raw/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n');
    const peer = await raw.nextPeer();
    await peer.untilText('\r\n\r\n');
    for (const sent of ['a', 'ab', 'abc']) {
      client.send(sent.slice(-1));
      await peer.untilText(`\r\n\r\n${sent}`);
    }
    peer.send('HTTP/1.1 204 No Content\r\n\r\n');
    await client.untilText('\r\n\r\n');
    expect(peer.text).toMatch(/\r\n\r\nabc$/);
  });
});

describe('a client that reads slowly', { timeout: 60_000 }, () => {
  it('pauses an HTTP/1.1 upstream, and gets all in the end', async () => {
    const upstream = nextExchange();
    const call = get(urlOf('/h1/'));
    const { response } = await upstream;
    response.writeHead(200, { 'content-length': MUCH });
    response.write(Buffer.alloc(MUCH));
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    const socket = response.socket!;
    const taken = await stable(() => socket.bytesWritten - socket.writableLength);
    expect(taken).toBeLessThan(MUCH / 2);
    let received = 0;
    answer.on('data', (chunk: Buffer) => (received += chunk.length));
    response.end();
    await once(answer, 'end');
    expect(received).toBe(MUCH);
  });

  it('pauses an HTTP/2 upstream by its stream alone', async () => {
    const session = openSession(gateway, true);
    const upstream = nextStream();
    const slow = session.request({ ':path': '/h2/' });
    const stream = await upstream;
    // A request that nobody reads makes node end a long answer by RST_STREAM, not END_STREAM.
    stream.resume();
    stream.respond({ ':status': 200 });
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const pump = (): void => {
      while (written < MUCH) {
        written += chunk.length;
        if (!stream.write(chunk)) return;
      }
      stream.end();
    };
    stream.on('drain', pump);
    pump();
    await once(slow, 'response');
    expect(await stable(() => written)).toBeLessThan(MUCH / 2);
    // Beside it, the same connections carry another answer.
    const next = nextStream();
    const quick = session.request({ ':path': '/h2/' });
    const beside = await next;
    beside.respond({ ':status': 200 });
    beside.end('quick');
    expect(String((await once(quick, 'data'))[0])).toBe('quick');
    let received = 0;
    slow.on('data', (part: Buffer) => (received += part.length));
    await once(slow, 'end');
    expect(received).toBe(MUCH);
  });
});

describe('an upstream that reads slowly', { timeout: 60_000 }, () => {
  it('pauses an HTTP/1.1 client', async () => {
    const call = httpRequest(urlOf('/raw/'), {
      method: 'POST',
      headers: { 'content-length': MUCH },
    });
    call.write(Buffer.alloc(MUCH));
    const peer = await raw.nextPeer();
    await peer.untilText('\r\n\r\n');
    const headBytes = peer.text.indexOf('\r\n\r\n') + 4;
    peer.socket.pause();
    const { socket } = call;
    expect(await stable(() => socket!.bytesWritten - socket!.writableLength)).toBeLessThan(
      MUCH / 2,
    );
    peer.socket.resume();
    await peer.until(({ bytes }) => bytes === headBytes + MUCH);
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    call.end();
    await once(call, 'response');
  });

  it('pauses the stream of an HTTP/2 client, and no other', async () => {
    const session = openSession(gateway, true);
    const upload = session.request({ ':path': '/h2/', ':method': 'POST' });
    const upstream = nextStream();
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const pump = (): void => {
      while (written < MUCH) {
        written += chunk.length;
        if (!upload.write(chunk)) return;
      }
      upload.end();
    };
    upload.on('drain', pump);
    pump();
    const stream = await upstream;
    expect(await stable(() => written)).toBeLessThan(MUCH / 2);
    const next = nextStream();
    const quick = session.request({ ':path': '/h2/', ':method': 'POST' });
    quick.end('quick');
    const beside = await next;
    expect(String((await once(beside, 'data'))[0])).toBe('quick');
    beside.respond({ ':status': 204 }, { endStream: true });
    let received = 0;
    stream.on('data', (part: Buffer) => (received += part.length));
    await once(stream, 'end');
    expect(received).toBe(MUCH);
    stream.respond({ ':status': 204 }, { endStream: true });
    await once(upload, 'response');
  });
});
