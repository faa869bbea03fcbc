import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { atTurnEnd, onceWritten } from '../../../src/mesh/transport/turn-end.ts';

describe('atTurnEnd', () => {
  /** Calls `start` from within the event of a socket, as those do who use it. */
  async function inEvent(start: () => void): Promise<void> {
    const server = createServer((socket) => socket.end('x')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    await new Promise<void>((resolve) =>
      socket.once('data', () => {
        start();
        setTimeout(resolve, 0);
      }),
    );
    socket.destroy();
    server.close();
  }

  it('waits for what else is to be done of an event', async () => {
    const told: string[] = [];
    await inEvent(() => {
      atTurnEnd({ endTurn: () => told.push('end') });
      void Promise.resolve().then(() => told.push('promise'));
      process.nextTick(() => told.push('tick'));
      told.push('event');
    });
    expect(told).toEqual(['event', 'tick', 'promise', 'end']);
  });

  it('calls each as often as asked, in order, and those that are added meanwhile', async () => {
    const told: string[] = [];
    const first = { endTurn: () => told.push('first') };
    const second = {
      endTurn: () => {
        told.push('second');
        atTurnEnd({ endTurn: () => told.push('third') });
      },
    };
    await inEvent(() => {
      atTurnEnd(first);
      atTurnEnd(second);
      atTurnEnd(first);
    });
    expect(told).toEqual(['first', 'second', 'first', 'third']);
  });

  it('settles what is left when all have written, and goes on with what comes of that', async () => {
    const told: string[] = [];
    const settleTurn = (): void => {
      told.push('settled');
      if (told.length < 6) atTurnEnd({ endTurn: () => told.push('written by it') });
    };
    const endTurn = (): void => {
      told.push('written');
      onceWritten({ settleTurn });
    };
    await inEvent(() => {
      for (let i = 0; i < 3; i++) atTurnEnd({ endTurn });
    });
    expect(told).toEqual([
      ...Array<string>(3).fill('written'),
      ...Array<string>(3).fill('settled'),
      ...Array<string>(2).fill('written by it'),
    ]);
  });

  it('waits no longer where many wait', async () => {
    const told: string[] = [];
    await inEvent(() => {
      setImmediate(() => told.push('immediate'));
      for (let i = 0; i < 64; i++) atTurnEnd({ endTurn: () => told.push('end') });
      told.push('event');
    });
    expect(told).toEqual(['event', ...Array<string>(64).fill('end'), 'immediate']);
  });
});
