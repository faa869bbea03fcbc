import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { common, giveBack, keep } from '../../../src/mesh/transport/read-memory.ts';
import { SocketReads } from '../../../src/mesh/transport/socket-reads.ts';
import { socketPairs, type SocketPair } from './socket-pairs.ts';

const PAYLOAD = randomBytes(3_000_000);

const read = (socket: Socket, onBytes: (bytes: Buffer) => void): SocketReads =>
  new SocketReads(socket, onBytes);

describe.each(['tcp', 'tls'] as const)('SocketReads over %s', (kind) => {
  const createPairs = socketPairs(kind);

  async function createPair(): Promise<SocketPair> {
    return (await createPairs())[0]!;
  }

  const hash = (pieces: readonly Buffer[]): string =>
    pieces.reduce((sum, piece) => sum.update(piece), createHash('sha256')).digest('hex');

  it('reads into the common memory', async () => {
    const { near, far } = await createPair();
    const first = new Promise<ArrayBufferLike>((resolve) => {
      read(near, (bytes) => resolve(bytes.buffer));
    });
    far.write('hello');
    expect(await first).toBe(common.buffer);
  });

  it('hands over everything, to be kept', async () => {
    const { near, far } = await createPair();
    const pieces: Buffer[] = [];
    read(near, (bytes) => pieces.push(keep(bytes)));
    far.end(PAYLOAD);
    await once(near, 'end');
    expect(hash(pieces)).toBe(hash([PAYLOAD]));
  });

  it('hands over everything, where it is given back at once', async () => {
    const { near, far } = await createPair();
    const sum = createHash('sha256');
    read(near, (bytes) => {
      const kept = keep(bytes);
      sum.update(kept);
      giveBack(kept);
    });
    far.end(PAYLOAD);
    await once(near, 'end');
    expect(sum.digest('hex')).toBe(hash([PAYLOAD]));
  });

  it('keeps what others read apart', async () => {
    const pairs = [await createPair(), await createPair(), await createPair()];
    const sums = pairs.map(({ near, far }, i) => {
      const pieces: Buffer[] = [];
      read(near, (bytes) => pieces.push(keep(bytes)));
      far.end(PAYLOAD.subarray(i * 1000));
      return once(near, 'end').then(() => hash(pieces));
    });
    expect(await Promise.all(sums)).toEqual(
      pairs.map((_, i) => hash([PAYLOAD.subarray(i * 1000)])),
    );
  });

  it('pauses and goes on', async () => {
    const { near, far } = await createPair();
    const pieces: Buffer[] = [];
    let isPaused = false;
    let afterPause = 0;
    read(near, (bytes) => {
      if (isPaused) afterPause++;
      pieces.push(keep(bytes));
      near.pause();
      isPaused = true;
      setImmediate(() => {
        isPaused = false;
        near.resume();
      });
    });
    far.end(PAYLOAD.subarray(0, 500_000));
    await once(near, 'end');
    expect(hash(pieces)).toBe(hash([PAYLOAD.subarray(0, 500_000)]));
    // One record of TLS may have been read already.
    expect(kind === 'tls' || afterPause === 0).toBe(true);
  });

  it('hands over nothing while paused, were it before the first read', async () => {
    const { near, far } = await createPair();
    const pieces: Buffer[] = [];
    read(near, (bytes) => pieces.push(keep(bytes)));
    near.pause();
    far.end(PAYLOAD.subarray(0, 100_000));
    // What another connection takes in meanwhile, this one would have too.
    const other = await createPair();
    const seen = new Promise((resolve) => read(other.near, resolve));
    other.far.write('seen');
    await seen;
    for (let i = 0; i < 20; i++) await turn();
    expect(pieces).toEqual([]);
    near.resume();
    await once(near, 'end');
    expect(hash(pieces)).toBe(hash([PAYLOAD.subarray(0, 100_000)]));
  });

  it('begins with what was put back before', async () => {
    const { near, far } = await createPair();
    far.write('first ');
    // As those do who look at the first bytes of a connection.
    await once(near, 'readable');
    const opening = near.read() as Buffer;
    near.removeAllListeners('readable');
    near.unshift(opening);
    let text = '';
    read(near, (bytes) => (text += bytes.toString()));
    far.end('second');
    await once(near, 'end');
    expect(text).toBe('first second');
  });

  it('leaves a stream like any other', async () => {
    const { near, far } = await createPair();
    const pieces: Buffer[] = [];
    const reads = read(near, (bytes) => pieces.push(keep(bytes)));
    far.write(PAYLOAD.subarray(0, 100_000));
    while (Buffer.concat(pieces).length < 100_000) await turn();
    reads.end();
    far.end(PAYLOAD.subarray(100_000));
    for await (const piece of near) pieces.push(piece as Buffer);
    expect(hash(pieces)).toBe(hash([PAYLOAD]));
  });

  it('is activity, for those that wait for none', async () => {
    const { near, far } = await createPair();
    let restarts = 0;
    Object.assign(near, { _unrefTimer: () => restarts++ });
    const first = new Promise<void>((resolve) => read(near, () => resolve()));
    far.write('hello');
    await first;
    expect(restarts).toBe(1);
  });
});
