import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WireOutput } from '../../../../src/gateway/exchange/wire-lane/wire-output.ts';
import { socketPairs, type SocketPair } from '../../../mesh/transport/socket-pairs.ts';

const LARGE = Buffer.alloc(8_000_000, 'large ');

interface Pair extends SocketPair {
  readonly output: WireOutput;
  /** How often all that was written has left. */
  readonly left: () => number;
}

describe.each(['tcp', 'tls'] as const)('WireOutput over %s', (kind) => {
  const createSockets = socketPairs(kind);

  async function createPairs(count: number): Promise<Pair[]> {
    return (await createSockets(count)).map(({ near, far }) => {
      let left = 0;
      const output = new WireOutput(near, { onTurnEnding() {}, onLeft: () => left++ });
      return { output, near, far, left: () => left };
    });
  }

  async function readAll({ far }: Pair): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of far) pieces.push(piece as Buffer);
    return Buffer.concat(pieces);
  }

  it('writes text and chunks of a turn in their order', async () => {
    const [pair] = await createPairs(1);
    const { output, near } = pair!;
    output.text('caf\xe9 ');
    output.chunk(Buffer.from('chunk '));
    output.text('');
    output.text('x'.repeat(40_000));
    output.chunk(Buffer.alloc(50_000, 'y'));
    output.text(' end');
    output.flushSoon();
    await turn();
    near.end();
    const wanted = `caf\xe9 chunk ${'x'.repeat(40_000)}${'y'.repeat(50_000)} end`;
    expect((await readAll(pair!)).toString('latin1')).toBe(wanted);
  });

  it('has copied what it was given, where it is little', async () => {
    const [pair] = await createPairs(1);
    const { output, near } = pair!;
    const chunk = Buffer.from('as it was');
    output.chunk(chunk);
    chunk.fill('!');
    output.flushSoon();
    await turn();
    near.end();
    expect((await readAll(pair!)).toString()).toBe('as it was');
  });

  it.each([0, 7, 1000, 45_000])(
    'forgets what came after the mark, with %i bytes before it',
    async (before) => {
      const [pair] = await createPairs(1);
      const { output, near } = pair!;
      output.text('b'.repeat(before));
      output.mark();
      output.text('dropped '.repeat(100));
      output.chunk(Buffer.alloc(40_000, 'd'), true);
      output.text('dropped');
      output.dropFromMark();
      output.text('after');
      output.flush();
      near.end();
      expect((await readAll(pair!)).toString()).toBe(`${'b'.repeat(before)}after`);
    },
  );

  it('tells once when all has left, later to a client that reads late', async () => {
    const [quick, slow] = await createPairs(2);
    quick!.output.text('little');
    quick!.output.leave();
    for (let i = 0; i < 50 && quick!.left() === 0; i++) await turn();
    expect(quick!.left()).toBe(1);
    slow!.output.chunk(Buffer.alloc(8_000_000));
    slow!.output.leave();
    for (let i = 0; i < 20; i++) await turn();
    expect(slow!.left()).toBe(0);
    slow!.far.resume();
    while (slow!.left() === 0) await turn();
    expect([quick!.left(), slow!.left()]).toEqual([1, 1]);
  });

  it('tells in the same turn of what the system has taken at once', async () => {
    const [pair] = await createPairs(1);
    const { output, far } = pair!;
    far.pause();
    output.text('little');
    output.leave();
    await turn();
    expect(pair!.left()).toBe(1);
    // TLS speaks of the first write only now, which says nothing of the second.
    output.chunk(LARGE);
    output.leave();
    for (let i = 0; i < 50; i++) await turn();
    expect(pair!.left()).toBe(1);
    far.resume();
    while (pair!.left() === 1) await turn();
    expect(pair!.left()).toBe(2);
  });

  it('gives each client its own bytes, beside others that read late, or leave', async () => {
    const CLIENTS = 24;
    const pairs = await createPairs(CLIENTS);
    const written = pairs.map(() => ({ sum: createHash('sha256'), bytes: 0 }));
    let seed = 1;
    // Numerical Recipes' generator: the same sizes in every run.
    const below = (limit: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed % limit;
    };
    const reading = pairs.map(async (pair, i) => {
      // A third of them begin to read when all has been written.
      if (i % 3 === 0) return undefined;
      const sum = createHash('sha256');
      for await (const piece of pair.far) sum.update(piece as Buffer);
      return sum.digest('hex');
    });
    for (let round = 0; round < 300; round++) {
      for (const [i, { output, near }] of pairs.entries()) {
        if (near.destroyed || below(3) === 0) continue;
        for (let n = below(4); n >= 0; n--) {
          const size = below(20) === 0 ? 30_000 + below(40_000) : below(2_000);
          const piece = Buffer.alloc(size, `${i}:${round} `);
          written[i]!.sum.update(piece);
          written[i]!.bytes += size;
          if (n % 2 === 0) output.chunk(piece);
          else output.text(piece.toString('latin1'));
          // Whoever gave it may do with it what he likes, where it is little.
          if (size <= 2_000) piece.fill(0);
        }
        output.flushSoon();
        if (round === 150 && i % 8 === 7) near.destroy();
      }
      await turn();
    }
    for (const { near } of pairs) near.end();
    const late = await Promise.all(
      pairs.map(async (pair, i) =>
        i % 3 === 0 && i % 8 !== 7
          ? createHash('sha256')
              .update(await readAll(pair))
              .digest('hex')
          : undefined,
      ),
    );
    const early = await Promise.all(reading);
    const whole = pairs.flatMap((_, i) => (i % 8 === 7 ? [] : [i]));
    expect(whole.map((i) => late[i] ?? early[i])).toEqual(
      whole.map((i) => written[i]!.sum.digest('hex')),
    );
    expect(written.every(({ bytes }) => bytes > 100_000)).toBe(true);
  });
});
