/** What is the wire lane's own: handing connections over, and how its answers leave. */
import { describe, expect, it } from 'vitest';
import type { Downstream } from '../../../../src/gateway/exchange/lane.ts';
import { openListener } from '../../listener/open-listener.ts';
import { FakeDoor, readBody } from '../fake-door.ts';
import { connectRaw, exchange, type RawClient } from '../raw-client.ts';

const get = (path: string, line = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${line}\r\n`;
/** HTTP/1.0 is for the full lane. */
const old = (path: string): string => `GET ${path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`;

/** How many reads the client's answers took: one write that is small comes in one. */
function countReads(client: RawClient): () => number {
  let reads = 0;
  client.socket.on('data', () => reads++);
  return () => reads;
}

describe('a connection that turns to something else', () => {
  it('goes on with the other lane, and stays there', async () => {
    const { port, door } = await openListener({ lane: 'auto' });
    const client = await connectRaw(port);
    await exchange(client, get('/1'));
    const echoed = await exchange(client, old('/2'));
    expect(echoed.target).toBe('/2');
    await exchange(client, get('/3'));
    expect(door.served.map(({ connection }) => connection.protocol)).toEqual([
      'http/1.1',
      'http/1.0',
      'http/1.1',
    ]);
    // The other lane makes a connection of its own of it.
    const [first, , third] = door.served.map(({ connection }) => connection);
    expect(first).not.toBe(third);
    expect(first!.port).toBe(third!.port);
  });

  it('does so with an upgrade behind an answer that is due, in its turn', async () => {
    const { port, door } = await openListener({ lane: 'auto' });
    const client = await connectRaw(port);
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n';
    client.send(get('/1') + get('/2', upgrade));
    await door.until(({ closed }) => closed.length === 2);
    expect(door.served.map((intake) => intake.upgrade)).toEqual([undefined, 'websocket']);
  });

  it('does so when the answers before have left, with all that is behind', async () => {
    const answers: Downstream[] = [];
    const door = new FakeDoor((_intake, downstream) => void answers.push(downstream));
    const { port } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    client.send(get('/1') + old('/2') + get('/3'));
    await door.until(({ served }) => served.length === 1);
    answers[0]!.answer(200, [], 'one');
    await door.until(({ served }) => served.length === 2);
    await client.untilText('\r\n\r\none');
    answers[1]!.answer(200, [], 'two');
    await door.until(({ served }) => served.length === 3);
    answers[2]!.answer(200, [], 'three');
    await client.untilText('three');
    expect(client.text.match(/^(?:one|two|three)/gm)).toEqual(['one', 'two', 'three']);
  });

  it('in the middle of a head does so with what has come of it', async () => {
    const { port, door } = await openListener({ lane: 'auto' });
    const client = await connectRaw(port);
    await exchange(client, get('/1'));
    const before = client.text.length;
    for (const piece of ['GET /2 HT', 'TP/1.1\r\nHo', 'st: a\r\nUpgra', 'de: h2c\r\n\r', '\n']) {
      client.send(piece);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await client.until(({ text }) => text.length > before);
    expect(door.served[1]!.target).toBe('/2');
  });

  it('keeps the count of its requests', async () => {
    const { port, door } = await openListener({
      lane: 'auto',
      limits: { maxRequestsPerConnection: 3 },
    });
    const client = await connectRaw(port);
    client.send(get('/1') + get('/2') + old('/3') + get('/4'));
    const text = await client.untilEnd();
    expect(text.match(/Connection: close/g)).toHaveLength(1);
    expect(door.served.map(({ target }) => target)).toEqual(['/1', '/2', '/3']);
  });

  it('says close where the listener drains', async () => {
    const answers: Downstream[] = [];
    const door = new FakeDoor((_intake, downstream) => void answers.push(downstream));
    const { port, listener } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    client.send(get('/1') + old('/2'));
    await door.until(({ served }) => served.length === 1);
    const drained = listener.drain(10_000);
    answers[0]!.answer(200, [], 'one');
    await door.until(({ served }) => served.length === 2);
    answers[1]!.answer(200, [], 'two');
    const text = await client.untilEnd();
    expect(text).toMatch(/one[^]*Connection: close\r\n[^]*two$/);
    await drained;
  });

  it('is read to its end by the lane that has it: a head in very many pieces', async () => {
    const { port } = await openListener({ lane: 'auto' });
    const client = await connectRaw(port);
    const head = get('/slow', `X: ${'y'.repeat(40)}\r\n`);
    for (const byte of head.slice(0, -1)) {
      client.send(byte);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect((await exchange(client, '\n')).target).toBe('/slow');
  });
});

it('reads a head that is larger than what may wait behind an answer', async () => {
  const { port } = await openListener({
    lane: 'auto',
    limits: { maxHeaderBytes: 512 * 1024, headerTimeoutMs: 2000 },
  });
  const client = await connectRaw(port);
  const value = 'y'.repeat(200 * 1024);
  client.send(get('/', `X: ${value}\r\n`));
  const head = await client.untilHead();
  expect(head).toMatch(/^HTTP\/1.1 200 /);
});

describe('an answer', () => {
  it('leaves in one write with its head, its body and its end', async () => {
    const door = new FakeDoor((_intake, downstream) => {
      downstream.head(200, 'OK', ['X-A', 'b'], undefined);
      downstream.write(Buffer.from('some'));
      downstream.write(Buffer.from('more'));
      downstream.end(['X-Sum', '8']);
    });
    const { port } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    const reads = countReads(client);
    await client.send(get('/')).untilText('X-Sum: 8\r\n\r\n');
    expect(reads()).toBe(1);
    expect(client.text).toMatch(/\r\n\r\n4\r\nsome\r\n4\r\nmore\r\n0\r\nX-Sum: 8\r\n\r\n$/);
  });

  it('leaves with those to the requests that came with its own', async () => {
    const door = new FakeDoor(({ target }, downstream) => downstream.answer(200, [], target));
    const { port } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    const reads = countReads(client);
    await client.send(get('/1') + get('/2') + get('/3')).untilText('\r\n\r\n/3');
    expect(reads()).toBe(1);
    expect(door.closed).toEqual(
      Array.from({ length: 3 }, () => ({ complete: true, bytesSent: 2 })),
    );
  });

  it('is not lost where the next one is broken off in the same turn', async () => {
    const door = new FakeDoor(({ target }, downstream) =>
      target === '/1' ? downstream.answer(200, [], 'first') : downstream.abort(),
    );
    const { port } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    expect(await client.send(get('/1') + get('/2')).untilClosed()).toMatch(/first$/);
    expect(door.closed.map(({ complete }) => complete)).toEqual([true, false]);
  });

  it('frames itself, whatever its fields say', async () => {
    const fields = ['Content-Length', '99', 'transfer-encoding', 'gzip', 'Connection', 'upgrade'];
    const door = new FakeDoor((_intake, downstream) => downstream.answer(200, fields, 'ok'));
    const { port } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    await client.send(get('/')).untilText('\r\n\r\nok');
    expect(client.text.match(/^(?:content-length|transfer-encoding|connection): .*/gim)).toEqual([
      'Content-Length: 2',
      'Connection: keep-alive',
    ]);
  });

  it('of which no byte has left can be taken back', async () => {
    const door = new FakeDoor((_intake, downstream) => {
      downstream.head(200, 'OK', ['X-Wrong', '1'], 5);
      expect(downstream.retract()).toBe(true);
      downstream.answer(502, [], 'sorry');
    });
    const { port } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    await client.send(get('/')).untilText('sorry');
    expect(client.text).not.toContain('X-Wrong');
  });

  it('is complete when the client has it, over a connection that was full', async () => {
    const answers: Downstream[] = [];
    const door = new FakeDoor((_intake, downstream) => void answers.push(downstream));
    const { port } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    client.socket.pause();
    client.send(get('/1') + get('/2'));
    await door.until(({ served }) => served.length === 1);
    answers[0]!.answer(200, [], Buffer.alloc(32 * 1024 * 1024));
    expect(door.closed).toEqual([]);
    expect(door.served).toHaveLength(1);
    client.socket.resume();
    await door.until(({ served }) => served.length === 2);
    expect(door.closed[0]!.complete).toBe(true);
  });
});

describe('a body', () => {
  it('that came with its head is handed on before `start` returns, its pieces not copied', async () => {
    const sizes: number[] = [];
    let isEnded = false;
    const door = new FakeDoor((intake, downstream) => {
      intake.body!.start({
        onData: (chunk) => void sizes.push(chunk.length),
        onEnd: () => (isEnded = true),
        onError: () => undefined,
      });
      downstream.answer(200, [], String(isEnded));
    });
    const { port } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    await client.send(`${head}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`).untilText('\r\n\r\ntrue');
    expect(sizes).toEqual([3, 2]);
  });

  it('is held back and let go by its reader, with what waited in order', async () => {
    const chunks: string[] = [];
    let go: (() => void) | undefined;
    const door = new FakeDoor((intake, downstream) => {
      const body = intake.body!;
      go = () => body.resume();
      body.start({
        onData: (chunk) => {
          chunks.push(Buffer.from(chunk).toString());
          body.pause();
        },
        onEnd: () => downstream.answer(200, [], 'all'),
        onError: () => undefined,
      });
    });
    const { port } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    client.send('1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n');
    for (const expected of ['a', 'b', 'c']) {
      await expect.poll(() => chunks.at(-1)).toBe(expected);
      expect(client.text).toBe('');
      go!();
    }
    await client.untilText('all');
  });

  it('whose end is lost is told to its reader, and ends the connection', async () => {
    const door = new FakeDoor((intake, downstream) =>
      readBody(intake, (_body, _trailers, error) =>
        downstream.answer(error === undefined ? 200 : 400, [], 'told'),
      ),
    );
    const { port } = await openListener({ door, lane: 'auto' });
    const client = await connectRaw(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab');
    const text = await client.untilEnd();
    expect(text).toMatch(/^HTTP\/1.1 400 [^]*Connection: close\r\n[^]*told$/);
  });
});
