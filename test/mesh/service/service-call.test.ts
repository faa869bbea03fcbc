import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { TryHead } from '../../../src/mesh/service/call.ts';
import { ManualBody, readyBody } from '../../contracts/test-body-source.ts';
import { createNodeOrigin, createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import {
  CallRecorder,
  createRefusingTarget,
  serviceFixtures,
  startCall,
  toSpec,
} from './service-fixture.ts';

const open = serviceFixtures();

const HEAD: TryHead = { target: '/', authority: 'orders.test', headers: [] };

function ok({ socket }: RawPeer, body = 'ok'): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

/** Never answers. */
const silent = (): void => {};

describe('the timeout of a call', () => {
  it('fails it before the head of the answer with `timeout`', async () => {
    const origin = await open.origin(createRawOrigin(silent));
    const { service } = open.service([toSpec(origin.target)]);
    const { sink } = startCall(service, { timeoutMs: 50 });
    expect(await sink.failed()).toMatchObject({ failure: 'timeout', answered: false });
    expect(sink.tries).toHaveLength(1);
  });

  it('breaks the answer off after its head', async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      }),
    );
    const { service } = open.service([toSpec(origin.target)]);
    const { sink } = startCall(service, { timeoutMs: 100 });
    expect(await sink.failed()).toMatchObject({ failure: 'timeout', answered: true });
    expect(sink.calls).toEqual(['head', 'data', 'error']);
  });

  it('includes all tries and the waits between them', async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    // Waits of almost 250 ms, of which a handful would be needed for all attempts.
    const { service } = open.service([toSpec(origin.target)], {
      retry: { attempts: 100 },
      random: () => 0.999,
    });
    const { sink } = startCall(service, { timeoutMs: 300 });
    expect(await sink.failed()).toMatchObject({ failure: 'timeout' });
    expect(sink.tries.length).toBeLessThan(10);
  });
});

describe('perTryTimeout', () => {
  it('gives a try up, and another follows where the rules list timeouts', async () => {
    const slow = await open.origin(createRawOrigin(silent));
    const quick = await open.origin(createRawOrigin((peer) => ok(peer)));
    const { service, retries } = open.service([toSpec(slow.target), toSpec(quick.target)], {
      retry: { on: ['timeout'] },
    });
    const { sink } = startCall(service, { perTryTimeoutMs: 100 });
    expect((await sink.ended()).text).toBe('ok');
    expect(retries).toEqual(['timeout']);
  });

  it('fails the call where they do not', async () => {
    const slow = await open.origin(createRawOrigin(silent));
    const { service } = open.service([toSpec(slow.target)]);
    const { sink } = startCall(service, { perTryTimeoutMs: 50 });
    expect(await sink.failed()).toMatchObject({ failure: 'timeout', sent: true });
  });

  it('counts as a failure to connect while the try has no connection', async () => {
    const held: RawPeer[] = [];
    const origin = await open.origin(createRawOrigin((peer) => held.push(peer)));
    const { service, retries } = open.service([toSpec(origin.target)], {
      circuitBreaker: { maxRequests: 10, maxPending: 10, maxConnections: 1 },
      retry: { attempts: 1 },
    });
    const first = startCall(service);
    const second = startCall(service, { method: 'POST', perTryTimeoutMs: 50 });
    expect(await second.sink.failed()).toMatchObject({ failure: 'connect-timeout', sent: false });
    expect(retries).toEqual(['connect-failure']);
    first.abort();
  });
});

