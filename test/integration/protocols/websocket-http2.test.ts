/** WebSocket where HTTP/2 is on one side of the gateway or on both (RFC 8441), and the gateway's leave-taking. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { listen, startHttp2Origin, type TestOrigin } from './origins.ts';
import { closeCodeIn, parseFrames, toClose, toFrame } from './websocket-frames.ts';
import { extendedConnect, openTunnelSession, readFrames, say } from './websocket-http2-client.ts';

let http1: TestOrigin;
let http2: TestOrigin;
let incapable: TestOrigin;
let server: WebSocketServer;
/** The last handshake that the HTTP/2 upstream saw. */
let handshake: IncomingHttpHeaders;

beforeAll(async () => {
  server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('v2') ? 'v2' : false),
  });
  server.on(
    'connection',
    (socket: WebSocket, request: { headers: IncomingHttpHeaders; method?: string }) => {
      socket.on('error', () => undefined);
      socket.on('message', (data: Buffer, isBinary) => {
        if (data.toString() === 'fields')
          socket.send(JSON.stringify([request.method, request.headers]));
        else socket.send(data, { binary: isBinary });
      });
    },
  );
  const http = createServer();
  http.on('upgrade', (request, socket, head) => {
    if (request.url === '/h1/forbidden') {
      socket.end('HTTP/1.1 403 Forbidden\r\nX-Why: not you\r\nContent-Length: 2\r\n\r\nno');
      return;
    }
    if (request.url === '/h1/forged') {
      // RFC 6455's own example: the answer to a key that nobody sent.
      socket.end(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
      );
      return;
    }
    server.handleUpgrade(request, socket, head, (webSocket) =>
      server.emit('connection', webSocket, request),
    );
  });
  http1 = await listen(http);
  http2 = await startHttp2Origin(
    (stream, headers) => {
      handshake = headers;
      if (headers[':path'] === '/h2/forbidden') {
        stream.respond({ ':status': 403, 'x-why': 'not you' });
        stream.end('no');
        return;
      }
      // An accept that answers no key of ours must not reach a client either.
      stream.respond({
        ':status': 200,
        'sec-websocket-protocol': 'v2',
        'sec-websocket-accept': 'x',
      });
      stream.on('data', (chunk: Buffer) => {
        for (const { opcode, payload } of parseFrames(chunk)) {
          stream.write(toFrame(opcode, payload, { masked: false }));
        }
      });
      stream.on('end', () => stream.end());
    },
    { settings: { enableConnectProtocol: true } },
  );
  incapable = await startHttp2Origin((stream) =>
    stream.respond({ ':status': 200 }, { endStream: true }),
  );
});

afterAll(async () => {
  for (const client of server?.clients ?? []) client.terminate();
  await Promise.all([http1?.close(), http2?.close(), incapable?.close()]);
});

const startTestGateway = (): Promise<TestGateway> =>
  startGateway({
    services: {
      h1: { endpoints: [{ address: http1.address }] },
      h2: { protocol: 'h2c', endpoints: [{ address: http2.address }] },
      incapable: { protocol: 'h2c', endpoints: [{ address: incapable.address }] },
    },
    routes: ['h1', 'h2', 'incapable'].map((name) => ({
      name,
      match: { path: `/${name}/*` },
      to: name,
    })),
  });

