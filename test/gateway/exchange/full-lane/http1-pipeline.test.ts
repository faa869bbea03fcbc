/** Requests that come before the answers to those before them, and clients that end their side. */
import { describe, expect, it } from 'vitest';
import { HeaderFields } from '../../../../src/plugins/sdk/header-fields.ts';
import type { Downstream } from '../../../../src/gateway/exchange/lane.ts';
import { openListener } from '../../listener/open-listener.ts';
import { FakeDoor } from '../fake-door.ts';
import { connectRaw } from '../raw-client.ts';

/** A door whose requests are answered when the test says so. */
function createSlowDoor(): { readonly door: FakeDoor; readonly answers: Downstream[] } {
  const answers: Downstream[] = [];
  const door = new FakeDoor((_intake, downstream) => void answers.push(downstream));
  return { door, answers };
}

const get = (path: string, ...lines: string[]): string =>
  ['GET ', path, ' HTTP/1.1\r\nHost: a\r\n', ...lines.map((line) => `${line}\r\n`), '\r\n'].join(
    '',
  );

describe('a pipelined request', () => {
  it('is served when the one before it has been answered', async () => {
    const { door, answers } = createSlowDoor();
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(get('/1') + get('/2'));
    await door.until(({ served }) => served.length === 1);
    answers[0]!.informational(103, ['Link', '</x>']);
    await client.untilText('103');
    expect(door.served.map(({ target }) => target)).toEqual(['/1']);
    answers[0]!.answer(200, [], 'first');
    await door.until(({ served }) => served.length === 2);
    expect(client.text).not.toMatch(/connection: close/i);
    answers[1]!.answer(200, [], 'second');
    await client.untilText('second');
    expect(client.text.match(/HTTP\/1.1 \d+/g)).toEqual([
      'HTTP/1.1 103',
      'HTTP/1.1 200',
      'HTTP/1.1 200',
    ]);
    client.send(get('/3'));
    await door.until(({ served }) => served.length === 3);
  });

  it('is refused in its turn, and is the last', async () => {
    const { door, answers } = createSlowDoor();
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(get('/1') + get('/2') + get('/3', 'Host: b') + get('/4'));
    for (const n of [0, 1]) {
      await door.until(({ served }) => served.length === n + 1);
      expect(door.refused).toEqual([]);
      answers[n]!.answer(200, [], 'served');
    }
    const text = await client.untilEnd();
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(text.match(/Connection: close/g)).toHaveLength(1);
    expect(door.served).toHaveLength(2);
  });

  it('has its body wait for it', async () => {
    const door = new FakeDoor();
    const { handler } = door;
    const waiting: (() => void)[] = [];
    door.handler = (...call) => void waiting.push(() => handler(...call));
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(`${get('/1')}POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    await door.until(({ served }) => served.length === 1);
    client.send('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n');
    // Another connection's exchange shows that this has arrived.
    const other = await connectRaw(port);
    other.send(get('/other'));
    await door.until(({ served }) => served.length === 2);
    waiting[0]!();
    await door.until(({ served }) => served.length === 3);
    waiting[2]!();
    await client.untilText('"trailers":["X-Sum","1"]');
    expect(client.text).toContain('"body":"hello"');
  });

  it('whose body breaks off is answered in its turn', async () => {
    const { door, answers } = createSlowDoor();
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(
      `${get('/1')}POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    );
    await door.until(({ served }) => served.length === 1);
    door.handler = (intake, downstream) =>
      intake.body!.start({
        onData: () => undefined,
        onEnd: () => undefined,
        onError: () => downstream.answer(400, [], 'broken off'),
      });
    answers[0]!.answer(200, [], 'first');
    const text = await client.untilEnd();
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(text).toMatch(/first[^]*broken off$/);
  });

  it('waits in the network, where thousands are behind it', async () => {
    const { door, answers } = createSlowDoor();
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    const count = 200_000;
    client.send(get('/x').repeat(count));
    await door.until(({ served }) => served.length === 1);
    // What is under way is bounded by the sockets' buffers.
    let stuck = -1;
    while (stuck !== client.socket.writableLength) {
      stuck = client.socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(stuck).toBeGreaterThan(0);
    expect(door.served).toHaveLength(1);

    door.handler = (_intake, downstream) => downstream.answer(200, [], undefined);
    answers[0]!.answer(200, [], undefined);
    await door.until(({ served }) => served.length > 5000);
    client.socket.destroy();
  });

  it('is not late where it could not be read', async () => {
    const { door, answers } = createSlowDoor();
    const { port } = await openListener({ door, limits: { headerTimeoutMs: 200 } });
    const client = await connectRaw(port);
    client.send(`${get('/x').repeat(20)}GET /last HTTP/1.1\r\n`);
    await door.until(({ served }) => served.length === 1);
    // By now its own time is over, too.
    const late = await connectRaw(port);
    expect(await late.send('GET / HTTP/1.1\r\n').untilEnd()).toMatch(/^HTTP\/1.1 408 /);

    door.handler = (_intake, downstream) => downstream.answer(200, [], undefined);
    answers[0]!.answer(200, [], undefined);
    client.send('Host: a\r\n\r\n');
    await door.until(({ served }) => served.at(-1)!.target === '/last');
    expect(client.ended).toBe(false);
  });

  it('is late where it does not come once it can', async () => {
    const { door, answers } = createSlowDoor();
    const { port } = await openListener({ door, limits: { headerTimeoutMs: 200 } });
    const client = await connectRaw(port);
    client.send(`${get('/x').repeat(20)}GET /last HTTP/1.1\r\n`);
    await door.until(({ served }) => served.length === 1);
    const late = await connectRaw(port);
    await late.send('GET / HTTP/1.1\r\n').untilEnd();

    door.handler = (_intake, downstream) => downstream.answer(200, [], undefined);
    answers[0]!.answer(200, [], undefined);
    expect(await client.untilEnd()).toMatch(/(?:HTTP\/1.1 200 [^]*){20}HTTP\/1.1 408 /);
  });

  it('is never served when the client has left', async () => {
    const { door } = createSlowDoor();
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(get('/1') + get('/2'));
    await door.until(({ served }) => served.length === 1);
    client.socket.destroy();
    await door.until(({ closed }) => closed.length === 1);
    expect(door.closed).toEqual([{ complete: false, bytesSent: 0 }]);
    expect(door.served).toHaveLength(1);
  });
});

describe('a client that ends its side', () => {
  /** Two exchanges of another connection: what was sent before has been read by then. */
  async function settle(port: number, door: FakeDoor): Promise<void> {
    const { handler } = door;
    const { length } = door.served;
    door.handler = (intake, downstream) =>
      intake.target === '/other'
        ? downstream.answer(200, [], 'other')
        : handler(intake, downstream);
    for (let n = 1; n <= 2; n++) {
      const other = await connectRaw(port);
      await other.send(get('/other')).untilText('other');
    }
    expect(door.served).toHaveLength(length + 2);
  }

  it('gets its answer where it said that it asks for no more', async () => {
    const { door, answers } = createSlowDoor();
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(get('/', 'Connection: close')).socket.end();
    await door.until(({ served }) => served.length === 1);
    await settle(port, door);
    answers[0]!.head(200, '', new HeaderFields(), 10);
    answers[0]!.write(Buffer.from('first'));
    await client.untilText('first');
    answers[0]!.write(Buffer.from('other'));
    answers[0]!.end();
    expect(await client.untilClosed()).toMatch(
      // On a busy machine it may be asked first whether it is still there.
      /^(?:HTTP\/1.1 100 Continue\r\n\r\n)?HTTP\/1.1 200 [^]*Connection: close[^]*firstother$/,
    );
    await door.until(({ closed }) => closed.length === 3);
    expect(door.closed.at(-1)).toEqual({ complete: true, bytesSent: 10 });
  });

  it('gets all its answers where the last says so', async () => {
    const { door, answers } = createSlowDoor();
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(get('/1') + get('/2', 'Connection: close')).socket.end();
    await door.until(({ served }) => served.length === 1);
    await settle(port, door);
    answers[0]!.answer(200, [], 'one');
    await door.until(({ served }) => served.at(-1)!.target === '/2');
    answers[1]!.answer(200, [], 'two');
    expect(await client.untilClosed()).toMatch(/\r\n\r\none[^]*\r\n\r\ntwo$/);
  });

  it('gets an answer that is on its way', async () => {
    const { port, door } = await openListener();
    const body = 'x'.repeat(32 * 1024 * 1024);
    door.handler = (_intake, downstream) => downstream.answer(200, [], body);
    const client = await connectRaw(port);
    client.socket.pause();
    client.send(get('/')).socket.end();
    await door.until(({ served }) => served.length === 1);
    client.socket.resume();
    expect((await client.untilClosed()).length).toBeGreaterThan(body.length);
    expect(door.closed).toEqual([{ complete: true, bytesSent: body.length }]);
  });

  it('has left where it might have asked for more', async () => {
    const { door } = createSlowDoor();
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(get('/')).socket.end();
    await door.until(({ closed }) => closed.length === 1);
    expect(door.closed).toEqual([{ complete: false, bytesSent: 0 }]);
    expect(await client.untilClosed()).toBe('');
  });

  it('amid its body gets nothing', async () => {
    const { door } = createSlowDoor();
    door.handler = (intake, downstream) =>
      intake.body!.start({
        onData: () => undefined,
        onEnd: () => undefined,
        onError: () => downstream.answer(499, [], 'too late'),
      });
    const { port } = await openListener({ door });
    const client = await connectRaw(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\nabc');
    client.socket.end();
    expect(await client.untilClosed()).toBe('');
    await door.until(({ closed }) => closed.length === 1);
  });
});
