/** HTTP/2 frames in amounts that no client needs: the connection is closed, others are not harmed. */
import { describe, expect, it } from 'vitest';
import { Http2Budget } from '../../../../src/gateway/exchange/full-lane/http2-budget.ts';
import { openListener } from '../../listener/open-listener.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  errorCode,
  frame,
  GET,
  GOAWAY,
  greet,
  HEADERS,
  headerBlock,
  parseFrames,
  PING,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './h2-frames.ts';
import { connectRaw, type RawClient } from '../raw-client.ts';

const CANCEL = Buffer.from([0, 0, 0, 8]);
const post = headerBlock([[':method', 'POST'], ...GET.slice(1)]);

/** Sends until the connection closes. */
async function flood(client: RawClient, next: (i: number) => Buffer, batch = 200): Promise<number> {
  await greet(client);
  let sent = 0;
  while (!client.ended && !client.closed) {
    const frames: Buffer[] = [];
    for (let i = 0; i < batch; i++) frames.push(next(sent++));
    if (client.socket.writable) client.send(Buffer.concat(frames));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.untilClosed();
  return sent;
}

function goawayCode(client: RawClient): number | undefined {
  return errorCode(parseFrames(client.received), GOAWAY);
}

async function stillServes(port: number): Promise<void> {
  const other = await connectRaw(port);
  await other.send('GET /still HTTP/1.1\r\nHost: a\r\n\r\n').untilText('/still');
}

describe('a flood of HTTP/2 frames', () => {
  it('of streams opened and reset at once (Rapid Reset) ends the connection', async () => {
    const { port, door } = await openListener();
    door.handler = () => undefined;
    const client = await connectRaw(port);
    const block = headerBlock(GET);
    await flood(
      client,
      (i) =>
        Buffer.concat([
          frame(HEADERS, END_HEADERS | END_STREAM, i * 2 + 1, block),
          frame(RST_STREAM, 0, i * 2 + 1, CANCEL),
        ]),
      50,
    );
    expect(goawayCode(client)).toBeDefined();
    expect(door.served.length).toBeLessThan(1000);
    door.handler = (_intake, downstream) => downstream.answer(200, [], '/still');
    await stillServes(port);
  });

  it('of CONTINUATION without end ends the connection', async () => {
    const { port, door, listener } = await openListener();
    const client = await connectRaw(port);
    const crumb = headerBlock([['x', 'y']]);
    const sent = await flood(client, (i) =>
      i === 0 ? frame(HEADERS, END_STREAM, 1, headerBlock(GET)) : frame(CONTINUATION, 0, 1, crumb),
    );
    expect(sent).toBeLessThan(5000);
    expect(door.served).toEqual([]);
    expect(listener.connections).toBe(0);
    await stillServes(port);
  });

  it.for([
    ['PING', (i: number) => frame(PING, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, i & 255]))],
    ['SETTINGS', () => frame(SETTINGS, 0, 0)],
    ['PRIORITY', (i: number) => frame(PRIORITY, 0, i * 2 + 1, Buffer.from([0, 0, 0, 0, 1]))],
  ] as const)('of %s ends the connection with ENHANCE_YOUR_CALM', async ([name, next]) => {
    const { port, listener, log } = await openListener();
    const client = await connectRaw(port);
    await flood(client, next);
    expect(goawayCode(client)).toBe(ENHANCE_YOUR_CALM);
    // PRIORITY has a limit of nghttp2's own, which comes first.
    expect(listener.counts.floods).toBe(name === 'PRIORITY' ? 0 : 1);
    expect(log.lines.some(({ fields }) => 'frames' in fields)).toBe(name !== 'PRIORITY');
    await stillServes(port);
  });

  it('of empty DATA ends the connection', async () => {
    const { port, door } = await openListener();
    door.handler = (intake) =>
      intake.body?.start({
        onData: () => undefined,
        onEnd: () => undefined,
        onError: () => undefined,
      });
    const client = await connectRaw(port);
    const sent = await flood(client, (i) =>
      i === 0 ? frame(HEADERS, END_HEADERS, 1, post) : frame(DATA, 0, 1),
    );
    expect(sent).toBeLessThan(5000);
    await door.until(({ closed }) => closed.length === 1);
    expect(door.closed[0]!.complete).toBe(false);
  });

  it.for([
    ['WINDOW_UPDATE', () => frame(WINDOW_UPDATE, 0, 0, Buffer.from([0, 0, 0, 1]))],
    ['unknown frames', () => frame(0xee, 0, 0, Buffer.alloc(1024))],
  ] as const)('of %s ends the connection', async ([, next]) => {
    const { port } = await openListener();
    const client = await connectRaw(port);
    await flood(client, next, 1000);
    expect(goawayCode(client)).toBe(ENHANCE_YOUR_CALM);
    await stillServes(port);
  });

  it('is not what a busy client sends', async () => {
    const { port, listener } = await openListener();
    const client = await connectRaw(port);
    await greet(client);
    const block = headerBlock(GET);
    for (let i = 0; i < 500; i++) {
      const id = i * 2 + 1;
      client.send(frame(HEADERS, END_HEADERS | END_STREAM, id, block));
      if (i % 10 === 0) client.send(frame(PING, 0, 0, Buffer.alloc(8)));
      await client.until(({ received }) =>
        parseFrames(received).some(({ type, stream }) => type === DATA && stream === id),
      );
    }
    expect(listener.connections).toBe(1);
    expect(listener.counts.floods).toBe(0);
  });
});

describe('the budget of a connection', () => {
  it('has 200 control frames of a kind in a second', () => {
    const budget = new Http2Budget();
    const written = (): number => 0;
    for (let i = 0; i < 200; i++) expect(budget.ping(written)).toBe(true);
    expect(budget.ping(written)).toBe(false);
    expect(budget.settings()).toBe(true);
    budget.second(0, 0);
    expect(budget.ping(written)).toBe(true);
  });

  it('has a PING more for every 4 KiB that the client is sent', () => {
    const budget = new Http2Budget();
    const written = (): number => 40_960;
    for (let i = 0; i < 210; i++) expect(budget.ping(written)).toBe(true);
    expect(budget.ping(written)).toBe(false);
    budget.second(0, 40_960);
    for (let i = 0; i < 200; i++) expect(budget.ping(written)).toBe(true);
    expect(budget.ping(written)).toBe(false);
  });

  it('has 256 KiB in a second that no request accounts for', () => {
    const budget = new Http2Budget();
    expect(budget.second(256 * 1024, 0)).toBe(true);
    expect(budget.second(256 * 1024 + 256 * 1024 + 1, 0)).toBe(false);
  });

  it('grows with what is sent and received in earnest', () => {
    const budget = new Http2Budget();
    budget.used(10 * 1024 * 1024);
    expect(budget.second(11 * 1024 * 1024, 0)).toBe(true);
    // A download of 1 GiB has some 3 MiB of WINDOW_UPDATE.
    expect(budget.second(14 * 1024 * 1024, 1024 ** 3)).toBe(true);
  });
});
