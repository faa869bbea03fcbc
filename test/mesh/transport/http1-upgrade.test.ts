import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { createRawOrigin, listen } from './http1-origins.ts';
import { fetchOnce, record, upstreamFixtures } from './http1-test-upstream.ts';

const open = upstreamFixtures();
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

describe('an upgrade over HTTP/1.1', () => {
  it('hands over the socket with the bytes that came with the 101', async () => {
    const { upstream } = await open(
      createRawOrigin(({ socket, head }) => {
        expect(head).toContain('\r\nConnection: Upgrade\r\nUpgrade: echo');
        socket.removeAllListeners('data');
        socket.on('data', (chunk) => socket.write(chunk.toString().toUpperCase()));
        socket.write(`${SWITCH}welcome`);
      }),
    );
    const sink = record(upstream, { upgrade: 'echo' });
    await sink.until(() => sink.isOver);
    expect(sink.calls).toEqual(['sent', 'upgrade']);
    expect([sink.status, sink.reason]).toEqual([101, 'Switching Protocols']);
    expect(sink.values('upgrade')).toEqual(['echo']);
    const tunnel = sink.tunnel!;
    let text = '';
    tunnel.on('data', (chunk: Buffer) => (text += chunk.toString()));
    tunnel.write('hello');
    while (!text.includes('HELLO')) await once(tunnel, 'data');
    expect(text).toBe('welcomeHELLO');
    tunnel.destroy();
  });

  it('leaves the pool, which neither counts nor ends the tunnel', async () => {
    const { upstream } = await open(
      createRawOrigin(({ socket }) => {
        socket.removeAllListeners('data');
        socket.pipe(socket);
        socket.write(SWITCH);
      }),
      { maxConnections: 1 },
    );
    const sink = record(upstream, { upgrade: 'echo' });
    await sink.until(() => sink.isOver);
    expect(upstream.connections).toBe(0);
    const second = record(upstream, { upgrade: 'echo' });
    await second.until(() => second.isOver);
    await upstream.close();
    upstream.destroy();
    const tunnel = sink.tunnel!;
    expect(tunnel.listenerCount('data')).toBe(0);
    tunnel.write('still here');
    expect(String((await once(tunnel, 'data'))[0])).toBe('still here');
    tunnel.destroy();
    second.tunnel!.destroy();
  });

  it('tells the tunnel of its end', async () => {
    const { upstream } = await open(
      createRawOrigin(({ socket }) => {
        socket.removeAllListeners('data');
        socket.end(`${SWITCH}bye`);
      }),
    );
    const sink = record(upstream, { upgrade: 'echo' });
    await sink.until(() => sink.isOver);
    const tunnel = sink.tunnel!;
    let text = '';
    tunnel.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(tunnel, 'end');
    expect(text).toBe('bye');
    tunnel.destroy();
  });

  it('survives the loss of a tunnel that nobody listens to yet', async () => {
    const peer = Promise.withResolvers<Socket>();
    const { upstream } = await open(
      createRawOrigin(({ socket }) => {
        socket.write(SWITCH);
        peer.resolve(socket);
      }),
    );
    const sink = record(upstream, { upgrade: 'echo' });
    await sink.until(() => sink.isOver);
    // `once` would listen for errors too.
    const closed = new Promise((resolve) => sink.tunnel!.on('close', resolve));
    (await peer.promise).resetAndDestroy();
    await closed;
    expect(sink.tunnel!.destroyed).toBe(true);
  });

  it.each([
    ['another protocol', SWITCH.replace('Upgrade: echo', 'Upgrade: h2c')],
    ['no protocol', SWITCH.replace('Upgrade: echo\r\n', '')],
  ])('fails where the upstream switches to %s', async (_, answer) => {
    const { upstream } = await open(createRawOrigin(({ socket }) => socket.write(answer)));
    const sink = record(upstream, { upgrade: 'echo' });
    expect(await sink.failed()).toMatchObject({ failure: 'protocol' });
  });

  it('relays any other answer, and uses the connection again', async () => {
    const { origin, upstream } = await open(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      }),
    );
    const sink = await fetchOnce(upstream, { upgrade: 'echo' });
    expect([sink.status, sink.text]).toEqual([403, 'no']);
    expect((await fetchOnce(upstream)).reused).toBe(true);
    expect(origin.accepted()).toBe(1);
  });

  it("carries a WebSocket server's handshake and frames", async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server, handleProtocols: () => 'chat.v2' });
    sockets.on('connection', (peer) =>
      peer.on('message', (data, binary) => peer.send(data, { binary })),
    );
    const { upstream } = await open(listen(server, 'http1'));
    const headers = [
      ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Protocol', 'chat.v1, chat.v2'],
    ].flat();
    const sink = record(upstream, { upgrade: 'websocket', headers });
    await sink.until(() => sink.isOver);
    expect(sink.values('sec-websocket-protocol')).toEqual(['chat.v2']);
    // RFC 6455 §1.3 gives the answer to this key.
    expect(sink.values('sec-websocket-accept')).toEqual(['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
    const tunnel = sink.tunnel!;
    // A masked text frame "hi" with a mask of zeros, and its unmasked echo (§5.2).
    tunnel.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    const [echo] = (await once(tunnel, 'data')) as [Buffer];
    expect([...echo]).toEqual([0x81, 0x02, 0x68, 0x69]);
    tunnel.destroy();
    sockets.close();
  });
});
