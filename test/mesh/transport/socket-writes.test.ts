import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SocketWrites } from '../../../src/mesh/transport/socket-writes.ts';
import { socketPairs, type SocketPair } from './socket-pairs.ts';

const LARGE = Buffer.alloc(8_000_000, 'large ');

describe.each(['tcp', 'tls'] as const)('SocketWrites over %s', (kind) => {
  const createPairs = socketPairs(kind);

  /** What `near` writes is read by `far`, once it is resumed. */
  async function createPair(): Promise<SocketPair & { readonly read: Promise<Buffer> }> {
    const { near, far } = (await createPairs())[0]!;
    const pieces: Buffer[] = [];
    far.on('data', (piece) => pieces.push(piece)).pause();
    const read = once(far, 'end').then(() => Buffer.concat(pieces));
    read.catch(() => undefined);
    return { near, far, read };
  }

  it('writes text as Latin-1, and bytes', async () => {
    const { near, far, read } = await createPair();
    const writes = new SocketWrites(near);
    writes.write('caf\xe9 ');
    writes.write(Buffer.from([0, 255]));
    near.end();
    far.resume();
    expect(await read).toEqual(Buffer.from('caf\xe9 \x00\xff', 'latin1'));
  });

  it('gives bytes back that the system has taken, and says when it has not', async () => {
    const { near, far, read } = await createPair();
    const writes = new SocketWrites(near);
    const little = Buffer.from('little ');
    const isTaken = writes.write(little);
    // TLS learns of it later.
    expect(isTaken).toBe(kind === 'tcp');
    if (isTaken) little.fill('x');
    while (!writes.isIdle) await turn();
    // The far end does not read.
    expect(writes.write(LARGE)).toBe(false);
    expect(writes.isIdle).toBe(false);
    near.end('after it');
    far.resume();
    const bytes = await read;
    expect(bytes.length).toBe(little.length + LARGE.length + 'after it'.length);
    expect(bytes.subarray(0, 7).toString()).toBe('little ');
    expect(bytes.subarray(7, -8).equals(LARGE)).toBe(true);
    expect(bytes.subarray(-8).toString()).toBe('after it');
  });

  it('keeps the order with what the stream writes, before it and behind', async () => {
    const { near, far, read } = await createPair();
    const writes = new SocketWrites(near);
    near.write('1');
    writes.write('2');
    writes.write(LARGE);
    near.write('3');
    writes.write('4');
    near.cork();
    near.write('5');
    near.write('6');
    near.uncork();
    writes.write('7');
    near.end();
    far.resume();
    const bytes = await read;
    expect(bytes.length).toBe(LARGE.length + 7);
    expect(bytes.subarray(0, 2).toString() + bytes.subarray(-5).toString()).toBe('1234567');
  });

  it('is idle again when the far end has read', async () => {
    const { near, far } = await createPair();
    const writes = new SocketWrites(near);
    writes.write(LARGE);
    far.resume();
    // It is told when all before it has left.
    await new Promise((resolve) => near.write('', resolve));
    await turn();
    expect(writes.isIdle).toBe(true);
  });

  it('sees of TLS whether a write has left before TLS tells', async () => {
    const { near } = await createPair();
    const writes = new SocketWrites(near);
    writes.write('little');
    expect([writes.isIdle, writes.hasLeft]).toEqual(kind === 'tls' ? [false, true] : [true, false]);
    while (!writes.isIdle) await turn();
    // The far end does not read.
    writes.write(LARGE);
    expect([writes.isIdle, writes.hasLeft]).toEqual([false, false]);
  });

  it('closes the socket with the error of a write that fails', async () => {
    const { near, far } = await createPair();
    const writes = new SocketWrites(near);
    const failed = once(near, 'error') as Promise<[NodeJS.ErrnoException]>;
    const closed = new Promise((resolve) => near.once('close', resolve));
    writes.write(LARGE);
    // With bytes that it has not read, which is a reset.
    while (far.readableLength === 0) await turn();
    far.destroy();
    const [error] = await failed;
    expect(['EPIPE', 'ECONNRESET']).toContain(error.code);
    await closed;
    expect(near.destroyed).toBe(true);
  });

  it('refuses as the stream does once it has ended', async () => {
    const { near } = await createPair();
    const writes = new SocketWrites(near);
    near.end();
    const failed = once(near, 'error') as Promise<[NodeJS.ErrnoException]>;
    expect(writes.write('late')).toBe(false);
    expect((await failed)[0].code).toBe('ERR_STREAM_WRITE_AFTER_END');
  });

  it('does not mind a socket that is gone', async () => {
    const { near } = await createPair();
    const writes = new SocketWrites(near);
    near.destroy();
    expect(writes.write('late')).toBe(false);
    await once(near, 'close');
  });
});

describe('a write that the system has not taken', () => {
  const createPairs = socketPairs('tcp');

  it('lets the socket time out by what leaves of it', async () => {
    const { near, far } = (await createPairs())[0]!;
    far.pause();
    let timeouts = 0;
    near.setTimeout(3_600_000, () => timeouts++);
    // What its timer calls.
    const { _onTimeout: onTimer } = near as unknown as { _onTimeout: (this: Socket) => void };
    expect(new SocketWrites(near).write(LARGE)).toBe(false);
    onTimer.call(near);
    expect(timeouts).toBe(0);
    // The far end reads nothing.
    onTimer.call(near);
    expect(timeouts).toBe(1);
  });
});

it('goes past the stream on this Node.js', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  let streamed = 0;
  near.write = () => {
    streamed++;
    return true;
  };
  let restarts = 0;
  Object.assign(near, { _unrefTimer: () => restarts++ });
  expect(new SocketWrites(near).write('direct')).toBe(true);
  expect([streamed, restarts]).toEqual([0, 1]);
  expect(String((await once(far, 'data'))[0])).toBe('direct');
  for (const socket of [near, far]) socket.destroy();
  server.close();
});
