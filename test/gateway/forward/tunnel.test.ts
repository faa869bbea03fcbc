/** Tunnels: bytes both ways, half-close, and a leave-taking that no frame is torn by. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { GOING_AWAY } from '../../../src/gateway/exchange/going-away.ts';
import { closeFrame } from '../../../src/gateway/forward/tunnel-frames.ts';
import { joinTunnel, type Tunnel } from '../../../src/gateway/forward/tunnel.ts';
import { textFrame } from './frames.ts';
import { upgradeClient, upgradeServer } from './websocket-peers.ts';

function listen(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
}

/** Two connected sockets. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true });
  const port = await listen(server);
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [far] = (await once(server, 'connection')) as [Socket];
  for (const socket of [near, far]) {
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
  }
  return [near, far];
}

interface Joined {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly inner: Socket;
  readonly tunnel: Tunnel;
  readonly closed: Promise<[number, number]>;
}

async function join(idleTimeoutMs = 0): Promise<Joined> {
  const [client, inner] = await pair();
  const [upstream, outer] = await pair();
  const { promise, resolve } = Promise.withResolvers<[number, number]>();
  const tunnel = joinTunnel(inner, outer, {
    idleTimeoutMs,
    onClosed: (up, down) => resolve([up, down]),
  });
  return { client, upstream, inner, tunnel, closed: promise };
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const farewell = closeFrame(1001, false);

describe('joinTunnel', () => {
  it('relays both ways and counts', async () => {
    const { client, upstream, closed } = await join();
    client.write('ping');
    expect(((await once(upstream, 'data')) as [Buffer])[0].toString()).toBe('ping');
    upstream.write('pong!');
    expect(((await once(client, 'data')) as [Buffer])[0].toString()).toBe('pong!');
    client.end();
    upstream.end();
    expect(await closed).toEqual([4, 5]);
  });

  it('passes a half-close on and lets the other side go on', async () => {
    const { client, upstream, closed } = await join();
    client.end('question');
    expect((await readAll(upstream)).toString()).toBe('question');
    upstream.end('answer');
    expect((await readAll(client)).toString()).toBe('answer');
    expect(await closed).toEqual([8, 6]);
  });

  it('holds back a sender whose receiver is slow, and loses nothing', async () => {
    const { client, upstream, inner, closed } = await join();
    const total = 64 * 1024 * 1024;
    upstream.pause();
    client.end(Buffer.alloc(total));
    await new Promise<void>((resolve) => inner.once('pause', resolve));
    expect(inner.bytesRead).toBeLessThan(total);
    let received = 0;
    upstream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    upstream.on('end', () => upstream.end());
    upstream.resume();
    client.resume();
    expect(await closed).toEqual([total, 0]);
    expect(received).toBe(total);
  });

  it.for(['client', 'upstream'] as const)('ends both sides when the %s is reset', async (who) => {
    const joined = await join();
    const other = who === 'client' ? joined.upstream : joined.client;
    joined[who].resetAndDestroy();
    const gone = once(other, 'close');
    other.resume();
    expect(await joined.closed).toEqual([0, 0]);
    other.end();
    await gone;
  });

  it('ends when a side had gone before it was joined', async () => {
    const [, inner] = await pair();
    const [upstream, outer] = await pair();
    inner.destroy();
    await once(inner, 'close');
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = once(upstream, 'end');
    joinTunnel(inner, outer, { idleTimeoutMs: 0, onClosed: () => resolve() });
    await promise;
    upstream.resume();
    await ended;
    expect(outer.destroyed).toBe(true);
  });

  it('passes on the end of a side that had ended before it was joined', async () => {
    const [client, inner] = await pair();
    const [upstream, outer] = await pair();
    client.end();
    inner.resume();
    await once(inner, 'end');
    const ended = once(upstream, 'end');
    const { promise, resolve } = Promise.withResolvers<[number, number]>();
    joinTunnel(inner, outer, { idleTimeoutMs: 0, onClosed: (up, down) => resolve([up, down]) });
    upstream.resume();
    await ended;
    upstream.end('bye');
    expect((await readAll(client)).toString()).toBe('bye');
    expect(await promise).toEqual([0, 3]);
  });

  it('tells both sides 1001 when nothing has passed for the idle time', async () => {
    const { client, upstream, closed } = await join(100);
    upstream.resume();
    expect(await readAll(client)).toEqual(farewell);
    await closed;
  });
});

describe('close(1001)', () => {
  // What it measures is a timer of a second that is not waited for.
  it(
    'puts a masked Close frame up and a plain one down, and ends when both have answered',
    { retry: 2 },
    async () => {
      const { client, upstream, tunnel, closed } = await join();
      tunnel.close(1001);
      const [down] = (await once(client, 'data')) as [Buffer];
      expect(down).toEqual(Buffer.from([0x88, 2, 0x03, 0xe9]));
      const [up] = (await once(upstream, 'data')) as [Buffer];
      expect(up.subarray(0, 2)).toEqual(Buffer.from([0x88, 0x82]));
      expect(up.length).toBe(8);
      expect([up[6]! ^ up[2]!, up[7]! ^ up[3]!]).toEqual([0x03, 0xe9]);
      const began = performance.now();
      client.write(closeFrame(1001, true));
      upstream.write(farewell);
      await closed;
      expect(performance.now() - began).toBeLessThan(900);
    },
  );

  it('gives peers that do not answer a second', async () => {
    const { client, upstream, tunnel, closed } = await join();
    client.resume();
    upstream.resume();
    const began = performance.now();
    tunnel.close(1001);
    await closed;
    expect(performance.now() - began).toBeGreaterThan(900);
  });

  it.for([10, 200, 70_000])('waits for the end of a frame of %i bytes', async (length) => {
    const { client, upstream, tunnel, closed } = await join();
    const whole = textFrame(length);
    const head = whole.subarray(0, 7);
    upstream.write(head);
    const received: Buffer[] = [];
    client.on('data', (chunk: Buffer) => received.push(chunk));
    await once(client, 'data');
    tunnel.close(1001);
    await once(upstream, 'data');
    expect(Buffer.concat(received)).toEqual(head);
    // What comes behind the frame is not sent: nothing may follow a Close frame.
    upstream.write(Buffer.concat([whole.subarray(7), textFrame(5), farewell]));
    client.on('data', (chunk: Buffer) => {
      if (chunk.includes(farewell)) client.write(closeFrame(1001, true));
    });
    await closed;
    expect(Buffer.concat(received)).toEqual(Buffer.concat([whole, farewell]));
  });

  it('says nothing after a Close frame that the peer has sent itself', async () => {
    const { client, upstream, tunnel, closed } = await join();
    const own = closeFrame(1000, false);
    upstream.write(own);
    const received: Buffer[] = [];
    client.on('data', (chunk: Buffer) => received.push(chunk));
    await once(client, 'data');
    tunnel.close(1001);
    client.write(closeFrame(1000, true));
    await closed;
    expect(Buffer.concat(received)).toEqual(own);
  });

  it('is what a draining listener asks for through the client stream', async () => {
    const { client, upstream, inner, closed } = await join();
    upstream.resume();
    inner.emit(GOING_AWAY);
    const [down] = (await once(client, 'data')) as [Buffer];
    expect(down).toEqual(farewell);
    client.end();
    upstream.end();
    await closed;
  });

  it('is understood by WebSocket peers in the middle of their talk', async () => {
    const server = new WebSocketServer({ noServer: true });
    const [near, far] = await pair();
    const [client, inner] = await pair();
    // The handshake is no part of a tunnel: each peer is given its own.
    const upstreamSide = await upgradeServer(server, far, near);
    const clientSide = await upgradeClient(client, inner);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const tunnel = joinTunnel(inner, near, { idleTimeoutMs: 0, onClosed: () => resolve() });
    upstreamSide.on('message', (data: Buffer) => upstreamSide.send(data));
    const echoed = new Promise<void>((done) => {
      let count = 0;
      clientSide.on('message', () => {
        if (++count === 20) done();
        if (clientSide.readyState === WebSocket.OPEN) clientSide.send(Buffer.alloc(100_000));
      });
    });
    clientSide.send(Buffer.alloc(100_000));
    clientSide.send(Buffer.alloc(70_000));
    await echoed;
    const ends = Promise.all([once(clientSide, 'close'), once(upstreamSide, 'close')]);
    tunnel.close(1001);
    const [[clientCode], [upstreamCode]] = await ends;
    expect([clientCode, upstreamCode]).toEqual([1001, 1001]);
    await closed;
  });
});
