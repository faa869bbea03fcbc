import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ManualBody, readyBody } from '../../contracts/test-body-source.ts';
import { createRawOrigin } from './http1-origins.ts';
import type { RawPeer } from './http1-origins.ts';
import { fetchOnce, record, upstreamFixtures } from './http1-test-upstream.ts';

const open = upstreamFixtures();

/** A complete answer that names the connection it came over. */
function ok({ connection }: RawPeer, fields = ''): string {
  const body = `on ${connection}`;
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';

describe('an HTTP/1.1 connection that was used', () => {
  it('carries the next request', async () => {
    const { upstream } = await open(createRawOrigin((peer) => peer.socket.write(ok(peer))));
    for (let i = 0; i < 5; i++) {
      expect((await fetchOnce(upstream)).text).toBe('on 1');
    }
    expect(upstream.connections).toBe(1);
  });

  it('is not used again once bytes came that nobody asked for', async () => {
    let last: Socket | undefined;
    const { upstream } = await open(
      createRawOrigin((peer) => {
        last = peer.socket;
        peer.socket.write(ok(peer));
      }),
    );
    await fetchOnce(upstream);
    const closed = once(last!, 'close');
    last!.write(EVIL);
    await closed;
    expect(upstream.connections).toBe(0);
    expect((await fetchOnce(upstream)).text).toBe('on 2');
  });

  it('is not used again where bytes came with the answer beyond its end', async () => {
    const { upstream } = await open(createRawOrigin((peer) => peer.socket.write(ok(peer) + EVIL)));
    expect((await fetchOnce(upstream)).text).toBe('on 1');
    expect(upstream.connections).toBe(0);
    expect((await fetchOnce(upstream)).text).toBe('on 2');
  });

  it.each([
    ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
    [
      'a keep-alive of one second',
      'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nhi',
    ],
  ])('is closed after an answer with %s', async (_, answer) => {
    const { origin, upstream } = await open(createRawOrigin(({ socket }) => socket.write(answer)));
    expect((await fetchOnce(upstream)).text).toBe('hi');
    expect(upstream.connections).toBe(0);
    expect((await fetchOnce(upstream)).reused).toBe(false);
    expect(origin.accepted()).toBe(2);
  });

  it('is closed after it has been idle for keepAliveMs', async () => {
    let last: Socket | undefined;
    const { upstream } = await open(
      createRawOrigin((peer) => {
        last = peer.socket;
        peer.socket.write(ok(peer));
      }),
      { keepAliveMs: 100 },
    );
    await fetchOnce(upstream);
    const idleSince = performance.now();
    await once(last!, 'close');
    expect(performance.now() - idleSince).toBeGreaterThan(90);
    expect(upstream.connections).toBe(0);
  });

  it('is closed one second before the upstream said that it would', async () => {
    let last: Socket | undefined;
    const { upstream } = await open(
      createRawOrigin((peer) => {
        last = peer.socket;
        peer.socket.write(ok(peer, 'Keep-Alive: timeout=2\r\n'));
      }),
    );
    await fetchOnce(upstream);
    const idleSince = performance.now();
    await once(last!, 'close');
    expect(performance.now() - idleSince).toBeGreaterThan(950);
  });

  it('leaves the pool when the upstream closes it', async () => {
    const sockets: Socket[] = [];
    const { upstream } = await open(
      createRawOrigin((peer) => {
        sockets.push(peer.socket);
        peer.socket.write(ok(peer));
      }),
    );
    await fetchOnce(upstream);
    const closed = once(sockets[0]!, 'close');
    sockets[0]!.end();
    await closed;
    expect(upstream.connections).toBe(0);
    const next = await fetchOnce(upstream);
    expect([next.text, next.reused]).toEqual(['on 2', false]);
  });

  it('fails a try with the facts of the keep-alive race where it ends on the second request', async () => {
    const { upstream } = await open(
      createRawOrigin((peer) => {
        if (peer.request === 1) peer.socket.write(ok(peer));
        else peer.socket.end();
      }),
    );
    await fetchOnce(upstream);
    const facts = { failure: 'reset', sent: true, answered: false, reused: true };
    expect(await record(upstream).failed()).toMatchObject(facts);
    expect((await fetchOnce(upstream)).text).toBe('on 2');
  });

  it('is closed, and the body cancelled, where the answer ends before the request', async () => {
    const { upstream } = await open(createRawOrigin((peer) => peer.socket.write(ok(peer))));
    const body = new ManualBody();
    const sink = record(upstream, { method: 'POST', body });
    await sink.ended();
    expect(sink.text).toBe('on 1');
    expect(body.isCancelled).toBe(true);
    expect((await fetchOnce(upstream)).text).toBe('on 2');
  });

  it('is closed where the upstream answered without awaiting an expected body', async () => {
    const { upstream } = await open(createRawOrigin((peer) => peer.socket.write(ok(peer))));
    const body = new ManualBody(3);
    await fetchOnce(upstream, { method: 'POST', body, expectContinue: true });
    expect([body.isStarted, body.isCancelled]).toEqual([false, false]);
    expect((await fetchOnce(upstream)).text).toBe('on 2');
  });

  it('carries the next request after one with a body', async () => {
    const { upstream } = await open(createRawOrigin((peer) => peer.socket.write(ok(peer))));
    for (let i = 0; i < 3; i++) {
      const body = readyBody('hello', { length: 5 });
      expect((await fetchOnce(upstream, { method: 'POST', body })).text).toBe('on 1');
    }
  });
});
