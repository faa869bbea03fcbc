/** WebSocket through the whole gateway, with the `ws` package as client and as server. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { listen, type TestOrigin } from './origins.ts';

const KEY = 'a-key-of-thirty-two-characters-ab';

let origin: TestOrigin;
let server: WebSocketServer;
let gateway: TestGateway;

beforeAll(async () => {
  const http = createServer((_request, response) => response.writeHead(426).end('WebSocket only'));
  server = new WebSocketServer({
    server: http,
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false),
  });
  server.on('connection', (socket, request) => {
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer, isBinary) => {
      const text = isBinary ? '' : data.toString();
      if (text.startsWith('close ')) socket.close(Number(text.slice(6)), 'as you wish');
      else if (text === 'where') socket.send(`${request.headers.host} ${request.url}`);
      else if (text === 'fields') socket.send(JSON.stringify(request.headers));
      else socket.send(data, { binary: isBinary });
    });
  });
  origin = await listen(http);
  const service = { endpoints: [{ address: origin.address }] };
  gateway = await startGateway({
    services: {
      chat: service,
      hasty: { ...service, timeouts: { response: '1s' } },
      idle: { ...service, timeouts: { idle: '150ms' } },
    },
    routes: [
      { name: 'chat', match: { path: '/chat/*' }, to: 'chat' },
      { name: 'hasty', match: { path: '/hasty/*' }, to: 'hasty', timeout: '1s' },
      { name: 'idle', match: { path: '/idle/*' }, to: 'idle' },
      {
        name: 'keyed',
        match: { path: '/keyed/*' },
        to: 'chat',
        rewrite: { stripPrefix: '/keyed' },
        plugins: [{ 'api-key': { query: 'key' } }],
      },
      {
        name: 'changed',
        match: { path: '/changed/*' },
        to: 'chat',
        plugins: [
          {
            headers: {
              request: { set: { 'x-added': 'yes' } },
              response: { set: { 'x-answer': 'yes' } },
            },
          },
        ],
      },
    ],
    consumers: [
      {
        name: 'acme',
        apiKeys: [{ hash: `sha256:${createHash('sha256').update(KEY).digest('hex')}` }],
      },
    ],
  });
});

afterAll(async () => {
  await gateway?.stop();
  for (const client of server?.clients ?? []) client.terminate();
  await origin?.close();
});

function open(path: string, protocols: string[] = [], options: ClientOptions = {}): WebSocket {
  return tended(new WebSocket(`ws://127.0.0.1:${gateway.httpPort}${path}`, protocols, options));
}

function openSecure(path: string): WebSocket {
  const url = `wss://localhost:${gateway.httpsPort}${path}`;
  return tended(new WebSocket(url, { rejectUnauthorized: false }));
}

function tended(socket: WebSocket): WebSocket {
  // A refused handshake ends in an error of its own.
  socket.on('error', () => undefined);
  onTestFinished(() => socket.terminate());
  return socket;
}

async function ask(
  socket: WebSocket,
  data: string | Buffer,
): Promise<{ data: Buffer; binary: boolean }> {
  const answered = once(socket, 'message');
  socket.send(data);
  const [reply, binary] = (await answered) as [Buffer, boolean];
  return { data: reply, binary };
}

/** The status of a refused handshake, and its answer's fields and body. */
async function refusal(
  socket: WebSocket,
): Promise<{ status: number; headers: object; body: string }> {
  const [, response] = await once(socket, 'unexpected-response');
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}

describe.for(['http', 'https'] as const)('a WebSocket through an %s listener', (kind) => {
  const connect = async (path: string): Promise<WebSocket> => {
    const socket = kind === 'http' ? open(path) : openSecure(path);
    await once(socket, 'open');
    return socket;
  };

  it('carries text and bytes, compressed where both agreed to', async () => {
    const socket = await connect('/chat/a?b=c');
    expect(socket.extensions).toBe('permessage-deflate');
    expect(await ask(socket, 'hällo')).toEqual({ data: Buffer.from('hällo'), binary: false });
    const bytes = Buffer.from([0, 1, 128, 255]);
    expect(await ask(socket, bytes)).toEqual({ data: bytes, binary: true });
    expect(String((await ask(socket, 'where')).data)).toMatch(/:\d+ \/chat\/a\?b=c$/);
  });

  it('carries messages of megabytes', async () => {
    const socket = await connect('/chat/');
    const message = Buffer.alloc(4 * 1024 * 1024, 'x');
    const { data } = await ask(socket, message);
    expect(data.equals(message)).toBe(true);
  });

  it('carries a message in fragments, with a ping between them', async () => {
    const socket = await connect('/chat/');
    const pong = once(socket, 'pong');
    const answered = once(socket, 'message');
    socket.send('one ', { fin: false });
    socket.ping('are you there');
    socket.send('two ', { fin: false });
    socket.send('three', { fin: true });
    expect(String((await pong)[0])).toBe('are you there');
    expect(String((await answered)[0])).toBe('one two three');
  });

  it("brings the server's ping to the client, and the client's pong back", async () => {
    const connected = once(server, 'connection');
    const socket = await connect('/chat/');
    const [peer] = (await connected) as [WebSocket];
    const pinged = once(socket, 'ping');
    const pong = once(peer, 'pong');
    peer.ping('hey');
    expect(String((await pinged)[0])).toBe('hey');
    expect(String((await pong)[0])).toBe('hey');
  });

  it('tells the client how the server closed', async () => {
    const socket = await connect('/chat/');
    const closed = once(socket, 'close');
    socket.send('close 4321');
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([4321, 'as you wish']);
  });

  it('tells the server how the client closed', async () => {
    const connected = once(server, 'connection');
    const socket = await connect('/chat/');
    const [peer] = (await connected) as [WebSocket];
    const closed = once(peer, 'close');
    const answered = once(socket, 'close');
    socket.close(3456, 'enough');
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([3456, 'enough']);
    expect((await answered)[0]).toBe(3456);
  });

  it('tells either side that the other has vanished', async () => {
    for (const vanish of ['client', 'server']) {
      const connected = once(server, 'connection');
      const socket = await connect('/chat/');
      const [peer] = (await connected) as [WebSocket];
      const closed = once(vanish === 'client' ? peer : socket, 'close');
      (vanish === 'client' ? socket : peer).terminate();
      expect((await closed)[0]).toBe(1006);
    }
  });
});

