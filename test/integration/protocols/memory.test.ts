/** A gateway's memory does not grow with what flows through it, nor with what is held back in it. */
import { existsSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRaw, type RawClient } from '../../gateway/exchange/raw-client.ts';
import { startGatewayProcess, type GatewayProcess } from './gateway-process.ts';
import { openSession } from './http2-client.ts';
import { listen, type TestOrigin } from './origins.ts';
import { stable } from './stable.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** Room for a heap that breathes, seen to be up to 65 MiB; a fraction of what flows. */
const SLACK = 160 * MIB;
const PIECE = Buffer.alloc(256 * 1024, 'x');

let origin: TestOrigin;
let gateway: GatewayProcess;
/** Bytes that the origin has handed to its sockets, and has received as bodies. */
let handed = 0;
let received = 0;

/** Answers `GET /<bytes>` with so many, and anything else with how many bytes came after its head. */
function serve(socket: Socket): void {
  let head = '';
  let rest = 0;
  socket.on('data', (chunk: Buffer) => {
    if (rest > 0) {
      rest -= chunk.length;
      received += chunk.length;
    } else {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n') + 4;
      if (end < 4) return;
      rest = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const bytes = Number(/^GET \/(\d+)/.exec(head)?.[1] ?? 0);
      received += head.length - end;
      rest -= head.length - end;
      head = '';
      if (bytes > 0) {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
        pump(socket, bytes, (sent) => (handed += sent));
        return;
      }
    }
    if (rest === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
}

/** Writes so many bytes at the reader's pace. */
function pump(
  socket: Socket,
  bytes: number,
  onSent: (bytes: number) => void = () => undefined,
): void {
  let left = bytes;
  const go = (): void => {
    while (left > 0) {
      const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
      left -= piece.length;
      onSent(piece.length);
      if (!socket.write(piece)) {
        socket.once('drain', go);
        return;
      }
    }
  };
  go();
}

/** Without keeping what it receives. */
function countBytes(socket: Socket): { bytes: number } {
  const count = { bytes: 0 };
  socket.on('data', (chunk: Buffer) => (count.bytes += chunk.length));
  return count;
}

// The peak of a process is told, and can be forgotten, by Linux alone.
describe.skipIf(!existsSync('/proc/self/clear_refs'))(
  'the memory of a gateway',
  { timeout: 90_000 },
  () => {
    beforeAll(async () => {
      origin = await listen(createServer(serve));
      gateway = await startGatewayProcess({
        services: { origin: { endpoints: [{ address: origin.address }] } },
        routes: [{ name: 'all', to: 'origin', plugins: [{ 'body-limit': { max: '2GiB' } }] }],
      });
    });

    afterAll(async () => {
      await gateway?.stop();
      await origin?.close();
    });

    async function download(bytes: number): Promise<void> {
      const { socket } = await connectRaw(gateway.httpPort);
      socket.removeAllListeners('data');
      const count = countBytes(socket);
      socket.write(`GET /${bytes} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await new Promise((resolve) => socket.on('close', resolve));
      expect(count.bytes).toBeGreaterThan(bytes);
    }

    async function upload(bytes: number): Promise<void> {
      const client = await connectRaw(gateway.httpPort);
      const before = received;
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
      pump(client.socket, bytes);
      await client.untilText('\r\n\r\nok');
      expect(received - before).toBe(bytes);
      client.socket.destroy();
    }

    async function growthDuring(work: () => Promise<void>): Promise<number> {
      await gateway.forgetPeak();
      const before = await gateway.residentBytes();
      await work();
      return (await gateway.peakBytes()) - before;
    }

    it('stays flat while 1 GiB is downloaded', async () => {
      // The first bytes make code and pools that stay.
      await download(32 * MIB);
      expect(await growthDuring(() => download(GIB))).toBeLessThan(SLACK);
    });

    it('stays flat while 1 GiB is uploaded', async () => {
      await upload(32 * MIB);
      expect(await growthDuring(() => upload(GIB))).toBeLessThan(SLACK);
    });

    it('stays flat while 256 MiB are downloaded over HTTP/2 and TLS', async () => {
      const growth = await growthDuring(async () => {
        const stream = openSession(gateway, true).request({ ':path': `/${256 * MIB}` });
        let bytes = 0;
        stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
        await new Promise((resolve) => stream.on('end', resolve));
        expect(bytes).toBe(256 * MIB);
      });
      expect(growth).toBeLessThan(SLACK);
    });

    it('holds little of what stalled readers do not take', async () => {
      const readers: RawClient[] = [];
      const before = handed;
      const growth = await growthDuring(async () => {
        for (let i = 0; i < 8; i++) {
          const client = await connectRaw(gateway.httpPort);
          client.socket.pause();
          client.send(`GET /${64 * MIB} HTTP/1.1\r\nHost: a\r\n\r\n`);
          readers.push(client);
        }
        // Whatever else is on offer stays at the origin.
        expect((await stable(() => handed)) - before).toBeLessThan(8 * 32 * MIB);
      });
      expect(growth).toBeLessThan(SLACK / 2);
      for (const { socket } of readers) socket.destroy();
    });
  },
);
