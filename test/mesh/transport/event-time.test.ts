import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  beginEvent,
  endEvent,
  eventNowMs,
  timePasses,
} from '../../../src/mesh/transport/event-time.ts';
import { SocketReads } from '../../../src/mesh/transport/socket-reads.ts';
import { atTurnEnd, onceWritten } from '../../../src/mesh/transport/turn-end.ts';

function pass(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('the time within an event', () => {
  beforeEach(beginEvent);
  afterEach(endEvent);

  it('is one for all of it', () => {
    const first = eventNowMs();
    pass(2);
    expect(eventNowMs()).toBe(first);
  });

  it('is another where others have had theirs', () => {
    const first = eventNowMs();
    pass(2);
    timePasses();
    expect(eventNowMs()).toBeGreaterThanOrEqual(first + 2);
  });

  it('is another in the next', () => {
    const first = eventNowMs();
    pass(2);
    beginEvent();
    expect(eventNowMs()).toBeGreaterThanOrEqual(first + 2);
  });
});

it('goes on where there is no event', () => {
  const first = eventNowMs();
  pass(2);
  expect(eventNowMs()).toBeGreaterThanOrEqual(first + 2);
});

it('is one for all that have been written by the end of a turn, and goes on after them', async () => {
  const seen: number[] = [];
  const settleTurn = (): void => {
    seen.push(eventNowMs());
    pass(2);
  };
  const endTurn = (): void => onceWritten({ settleTurn });
  atTurnEnd({ endTurn });
  atTurnEnd({ endTurn });
  await new Promise(setImmediate);
  const [first, second] = seen;
  expect(second).toBe(first);
  expect(eventNowMs()).toBeGreaterThanOrEqual(first! + 4);
});

it('is one for all that a read brings about, and goes on after it', async () => {
  const server = createServer((socket) => socket.end('bytes')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const seen: number[] = [];
  const reads = new SocketReads(socket, () => {
    seen.push(eventNowMs());
    pass(2);
    seen.push(eventNowMs());
  });
  await once(socket.resume(), 'close');
  reads.end();
  server.close();
  const [first, second] = seen;
  expect(seen).toHaveLength(2);
  expect(second).toBe(first);
  expect(eventNowMs()).toBeGreaterThanOrEqual(first! + 2);
});
