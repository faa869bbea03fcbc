/** Bodies of HTTP/1 requests that break off, or that nobody wants. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HeaderFields } from '../../../../src/plugins/sdk/header-fields.ts';
import type { MeshgateError } from '../../../../src/errors.ts';
import type { BodySink, BodySource } from '../../../../src/mesh/transport/body-source.ts';
import { openListener } from '../../listener/open-listener.ts';
import { readBody } from '../fake-door.ts';
import { connectRaw } from '../raw-client.ts';

const nothing: BodySink = {
  onData: () => undefined,
  onEnd: () => undefined,
  onError: () => undefined,
};

describe('a client that leaves', () => {
  it('before the answer is reported', async () => {
    const { port, door } = await openListener();
    door.handler = () => undefined;
    const client = await connectRaw(port);
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    await door.until(({ served }) => served.length === 1);
    client.socket.destroy();
    await door.until(({ closed }) => closed.length === 1);
    expect(door.closed).toEqual([{ complete: false, bytesSent: 0 }]);
  });

  it.for(['Content-Length: 10\r\n\r\nabc', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'])(
    'in the middle of its body (%j) fails the body',
    async (rest) => {
      const { port, door } = await openListener();
      const failed = new Promise<Error | undefined>((resolve) => {
        door.handler = (intake) => readBody(intake, (_body, _trailers, error) => resolve(error));
      });
      const client = await connectRaw(port);
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
      await door.until(({ served }) => served.length === 1);
      client.socket.end();
      expect(await failed).toMatchObject({ code: 'client_closed_request' });
      await door.until(({ closed }) => closed.length === 1);
      expect(door.closed[0]!.complete).toBe(false);
    },
  );
});

describe('a body that comes too slowly', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n';

  it('is refused with 408 after ten seconds below its rate', async () => {
    const { port, door } = await openListener({ limits: { minBodyRate: 100 } });
    let received = 0;
    door.handler = (intake, downstream) =>
      intake.body!.start({
        ...nothing,
        onData: (chunk) => void (received += chunk.length),
        onError: (error) => {
          const { status, message } = error as MeshgateError;
          downstream.answer(status, [], message);
        },
      });
    const client = await connectRaw(port);
    // Enough for eleven seconds.
    client.send(head).send('x'.repeat(1100));
    await expect.poll(() => received).toBe(1100);
    vi.advanceTimersByTime(11_000);
    client.send('x');
    await expect.poll(() => received).toBe(1101);
    vi.advanceTimersByTime(1000);
    expect(await client.untilEnd()).toMatch(
      /^HTTP\/1.1 408 [^]*Connection: close\r\n[^]*The request body comes too slowly.$/,
    );
    await door.until(({ closed }) => closed.length === 1);
  });

  it.for(['is not wanted yet', 'is held back', 'has its answer begun'])(
    'but not while it %s',
    async (why) => {
      const { port, door } = await openListener();
      let error: Error | undefined;
      door.handler = ({ body }, downstream) => {
        if (why === 'is not wanted yet') return;
        body!.start({ ...nothing, onError: (failure) => void (error = failure) });
        if (why === 'is held back') body!.pause();
        else {
          downstream.head(200, '', new HeaderFields(), undefined);
          downstream.write(Buffer.from('so far'));
        }
      };
      const client = await connectRaw(port);
      client.send(head);
      await door.until(({ served }) => served.length === 1);
      vi.advanceTimersByTime(60_000);
      expect(error).toBeUndefined();
      expect(client.ended).toBe(false);
    },
  );

  it('may where there is no such limit', async () => {
    const { port, door } = await openListener({ limits: { minBodyRate: 0 } });
    let error: Error | undefined;
    door.handler = ({ body }) =>
      body!.start({ ...nothing, onError: (failure) => void (error = failure) });
    const client = await connectRaw(port);
    client.send(head);
    await door.until(({ served }) => served.length === 1);
    vi.advanceTimersByTime(60_000);
    expect(error).toBeUndefined();
  });
});

describe('a body that nobody wants', () => {
  it('is dropped, if small, and the connection goes on', async () => {
    const { port, door } = await openListener();
    door.handler = (intake, downstream) => {
      intake.body?.cancel();
      downstream.answer(403, [], 'no');
    };
    const client = await connectRaw(port);
    client.send('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n');
    await client.untilText('no');
    expect(client.text).toContain('Connection: keep-alive');
    client.send(Buffer.alloc(60_000)).send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await door.until(({ served }) => served.length === 2);
    expect(door.served[1]!.target).toBe('/2');
  });

  it.for([
    ['large', 'Content-Length: 10000000\r\n\r\n'],
    ['of unknown length', 'Transfer-Encoding: chunked\r\n\r\n'],
  ] as const)('ends the connection after the answer if %s', async ([, head]) => {
    const { port, door } = await openListener();
    door.handler = (_intake, downstream) => downstream.answer(403, [], 'no');
    const client = await connectRaw(port);
    client.send(`POST /1 HTTP/1.1\r\nHost: a\r\n${head}`);
    const text = await client.untilEnd();
    expect(text).toContain('Connection: close');
    expect(text.endsWith('no')).toBe(true);
  });

  it('ends the connection when it is given up after the head was sent', async () => {
    const { port, door } = await openListener();
    door.handler = (intake, downstream) => {
      intake.body!.start(nothing);
      downstream.head(200, '', new HeaderFields(), 2);
      downstream.write(Buffer.from('ok'));
      intake.body!.cancel();
      downstream.end();
    };
    const client = await connectRaw(port);
    client.send('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nabc');
    expect((await client.untilEnd()).endsWith('ok')).toBe(true);
    client.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.untilClosed();
    expect(door.served).toHaveLength(1);
  });

  it('stops coming while it is paused', async () => {
    const { port, door } = await openListener();
    let source: BodySource | undefined;
    let received = 0;
    const ended = new Promise<void>((resolve) => {
      door.handler = (intake) => {
        source = intake.body!;
        source.start({
          ...nothing,
          onData: (chunk) => {
            if (received === 0) source!.pause();
            received += chunk.length;
          },
          onEnd: () => resolve(),
        });
      };
    });
    const total = 32 * 1024 * 1024;
    const upload = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'PUT',
      headers: { 'content-length': total },
    });
    upload.on('error', () => undefined);
    expect(upload.write(Buffer.alloc(total - 1))).toBe(false);
    await door.until(({ served }) => served.length === 1);
    // The client cannot get rid of it: what is under way is bounded by the sockets' buffers.
    const socket = upload.socket ?? ((await once(upload, 'socket'))[0] as never);
    let stuck = -1;
    while (stuck !== socket.writableLength) {
      stuck = socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(stuck).toBeGreaterThan(0);
    expect(received).toBeLessThan(total / 2);
    source!.resume();
    upload.end(Buffer.alloc(1));
    await ended;
    expect(received).toBe(total);
    upload.destroy();
  });
});
