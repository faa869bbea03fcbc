import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  fetch as undiciFetch,
  interceptors,
  request,
  stream,
  upgrade,
  WebSocket as UndiciWebSocket,
  type Dispatcher,
} from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Service } from '../../../src/mesh/service/service.ts';
import { readBody, type Origin, type OriginHandler } from '../../contracts/upstream-origin.ts';
import { createNodeOrigin, createRawOrigin, listen } from '../transport/http1-origins.ts';
import { createHttp2Origin, createStreamOrigin } from '../transport/http2-origins.ts';
import { createTestDispatcher, echo, type EchoedRequest } from './dispatcher-fixture.ts';
import { createRefusingTarget, serviceFixtures, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

const URL_OF_ORDERS = 'http://orders.mesh/orders/7?full=1';
const MEBIBYTE = 1024 * 1024;

async function openService(pending: Promise<Origin>): Promise<Service> {
  const origin = await open.origin(pending);
  return open.service([toSpec(origin.target)], { protocol: origin.target.protocol }).service;
}

/** The runtime's types know of no dispatcher but its own. */
function through(dispatcher: Dispatcher, init: RequestInit = {}): RequestInit {
  return { ...init, dispatcher } as unknown as RequestInit;
}

/** Sends back what it gets, as it gets it. */
const mirror: OriginHandler = ({ request: received, response }) => {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  received.pipe(response);
};

/** An answer of `bytes`, in pieces, at the reader's pace. */
function flood(bytes: number): OriginHandler {
  return ({ response }) => {
    response.writeHead(200);
    const pieces = function* (): Generator<Buffer> {
      for (let sent = 0; sent < bytes; sent += MEBIBYTE) yield Buffer.alloc(MEBIBYTE, 'm');
    };
    Readable.from(pieces()).pipe(response);
  };
}

const ORIGINS: readonly [string, (handler: OriginHandler) => Promise<Origin>][] = [
  ['HTTP/1.1', (handler) => createNodeOrigin(handler)],
  ['HTTP/2', (handler) => createHttp2Origin(handler)],
];

describe.each(ORIGINS)('over %s', (_version, createOrigin) => {
  it("undici's request sends JSON and reads the answer", async () => {
    const dispatcher = createTestDispatcher(await openService(createOrigin(echo)));
    const { statusCode, headers, body } = await request(URL_OF_ORDERS, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ amount: 5 }),
    });
    const echoed = (await body.json()) as EchoedRequest;
    expect([statusCode, headers['x-twice']]).toEqual([200, ['one', 'two']]);
    expect(echoed).toMatchObject({ method: 'POST', url: '/orders/7?full=1', body: '{"amount":5}' });
    expect(echoed.headers['content-type']).toBe('application/json');
  });

  it("undici's stream pipes the answer at the reader's pace", async () => {
    const dispatcher = createTestDispatcher(await openService(createOrigin(flood(8 * MEBIBYTE))));
    let bytes = 0;
    const sink = new PassThrough();
    sink.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await stream(URL_OF_ORDERS, { dispatcher, method: 'GET' }, () => sink);
    expect(bytes).toBe(8 * MEBIBYTE);
  });

  it.each([
    ["undici's", undiciFetch as unknown as typeof fetch],
    ["the runtime's", fetch],
  ])('%s fetch sends and reads', async (_whose, fetchOf) => {
    const dispatcher = createTestDispatcher(await openService(createOrigin(echo)));
    const init = through(dispatcher, { method: 'PUT', body: 'state' });
    const answer = await fetchOf(URL_OF_ORDERS, init);
    expect([answer.status, answer.headers.get('x-twice')]).toEqual([200, 'one, two']);
    const echoed = (await answer.json()) as EchoedRequest;
    expect(echoed).toMatchObject({ method: 'PUT', body: 'state' });
    expect(echoed.headers['content-length']).toBe('5');
  });

  it.each([
    ["undici's", undiciFetch as unknown as typeof fetch],
    ["the runtime's", fetch],
  ])('%s fetch streams both ways', async (_whose, fetchOf) => {
    const dispatcher = createTestDispatcher(await openService(createOrigin(mirror)));
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 4; i++) yield Buffer.alloc(MEBIBYTE, i);
    };
    const body = ReadableStream.from(pieces());
    const init = through(dispatcher, { method: 'POST', body, duplex: 'half' });
    const answer = await fetchOf(URL_OF_ORDERS, init);
    const back = Buffer.from(await answer.arrayBuffer());
    expect([back.length, back[0], back.at(-1)]).toEqual([4 * MEBIBYTE, 0, 3]);
  });

  it.each([
    ["undici's", undiciFetch as unknown as typeof fetch],
    ["the runtime's", fetch],
  ])("%s fetch that is aborted ends the service's call", async (_whose, fetchOf) => {
    const closed = Promise.withResolvers<void>();
    const service = await openService(
      createOrigin(({ response }) => {
        response.on('close', () => closed.resolve());
        response.writeHead(200);
        response.write('and then');
      }),
    );
    const abort = new AbortController();
    const init = through(createTestDispatcher(service), { signal: abort.signal });
    const answer = await fetchOf(URL_OF_ORDERS, init);
    abort.abort();
    await expect(answer.text()).rejects.toMatchObject({ name: 'AbortError' });
    await closed.promise;
    expect(service.breaker.active).toBe(0);
  });

  it.each([
    ["undici's", undiciFetch as unknown as typeof fetch],
    ["the runtime's", fetch],
  ])('%s fetch sees a truncated answer fail', async (_whose, fetchOf) => {
    const dispatcher = createTestDispatcher(
      await openService(
        createOrigin(({ response, reset }) => {
          response.writeHead(200, { 'content-length': '100' });
          response.write('half', () => reset());
        }),
      ),
    );
    const answer = await fetchOf(URL_OF_ORDERS, through(dispatcher));
    await expect(answer.text()).rejects.toThrow(TypeError);
  });
});