describe('the circuit breaker', () => {
  const one = { circuitBreaker: { maxRequests: 1, maxPending: 8, maxConnections: 8 } };

  it('refuses a call beyond maxRequests with circuit_open', async () => {
    const origin = await open.origin(createRawOrigin(silent));
    const { service } = open.service([toSpec(origin.target)], one);
    const first = startCall(service);
    const { sink } = startCall(service);
    expect(await sink.failed()).toMatchObject({ code: 'circuit_open', status: 503 });
    expect(sink.tries).toEqual([]);
    first.abort();
  });

  it('gives the place back when a call ends', async () => {
    const origin = await open.origin(createRawOrigin((peer) => ok(peer)));
    const { service } = open.service([toSpec(origin.target)], one);
    await startCall(service).sink.ended();
    await startCall(service).sink.ended();
  });

  it('gives the place back when a call fails', async () => {
    const dead = await createRefusingTarget();
    const { service } = open.service([toSpec(dead)], one);
    await startCall(service).sink.failed();
    expect(await startCall(service).sink.failed()).toMatchObject({ failure: 'connect' });
  });

  it('gives the place back when a call is given up', async () => {
    const origin = await open.origin(createRawOrigin(silent));
    const { service } = open.service([toSpec(origin.target)], one);
    startCall(service).abort();
    const next = startCall(service);
    expect(next.sink.error).toBeUndefined();
    next.abort();
    next.abort();
    expect(service.breaker.active).toBe(0);
  });

  it('gives the place back when no endpoint could be chosen', async () => {
    const { service } = open.service([], one);
    for (let i = 0; i < 2; i++) {
      expect(await startCall(service).sink.failed()).toMatchObject({ code: 'no_healthy_endpoint' });
    }
  });

  it('keeps the place of an upgraded call until its tunnel has closed', async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n');
      }),
    );
    const { service } = open.service([toSpec(origin.target)], one);
    const [endpoint] = service.endpoints;
    const { sink, abort } = startCall(service, { upgrade: 'echo' });
    await sink.until(({ tunnel }) => tunnel !== undefined);
    expect(await startCall(service).sink.failed()).toMatchObject({ code: 'circuit_open' });
    // Whoever has the tunnel has taken the call over.
    abort();
    expect([endpoint!.active, service.breaker.active]).toEqual([1, 1]);
    const closed = once(sink.tunnel!, 'close');
    sink.tunnel!.destroy();
    await closed;
    expect([endpoint!.active, service.breaker.active]).toEqual([0, 0]);
  });

  it('counts what the transport refuses, and gives the place back', async () => {
    const origin = await open.origin(createRawOrigin(silent));
    const { service } = open.service([toSpec(origin.target)], {
      circuitBreaker: { maxRequests: 8, maxPending: 0, maxConnections: 1 },
    });
    const first = startCall(service);
    const { sink } = startCall(service);
    expect(await sink.failed()).toMatchObject({ failure: 'overflow' });
    expect(service.breaker.overflows.pending).toBe(1);
    expect(service.breaker.active).toBe(1);
    first.abort();
  });
});

describe('the head of a try', () => {
  it('is asked for anew for each try, with the endpoint it goes to', async () => {
    const dead = await createRefusingTarget();
    const origin = await open.origin(createRawOrigin((peer) => ok(peer, peer.head.split(' ')[1])));
    const { service } = open.service([toSpec(dead), toSpec(origin.target)]);
    const { sink } = startCall(service, {
      toTry: (endpoint, attempt) => ({ ...HEAD, target: `/${endpoint.spec.port}/${attempt}` }),
    });
    expect((await sink.ended()).text).toBe(`/${origin.target.port}/2`);
  });

  it('may come later', async () => {
    const origin = await open.origin(createRawOrigin((peer) => ok(peer)));
    const { service } = open.service([toSpec(origin.target)]);
    const { sink } = startCall(service, { toTry: () => Promise.resolve(HEAD) });
    expect((await sink.ended()).text).toBe('ok');
  });

  it('that cannot be made ends the call with the error', async () => {
    const origin = await open.origin(createRawOrigin((peer) => ok(peer)));
    const { service } = open.service([toSpec(origin.target)]);
    const error = new Error('the plugin says no');
    const makers = [
      () => {
        throw error;
      },
      () => Promise.reject(error),
    ];
    for (const toTry of makers) {
      const body = new ManualBody();
      const { sink } = startCall(service, { method: 'PUT', toTry, body });
      expect(await sink.failed()).toBe(error);
      expect(body.isCancelled).toBe(true);
    }
    expect(origin.accepted()).toBe(0);
  });
});

