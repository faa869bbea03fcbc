import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptEcho } from '../../src/demo/websocket-echo.ts';
import { openEcho } from './echo-client.ts';

const server = createServer();
let port = 0;

beforeAll(async () => {
  server.on('upgrade', (request, socket, head) => {
    const count = request.url === '/two' ? 2 : undefined;
    acceptEcho(request, socket, head, { greeting: 'hello', count });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.close();
});

/** A handshake and some bytes, and all that comes back until the other side ends. */
async function sendRaw(bytes: Buffer): Promise<Buffer> {
  const socket: Socket = connect(port, '127.0.0.1');
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  socket.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  socket.write(bytes);
  await once(socket, 'end');
  socket.destroy();
  return Buffer.concat(received);
}

/** Masked with zeros, so that the payload stands as it is. */
function frame(head: number, payload: string): Buffer {
  return Buffer.concat([
    Buffer.from([head, 0x80 | payload.length, 0, 0, 0, 0]),
    Buffer.from(payload),
  ]);
}

describe('the demo WebSocket', () => {
  it('greets, and sends back what it is sent', async () => {
    const echo = await openEcho(`ws://127.0.0.1:${port}/`);
    expect(await echo.next()).toBe('hello');
    echo.socket.send('one');
    echo.socket.send('ü'.repeat(20_000));
    expect(await echo.next()).toBe('one');
    expect(await echo.next()).toBe('ü'.repeat(20_000));
    echo.socket.close(1000);
    expect(await echo.closed).toBe(1000);
  });

  it('closes with 1000 after the number of messages it was asked for', async () => {
    const echo = await openEcho(`ws://127.0.0.1:${port}/two`);
    await echo.next();
    echo.socket.send('last');
    expect(await echo.next()).toBe('last');
    expect(await echo.closed).toBe(1000);
  });

  it('answers the key as RFC 6455 section 1.3 has it, a ping with a pong, and a close with a close', async () => {
    const answer = await sendRaw(Buffer.concat([frame(0x89, 'x'), frame(0x88, '\x03\xe8')]));
    const text = answer.toString('latin1');
    expect(text).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
    expect(text).toContain('\x8a\x01x');
    expect(answer.indexOf(Buffer.from([0x88]))).toBeGreaterThan(0);
  });

  it.each([
    ['1002 a frame without a mask', Buffer.from([0x81, 0x01, 0x41]), 1002],
    ['1002 a frame of an extension', frame(0xc1, 'x'), 1002],
    ['1009 a frame of 64 KiB or more', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]), 1009],
  ])('closes with %s', async (_title, bytes, code) => {
    const answer = await sendRaw(bytes);
    expect(answer.subarray(-4)).toEqual(Buffer.from([0x88, 2, code >> 8, code & 255]));
  });
});