describe('signals', () => {
  it("end undici's request before its answer, and one that never begins", async () => {
    const service = await openService(createRawOrigin(() => {}));
    const dispatcher = createTestDispatcher(service);
    const abort = new AbortController();
    const pending = request(URL_OF_ORDERS, { dispatcher, signal: abort.signal });
    expect(service.breaker.active).toBe(1);
    abort.abort();
    expect(service.breaker.active).toBe(0);
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    const late = request(URL_OF_ORDERS, { dispatcher, signal: AbortSignal.abort() });
    await expect(late).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a service that cannot be reached', () => {
  it('fails a fetch with its cause', async () => {
    const { service } = open.service([toSpec(await createRefusingTarget())]);
    const dispatcher = createTestDispatcher(service);
    for (const fetchOf of [undiciFetch as unknown as typeof fetch, fetch]) {
      await expect(fetchOf(URL_OF_ORDERS, through(dispatcher))).rejects.toMatchObject({
        message: 'fetch failed',
        cause: { code: 'ECONNREFUSED' },
      });
      await expect(fetchOf('http://nope.mesh/', through(dispatcher))).rejects.toMatchObject({
        cause: { code: 'ENOTFOUND' },
      });
    }
  });
});

describe("undici's upgrade", () => {
  it('gives the tunnel', async () => {
    const service = await openService(
      createRawOrigin(({ socket, head }) => {
        const protocol = /upgrade: (.+)/i.exec(head)![1];
        socket.write(`HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\nhi`);
      }),
    );
    const dispatcher = createTestDispatcher(service);
    const { socket, headers } = await upgrade(URL_OF_ORDERS, { dispatcher, protocol: 'chat/2' });
    expect(headers['upgrade']).toBe('chat/2');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('hi');
    socket.destroy();
  });

  it('fails where the service answers otherwise', async () => {
    const dispatcher = createTestDispatcher(await openService(createNodeOrigin(echo)));
    await expect(upgrade(URL_OF_ORDERS, { dispatcher })).rejects.toMatchObject({
      code: 'UND_ERR_SOCKET',
    });
  });
});

describe.each([
  ["undici's", UndiciWebSocket as unknown as typeof WebSocket],
  ["the runtime's", WebSocket],
])('%s WebSocket', (_whose, WebSocketOf) => {
  async function converse(service: Service): Promise<unknown> {
    const dispatcher = createTestDispatcher(service);
    const socket = new WebSocketOf('ws://orders.mesh/chat', { dispatcher } as unknown as string);
    await once(socket, 'open');
    socket.send('hello');
    const [{ data }] = (await once(socket, 'message')) as [MessageEvent];
    const closed = once(socket, 'close');
    socket.close();
    await closed;
    return data;
  }

  it('talks with a service over HTTP/1.1', async () => {
    const server = createHttpServer();
    const webSockets = new WebSocketServer({ server });
    webSockets.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => socket.send(`${data.toString()} yourself`));
    });
    onTestFinished(() => webSockets.close());
    expect(await converse(await openService(listen(server, 'http1')))).toBe('hello yourself');
  });

  it('talks with a service over HTTP/2', async () => {
    const service = await openService(
      createStreamOrigin(
        (tunnel, headers) => {
          expect(headers[':protocol']).toBe('websocket');
          tunnel.respond({ ':status': 200 });
          tunnel.once('data', () => tunnel.write(Buffer.from('\x81\x03yes', 'latin1')));
          tunnel.on('data', (frame: Buffer) => {
            // The client's Close frame is answered by ours.
            if ((frame[0]! & 0x0f) === 8) tunnel.end(Buffer.from([0x88, 0]));
          });
        },
        { settings: { enableConnectProtocol: true } },
      ),
    );
    expect(await converse(service)).toBe('yes');
  });
});

describe('interceptors', () => {
  it('of undici compose with the dispatcher', async () => {
    const service = await openService(
      createNodeOrigin(({ request: received, response }) => {
        void readBody(received).then(() => {
          const isFirst = received.url === '/first';
          response.writeHead(isFirst ? 302 : 200, isFirst ? { location: '/second' } : {});
          response.end(received.url);
        });
      }),
    );
    const dispatcher = createTestDispatcher(service).compose(
      interceptors.redirect({ maxRedirections: 1 }),
    );
    const { body } = await request('http://orders.mesh/first', { dispatcher });
    expect((await buffer(body)).toString()).toBe('/second');
  });
});
