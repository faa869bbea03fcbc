import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { createHttp1Upstream } from '../../../src/mesh/transport/http1-upstream.ts';
import { LIMITS, requestOf } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';
import { createRawOrigin } from './http1-origins.ts';
import type { RawPeer } from './http1-origins.ts';
import { fetchOnce, record, upstreamFixtures } from './http1-test-upstream.ts';

const open = upstreamFixtures();

/** An origin whose answers the test gives by hand, in the order of the requests. */
function byHand(): { onRequest: (peer: RawPeer) => void; next: () => Promise<RawPeer> } {
  const arrived: RawPeer[] = [];
  const wanted: ((peer: RawPeer) => void)[] = [];
  return {
    onRequest: (peer) => {
      const want = wanted.shift();
      if (want === undefined) arrived.push(peer);
      else want(peer);
    },
    next: () => {
      const peer = arrived.shift();
      if (peer !== undefined) return Promise.resolve(peer);
      return new Promise((resolve) => wanted.push(resolve));
    },
  };
}

function answer({ socket }: RawPeer): void {
  socket.write('HTTP/1.1 204 No Content\r\n\r\n');
}

describe('the pool of HTTP/1.1 connections', () => {
  it('uses the connection that became idle last', async () => {
    const { onRequest, next } = byHand();
    const { upstream } = await open(createRawOrigin(onRequest));
    const first = record(upstream);
    const second = record(upstream);
    const [one, two] = [await next(), await next()];
    expect(upstream.connections).toBe(2);
    answer(one);
    await Promise.race([first.ended(), second.ended()]);
    answer(two);
    await Promise.all([first.ended(), second.ended()]);
    record(upstream);
    const third = await next();
    expect(third.connection).toBe(two.connection);
    expect(third.request).toBe(2);
  });

  it('opens no more than maxConnections, and serves what waits in its order', async () => {
    const { onRequest, next } = byHand();
    const { origin, upstream } = await open(createRawOrigin(onRequest), { maxConnections: 1 });
    const targets = ['/1', '/2', '/3', '/4'];
    const sinks = targets.map((target) => record(upstream, { target }));
    const heads: string[] = [];
    for (const sink of sinks) {
      const peer = await next();
      heads.push(peer.head.split(' ')[1]!);
      answer(peer);
      await sink.ended();
    }
    expect(heads).toEqual(targets);
    expect(origin.accepted()).toBe(1);
    expect(sinks.map((sink) => sink.reused)).toEqual([false, true, true, true]);
  });

  it('opens a new connection beside idle ones for a try that wants a fresh one', async () => {
    const { onRequest, next } = byHand();
    const { upstream } = await open(createRawOrigin(onRequest));
    const first = record(upstream);
    answer(await next());
    await first.ended();
    const second = record(upstream, { fresh: true });
    answer(await next());
    expect((await second.ended()).reused).toBe(false);
    expect(upstream.connections).toBe(2);
  });

  it('closes an idle connection where the limit leaves no room for a fresh one', async () => {
    const { onRequest, next } = byHand();
    const { origin, upstream } = await open(createRawOrigin(onRequest), {
      maxConnections: 1,
      maxPending: 0,
    });
    const first = record(upstream);
    answer(await next());
    await first.ended();
    const second = record(upstream, { fresh: true });
    answer(await next());
    expect((await second.ended()).reused).toBe(false);
    expect([origin.accepted(), upstream.connections]).toEqual([2, 1]);
  });

  it('gives a connection that becomes idle to whoever does not want a fresh one', async () => {
    const { onRequest, next } = byHand();
    const { origin, upstream } = await open(createRawOrigin(onRequest), { maxConnections: 1 });
    const first = record(upstream, { target: '/1' });
    const fresh = record(upstream, { target: '/2', fresh: true });
    const third = record(upstream, { target: '/3' });
    const targets: string[] = [];
    for (const sink of [first, third, fresh]) {
      const peer = await next();
      targets.push(peer.head.split(' ')[1]!);
      answer(peer);
      await sink.ended();
    }
    expect(targets).toEqual(['/1', '/3', '/2']);
    expect([first.reused, third.reused, fresh.reused]).toEqual([false, true, false]);
    expect(origin.accepted()).toBe(2);
  });

  it('fails with overflow what is more than maxPending, after send has returned', async () => {
    const { onRequest, next } = byHand();
    const { upstream } = await open(createRawOrigin(onRequest), {
      maxConnections: 1,
      maxPending: 1,
    });
    const first = record(upstream);
    const second = record(upstream);
    const third = record(upstream);
    expect(third.calls).toEqual([]);
    expect(await third.failed()).toMatchObject({ failure: 'overflow', sent: false });
    for (const sink of [first, second]) {
      answer(await next());
      await sink.ended();
    }
  });

  it('lets another wait in the place of a try that was given up', async () => {
    const { onRequest, next } = byHand();
    const { upstream } = await open(createRawOrigin(onRequest), {
      maxConnections: 1,
      maxPending: 1,
    });
    const first = record(upstream, { target: '/1' });
    const abandoned = new UpstreamRecorder();
    upstream.send(requestOf({ target: '/2' }), abandoned).abort();
    const third = record(upstream, { target: '/3' });
    answer(await next());
    await first.ended();
    const peer = await next();
    expect(peer.head).toContain('GET /3 ');
    answer(peer);
    await third.ended();
    expect(abandoned.calls).toEqual([]);
  });

  it('opens another connection for what waits when one is lost', async () => {
    const { onRequest, next } = byHand();
    const { upstream } = await open(createRawOrigin(onRequest), { maxConnections: 1 });
    const first = record(upstream);
    const second = record(upstream);
    (await next()).socket.resetAndDestroy();
    expect(await first.failed()).toMatchObject({ failure: 'reset' });
    answer(await next());
    await second.ended();
    expect(second.reused).toBe(false);
  });

  it('fails one waiting try for each connection that cannot be had', async () => {
    const origin = await createRawOrigin(() => {});
    await origin.close();
    const upstream = createHttp1Upstream(origin.target, { ...LIMITS, maxConnections: 1 });
    const sinks = [record(upstream), record(upstream), record(upstream)];
    const errors = await Promise.all(sinks.map((sink) => sink.failed()));
    expect(errors.map(({ failure, sent }) => [failure, sent])).toEqual([
      ['connect', false],
      ['connect', false],
      ['connect', false],
    ]);
    await upstream.close();
  });

  it('fails with connect where the host is no host', async () => {
    const target = { host: '127.0.0.1', port: 70_000, protocol: 'http1' } as const;
    const upstream = createHttp1Upstream(target, LIMITS);
    expect(await record(upstream).failed()).toMatchObject({ failure: 'connect', sent: false });
    await upstream.close();
  });

  it('fails with connect-timeout where nobody accepts', async () => {
    const silent = await createSilentListener();
    try {
      const target = { host: '127.0.0.1', port: silent.port, protocol: 'http1' } as const;
      const upstream = createHttp1Upstream(target, { ...LIMITS, connectTimeoutMs: 200 });
      const startedAt = performance.now();
      const error = await record(upstream).failed();
      expect(error).toMatchObject({ failure: 'connect-timeout', sent: false, reused: false });
      expect(performance.now() - startedAt).toBeGreaterThan(190);
      await upstream.close();
    } finally {
      silent.close();
    }
  });

  it('finishes what waits before close resolves', async () => {
    const { onRequest, next } = byHand();
    const { upstream } = await open(createRawOrigin(onRequest), { maxConnections: 1 });
    const sinks = [record(upstream), record(upstream)];
    const closed = upstream.close();
    for (const sink of sinks) {
      answer(await next());
      await sink.ended();
    }
    await closed;
    expect(upstream.connections).toBe(0);
  });

  it('fails what waits when it is destroyed', async () => {
    const { onRequest, next } = byHand();
    const { upstream } = await open(createRawOrigin(onRequest), { maxConnections: 1 });
    const sinks = [record(upstream), record(upstream)];
    await next();
    upstream.destroy();
    const errors = await Promise.all(sinks.map((sink) => sink.failed()));
    expect(errors.map(({ failure, sent }) => [failure, sent])).toEqual([
      ['reset', true],
      ['reset', false],
    ]);
    await upstream.close();
  });

  it('sets no timer and adds no listener for each request', async () => {
    const peers: RawPeer[] = [];
    const { upstream } = await open(
      createRawOrigin((peer) => {
        peers.push(peer);
        answer(peer);
      }),
    );
    const timeouts = { responseTimeoutMs: 15_000, idleTimeoutMs: 60_000 };
    await fetchOnce(upstream, timeouts);
    const setTimeoutSpy = vi.spyOn(globalThis, 'setTimeout');
    for (let i = 0; i < 100; i++) await fetchOnce(upstream, timeouts);
    const timersSet = setTimeoutSpy.mock.calls.length;
    setTimeoutSpy.mockRestore();
    expect(peers).toHaveLength(101);
    expect(timersSet).toBeLessThan(5);
  });
});

/** A listener whose queue is full and whose process accepts nothing: further SYNs are dropped. */
async function createSilentListener(): Promise<{ port: number; close: () => void }> {
  const program = `
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(text.toString());
  const fillers: Socket[] = [];
  // A backlog of 1 holds two.
  for (let i = 0; i < 2; i++) {
    const filler = connect(port, '127.0.0.1');
    fillers.push(filler);
    await once(filler, 'connect');
  }
  return {
    port,
    close: () => {
      for (const filler of fillers) filler.destroy();
      child.kill('SIGKILL');
    },
  };
}