describe('giving a call up', () => {
  it('while the head of its try is being made sends nothing', async () => {
    const origin = await open.origin(createRawOrigin((peer) => ok(peer)));
    const { service } = open.service([toSpec(origin.target)]);
    const head = Promise.withResolvers<TryHead>();
    const body = new ManualBody();
    const call = startCall(service, { method: 'PUT', body, toTry: () => head.promise });
    call.abort();
    expect([service.endpoints[0]!.active, body.isCancelled]).toEqual([0, true]);
    head.resolve(HEAD);
    // A call of its own shows that the other would have been heard of by now.
    await startCall(service).sink.ended();
    expect(origin.accepted()).toBe(1);
    expect(call.sink.calls).toEqual([]);
  });

  it('as its try begins sends nothing', async () => {
    const origin = await open.origin(createRawOrigin((peer) => ok(peer)));
    const dead = await createRefusingTarget();
    const { service } = open.service([toSpec(dead), toSpec(origin.target)]);
    const sink = new CallRecorder();
    const call = startCall(service, {}, sink);
    sink.onTried = () => call.abort();
    await sink.tried(2);
    expect(service.breaker.active).toBe(0);
    await startCall(service).sink.ended();
    expect(sink.calls).toEqual([]);
  });

  it('as its body is read closes the connection it was on', async () => {
    const peers: RawPeer[] = [];
    const origin = await open.origin(
      createRawOrigin((peer) => {
        peers.push(peer);
        if (peer.request === 1) ok(peer);
      }),
    );
    const dead = toSpec(await createRefusingTarget(), { priority: 0 });
    const alive = toSpec(origin.target, { priority: 1 });
    const { service, source } = open.service([alive]);
    // With a connection at hand the second try reads the body before it is on its way.
    await startCall(service).sink.ended();
    source.announce([dead, alive]);
    const closed = once(peers[0]!.socket, 'close');
    const call = startCall(service, {
      method: 'PUT',
      body: {
        length: undefined,
        start: () => call.abort(),
        pause() {},
        resume() {},
        cancel() {},
      },
    });
    await closed;
    expect(call.sink.tries).toEqual([dead.id, alive.id]);
    expect(call.sink.calls).toEqual([]);
    expect(service.breaker.active).toBe(0);
  });

  it('in the wait before another try begins none', async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n');
      }),
    );
    const { service, retries } = open.service([toSpec(origin.target)]);
    const call = startCall(service);
    while (retries.length === 0) await new Promise(setImmediate);
    expect(service.endpoints[0]!.active).toBe(0);
    call.abort();
    expect(service.breaker.active).toBe(0);
    // Resolves at once: nothing is left that would call again.
    await service.stop();
    expect(call.sink.tries).toHaveLength(1);
    expect(call.sink.calls).toEqual([]);
  });

  it('in the middle of the answer closes its connection', async () => {
    const peers: RawPeer[] = [];
    const origin = await open.origin(
      createRawOrigin((peer) => {
        peers.push(peer);
        peer.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      }),
    );
    const { service } = open.service([toSpec(origin.target)]);
    const call = startCall(service);
    await call.sink.until(({ bytes }) => bytes === 4);
    const closed = once(peers[0]!.socket, 'close');
    call.abort();
    await closed;
    expect(call.sink.calls).toEqual(['head', 'data']);
  });
});

describe('a pause', () => {
  const BYTES = 4 * 1024 * 1024;

  function flood({ socket }: RawPeer): void {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BYTES}\r\n\r\n`);
    socket.write(Buffer.alloc(BYTES));
  }

  it('made before a try is on its way holds its answer back', async () => {
    const origin = await open.origin(createRawOrigin(flood));
    const { service } = open.service([toSpec(origin.target)]);
    const head = Promise.withResolvers<TryHead>();
    const call = startCall(service, { toTry: () => head.promise });
    call.pause();
    head.resolve(HEAD);
    // In the time that this takes, the other would have been read too.
    expect((await startCall(service).sink.ended()).bytes).toBe(BYTES);
    expect(call.sink.bytes).toBe(0);
    call.resume();
    expect((await call.sink.ended()).bytes).toBe(BYTES);
  });

  it('made between two tries holds for the second', async () => {
    const broken = await open.origin(createRawOrigin(({ socket }) => socket.resetAndDestroy()));
    const origin = await open.origin(createRawOrigin(flood));
    const { service, source } = open.service([toSpec(broken.target), toSpec(origin.target)]);
    const call = startCall(service);
    call.sink.onTried = (_endpoint, attempt) => {
      if (attempt === 2) call.pause();
    };
    await call.sink.tried(2);
    source.announce([toSpec(origin.target)]);
    expect((await startCall(service).sink.ended()).bytes).toBe(BYTES);
    expect(call.sink.bytes).toBe(0);
    call.resume();
    expect((await call.sink.ended()).bytes).toBe(BYTES);
  });
});