describe('a WebSocket handshake', () => {
  it("ends in the upstream's choice of subprotocol", async () => {
    const socket = open('/chat/', ['chat.v3', 'chat.v2', 'chat.v1']);
    await once(socket, 'open');
    expect(socket.protocol).toBe('chat.v2');
  });

  it('tells the upstream of the client, as any request does', async () => {
    const socket = open('/chat/', [], { headers: { cookie: 'a=1', 'x-forwarded-for': '9.9.9.9' } });
    await once(socket, 'open');
    const fields = JSON.parse(String((await ask(socket, 'fields')).data)) as Record<string, string>;
    expect(fields).toMatchObject({
      cookie: 'a=1',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      via: '1.1 meshgate',
      connection: 'Upgrade',
      upgrade: 'websocket',
    });
    expect(fields['x-request-id']).toMatch(/./);
  });

  it('goes through the plugins of its route', async () => {
    const socket = open('/changed/');
    const upgraded = once(socket, 'upgrade');
    await once(socket, 'open');
    const [response] = await upgraded;
    expect(response.headers['x-answer']).toBe('yes');
    const fields = JSON.parse(String((await ask(socket, 'fields')).data)) as Record<string, string>;
    expect(fields['x-added']).toBe('yes');
  });

  it('without the credential that a plugin wants is refused with 401, and reaches no upstream', async () => {
    let connections = 0;
    const count = (): void => void connections++;
    server.on('connection', count);
    onTestFinished(() => void server.off('connection', count));
    const { status, headers, body } = await refusal(open('/keyed/'));
    expect(status).toBe(401);
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'www-authenticate': 'ApiKey realm="meshgate"',
    });
    expect(JSON.parse(body)).toMatchObject({ code: 'unauthenticated' });
    expect(connections).toBe(0);
  });

  it('with it goes on, and the credential stays here', async () => {
    for (const [path, headers] of [
      ['/keyed/x', { 'x-api-key': KEY }],
      [`/keyed/x?a=1&key=${KEY}&b=2`, {}],
    ] as const) {
      const socket = open(path, [], { headers });
      await once(socket, 'open');
      expect(String((await ask(socket, 'where')).data)).not.toContain('key=');
      expect(String((await ask(socket, 'fields')).data)).not.toContain(KEY);
    }
  });

  it('that no route takes is refused with 404', async () => {
    const { status, body } = await refusal(open('/nowhere'));
    expect(status).toBe(404);
    expect(JSON.parse(body)).toMatchObject({ code: 'no_route' });
  });
});

describe('an open WebSocket', () => {
  it('outlives the timeouts of its route and of the answer', async () => {
    const socket = open('/hasty/');
    await once(socket, 'open');
    const until = performance.now() + 1500;
    let rounds = 0;
    while (performance.now() < until) {
      await ask(socket, `still here ${rounds++}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it('that is silent for the idle time is closed with 1001 on both sides', async () => {
    const connected = once(server, 'connection');
    const socket = open('/idle/');
    const closed = once(socket, 'close');
    const [peer] = (await connected) as [WebSocket];
    const peerClosed = once(peer, 'close');
    expect((await closed)[0]).toBe(1001);
    expect((await peerClosed)[0]).toBe(1001);
  });

  it('is logged with what went both ways, when it is over', async () => {
    const socket = open('/chat/logged');
    await once(socket, 'open');
    await ask(socket, 'x'.repeat(50));
    socket.close();
    const line = await gateway.waitForLog(({ path }) => path === '/chat/logged');
    expect(line).toMatchObject({ status: 101, route: 'chat' });
    expect(line['bytes_in']).toBeGreaterThan(0);
    expect(line['bytes_out']).toBeGreaterThan(0);
  });
});
