/** Upgrades over HTTP/1.1: only to WebSocket, and answered like any request where refused. */
import { describe, expect, it } from 'vitest';
import { openListener } from '../../listener/open-listener.ts';
import { FakeDoor, pour } from '../fake-door.ts';
import { connectRaw, parseAnswer } from '../raw-client.ts';

const upgrade =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\n';

describe('an upgrade to WebSocket', () => {
  it('hands over the connection with the bytes behind the request', async () => {
    const door = new FakeDoor((_intake, downstream) => {
      const socket = downstream.upgrade(101, 'Switching Protocols', [
        'Sec-WebSocket-Accept',
        'x',
        'connection',
        'upgrade',
        'upgrade',
        'websocket',
      ]);
      socket.on('data', (chunk: Buffer) => socket.write(`<${chunk.toString()}>`));
    });
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(`${upgrade}early`);
    await client.untilText('<early>');
    await client.send('later').untilText('<later>');
    expect(client.text).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n<early><later>',
    );
    expect(door.served[0]).toMatchObject({ upgrade: 'websocket', target: '/chat', authority: 'a' });
    expect(door.served[0]!.headers).toContain('Sec-WebSocket-Key');
    expect(door.closed).toEqual([]);
  });

  it('that is refused gets a plain answer and the connection closes', async () => {
    const door = new FakeDoor((_intake, downstream) => downstream.answer(403, ['X-A', 'b'], 'no'));
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    const text = await client.send(`${upgrade}more`).untilEnd();
    const answer = parseAnswer(text);
    expect(answer).toMatchObject({ status: 403, body: 'no' });
    expect(answer.head).toContain('Connection: close');
    expect(door.closed).toEqual([{ complete: true, bytesSent: 2 }]);
  });

  it('that is refused with a long answer gets all of it', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const door = new FakeDoor((_intake, downstream) => void pour(downstream, chunk, 20));
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    await client.send(upgrade).untilEnd();
    expect(client.bytes).toBeGreaterThan(20 * chunk.length);
  });

  it('is subject to the same checks as any request', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    client.send(upgrade.replace('Host: a\r\n', ''));
    expect(parseAnswer(await client.untilEnd()).status).toBe(400);
    expect(door.served).toEqual([]);
  });

  it('tells when the client has gone before it was answered', async () => {
    const door = new FakeDoor(() => undefined);
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(upgrade);
    await door.until(({ served }) => served.length === 1);
    client.socket.resetAndDestroy();
    await door.until(({ closed }) => closed.length === 1);
    expect(door.closed).toEqual([{ complete: false, bytesSent: 0 }]);
  });
});

describe('an upgrade to something else', () => {
  it.for([
    ['h2c', upgrade.replace('WebSocket', 'h2c')],
    ['TLS', upgrade.replace('WebSocket', 'TLS/1.2')],
    ['one of several', upgrade.replace('WebSocket', 'h2c, websocket')],
    ['two fields', upgrade.replace('Upgrade: WebSocket', 'Upgrade: websocket\r\nUpgrade: h2c')],
    ['websocket by POST', upgrade.replace('GET', 'POST')],
    ['websocket without Connection', upgrade.replace('Connection: keep-alive, Upgrade\r\n', '')],
    ['websocket with a body', `${upgrade.slice(0, -2)}Content-Length: 2\r\n\r\nhi`],
    ['websocket on HTTP/1.0', upgrade.replace('HTTP/1.1', 'HTTP/1.0')],
  ] as const)('(%s) is served without it', async ([, bytes]) => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    client.send(bytes);
    await client.untilText('}');
    expect(client.text).toMatch(/^HTTP\/1.1 200 /);
    expect(door.served).toHaveLength(1);
    expect(door.served[0]!.upgrade).toBeUndefined();
  });

  it('behind an answer that is due is ignored, since node cannot switch then', async () => {
    const { port, door } = await openListener({ lane: 'full' });
    const client = await connectRaw(port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${upgrade}`);
    await door.until(({ closed }) => closed.length === 2);
    expect(door.served.map((intake) => intake.upgrade)).toEqual([undefined, undefined]);
  });
});