describe('a WebSocket', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });

  afterAll(() => gateway?.stop());

  describe.for([
    ['h2c', false],
    ['h2', true],
  ] as const)('over %s', ([, tls]) => {
    it('reaches an HTTP/1.1 upstream as an upgrade', async () => {
      const session = await openTunnelSession(gateway, tls);
      const stream = extendedConnect(session, '/h1/a?b');
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      expect(headers).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'v2' });
      for (const name of ['sec-websocket-accept', 'connection', 'upgrade']) {
        expect(headers).not.toHaveProperty(name);
      }
      const frames = readFrames(stream);
      say(stream, 'one');
      expect(await frames.next()).toBe('one');
      say(stream, 'fields');
      const [method, fields] = JSON.parse(await frames.next());
      expect(method).toBe('GET');
      expect(fields).toMatchObject({
        host: 'chat.test',
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'v3, v2',
        origin: 'https://chat.test',
        via: '2.0 meshgate',
      });
      stream.write(toClose(1000, true));
      await once(stream, 'end');
      expect(closeCodeIn(frames.bytes)).toBe(1000);
    });

    it('that the upstream refuses is answered as any request', async () => {
      const session = await openTunnelSession(gateway, tls);
      for (const path of ['/h1/forbidden', '/h2/forbidden']) {
        const stream = extendedConnect(session, path);
        const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
        expect(headers).toMatchObject({ ':status': 403, 'x-why': 'not you' });
        let body = '';
        for await (const chunk of stream) body += String(chunk);
        expect(body).toBe('no');
      }
    });

    it('is refused with 502 where the upstream answers another handshake', async () => {
      const stream = extendedConnect(await openTunnelSession(gateway, tls), '/h1/forged');
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      expect(headers[':status']).toBe(502);
      let body = '';
      for await (const chunk of stream) body += String(chunk);
      expect(JSON.parse(body)).toMatchObject({ code: 'upstream_protocol_error' });
    });

    it('has none of the fields of HTTP/1.1 in its answer, whatever the upstream says', async () => {
      const stream = extendedConnect(await openTunnelSession(gateway, tls), '/h2/');
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      expect(headers).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'v2' });
      expect(headers).not.toHaveProperty('sec-websocket-accept');
      stream.close();
    });

    it('shares its connection with requests and other WebSockets', async () => {
      const session = await openTunnelSession(gateway, tls);
      const streams = [extendedConnect(session, '/h1/1'), extendedConnect(session, '/h2/2')];
      await Promise.all(streams.map((stream) => once(stream, 'response')));
      const request = session.request({ ':path': '/incapable/' });
      const [headers] = (await once(request, 'response')) as [IncomingHttpHeaders];
      expect(headers[':status']).toBe(200);
      request.close();
      for (const stream of streams) {
        const frames = readFrames(stream);
        say(stream, 'still here');
        expect(await frames.next()).toBe('still here');
      }
    });

    it('that the client resets is ended at the upstream', async () => {
      const connected = once(server, 'connection');
      const session = await openTunnelSession(gateway, tls);
      const stream = extendedConnect(session, '/h1/');
      await once(stream, 'response');
      const [peer] = (await connected) as [WebSocket];
      const closed = once(peer, 'close');
      stream.close(8);
      expect((await closed)[0]).toBe(1006);
    });
  });

  it('over HTTP/1.1 reaches an HTTP/2 upstream as an extended CONNECT', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.httpPort}/h2/x?y`, ['v3', 'v2'], {
      perMessageDeflate: false,
    });
    onTestFinished(() => socket.terminate());
    // The client checks Sec-WebSocket-Accept against its key, and `ws` takes no second one.
    await once(socket, 'open');
    expect(socket.protocol).toBe('v2');
    expect(handshake).toMatchObject({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/h2/x?y',
      'sec-websocket-protocol': 'v3,v2',
    });
    expect(handshake).not.toHaveProperty('sec-websocket-key');
    const answered = once(socket, 'message');
    socket.send('over both');
    expect(String((await answered)[0])).toBe('over both');
    const closed = once(socket, 'close');
    socket.close(1000);
    expect((await closed)[0]).toBe(1000);
  });

  it('over HTTP/1.1 that an HTTP/2 upstream refuses gets its answer', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.httpPort}/h2/forbidden`);
    socket.on('error', () => undefined);
    const [, response] = await once(socket, 'unexpected-response');
    expect([response.statusCode, response.headers['x-why']]).toEqual([403, 'not you']);
  });

  it('is refused with 502 where the upstream knows no WebSocket over HTTP/2', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.httpPort}/incapable/`);
    socket.on('error', () => undefined);
    const [, response] = await once(socket, 'unexpected-response');
    expect(response.statusCode).toBe(502);
  });
});

describe('a gateway that stops', () => {
  it('closes WebSockets with 1001, whichever HTTP brought them and took them on', async () => {
    const gateway = await startTestGateway();
    onTestFinished(() => gateway.stop());
    const connected = once(server, 'connection');
    const clear = new WebSocket(`ws://127.0.0.1:${gateway.httpPort}/h1/`);
    const opened = once(clear, 'open');
    const [peer] = (await connected) as [WebSocket];
    const secure = new WebSocket(`wss://localhost:${gateway.httpsPort}/h2/`, 'v2', {
      rejectUnauthorized: false,
      perMessageDeflate: false,
    });
    // It may be open before the session is.
    const secured = once(secure, 'open');
    const session = await openTunnelSession(gateway, true);
    const stream = extendedConnect(session, '/h1/');
    const frames = readFrames(stream);
    await Promise.all([opened, secured, once(stream, 'response')]);
    const codes = Promise.all([once(clear, 'close'), once(secure, 'close'), once(peer, 'close')]);
    const ended = once(stream, 'end');
    const stopped = gateway.stop();
    expect((await codes).map(([code]) => code as number)).toEqual([1001, 1001, 1001]);
    await ended;
    expect(closeCodeIn(frames.bytes)).toBe(1001);
    await stopped;
  });
});
