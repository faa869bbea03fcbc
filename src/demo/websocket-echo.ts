/** A WebSocket that greets, and sends back what it is sent (RFC 6455). */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { readFrame, writeFrame } from './websocket-frame.ts';

export interface EchoOptions {
  /** The first message. */
  readonly greeting: string;
  /** Number of messages after which it closes, the greeting among them; undefined: never. */
  readonly count: number | undefined;
}

/** Section 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const FIN = 0x80;
const OPCODE = 0x0f;
const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const NORMAL_CLOSURE = 1000;

/** Answers the upgrade of a request, and keeps the connection from then on. */
export function acceptEcho(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { greeting, count = Infinity }: EchoOptions,
): void {
  socket.on('error', () => socket.destroy());
  const key = request.headers['sec-websocket-key'];
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const accept = createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let sent = 0;
  let pending = head;
  const close = (code: number) => {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    socket.end(writeFrame(FIN | CLOSE, payload));
  };
  const send = (frameHead: number, payload: Buffer) => {
    socket.write(writeFrame(frameHead, payload));
    if ((frameHead & FIN) === 0) return;
    sent += 1;
    if (sent >= count) close(NORMAL_CLOSURE);
  };
  const read = () => {
    while (socket.writable) {
      const frame = readFrame(pending);
      if (frame === undefined) return;
      if (typeof frame === 'number') return close(frame);
      pending = pending.subarray(frame.length);
      const opcode = frame.head & OPCODE;
      if (opcode === CLOSE) socket.end(writeFrame(FIN | CLOSE, frame.payload));
      else if (opcode === PING) socket.write(writeFrame(FIN | PONG, frame.payload));
      else if (opcode !== PONG) send(frame.head, frame.payload);
    }
  };
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    read();
  });
  send(FIN | TEXT, Buffer.from(greeting));
  read();
}
