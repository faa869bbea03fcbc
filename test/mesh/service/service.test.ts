import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { TryHead } from '../../../src/mesh/service/call.ts';
import { Service } from '../../../src/mesh/service/service.ts';
import { createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import { createHttp2Origin } from '../transport/http2-origins.ts';
import { serviceFixtures, startCall, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

const HEAD: TryHead = { target: '/', authority: 'orders.test', headers: [] };

function ok({ socket }: RawPeer, body = 'ok'): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

/** An origin that answers each request with a name. */
function named(name: string): ReturnType<typeof createRawOrigin> {
  return createRawOrigin((peer) => ok(peer, name));
}

/** Answers by hand: each request waits for the test. */
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
      return peer === undefined
        ? new Promise((resolve) => wanted.push(resolve))
        : Promise.resolve(peer);
    },
  };
}

describe('a service', () => {
  it('is ready once discovery has spoken', async () => {
    const { service } = open.service([]);
    await service.ready;
    expect(service.endpoints).toEqual([]);
  });

  it('without an endpoint fails at once with no_healthy_endpoint', async () => {
    const { service } = open.service([]);
    const { sink } = startCall(service);
    // Synchronously: nothing waits in a queue.
    expect(sink.error).toMatchObject({ code: 'no_healthy_endpoint', status: 503 });
    expect(service.breaker.active).toBe(0);
  });

  it('calls only endpoints of the subset, and fails where it has none', async () => {
    const one = await open.origin(named('one'));
    const two = await open.origin(named('two'));
    const { service } = open.service([
      toSpec(one.target, { metadata: { version: 'v1' } }),
      toSpec(two.target, { metadata: { version: 'v2' } }),
    ]);
    const v2 = service.subset({ version: 'v2' });
    for (let i = 0; i < 3; i++) {
      expect((await startCall(service, { subset: v2 }).sink.ended()).text).toBe('two');
    }
    const v3 = service.subset({ version: 'v3' });
    expect(await startCall(service, { subset: v3 }).sink.failed()).toMatchObject({
      code: 'no_healthy_endpoint',
    });
  });

  it('takes its turn among the endpoints', async () => {
    const one = await open.origin(named('one'));
    const two = await open.origin(named('two'));
    const { service } = open.service([toSpec(one.target), toSpec(two.target)]);
    const answers: string[] = [];
    for (let i = 0; i < 4; i++) answers.push((await startCall(service).sink.ended()).text);
    expect(answers).toEqual(['one', 'two', 'one', 'two']);
  });

  it('speaks HTTP/2 where it is told to', async () => {
    const origin = await open.origin(
      createHttp2Origin(({ request, response }) => {
        response.writeHead(200);
        response.end((request as { httpVersion?: string }).httpVersion);
      }),
    );
    const { service } = open.service([toSpec(origin.target)], { protocol: 'h2c' });
    expect(service.http2).toBe(true);
    expect((await startCall(service).sink.ended()).text).toBe('2.0');
  });
});

describe('endpoints that change', () => {
  it('let calls in flight on a removed one finish, and close its connections after', async () => {
    const { onRequest, next } = byHand();
    const one = await open.origin(createRawOrigin(onRequest));
    const two = await open.origin(named('two'));
    const { service, source } = open.service([toSpec(one.target)]);
    const [removed] = service.endpoints;
    const { sink } = startCall(service);
    const peer = await next();
    source.announce([toSpec(two.target)]);
    expect((await startCall(service).sink.ended()).text).toBe('two');
    expect(removed!.active).toBe(1);
    const closed = once(peer.socket, 'close');
    ok(peer, 'one');
    expect((await sink.ended()).text).toBe('one');
    await closed;
    expect(removed!.active).toBe(0);
  });

  it('close the idle connections of a removed one', async () => {
    const peers: RawPeer[] = [];
    const one = await open.origin(
      createRawOrigin((peer) => {
        peers.push(peer);
        ok(peer);
      }),
    );
    const { service, source } = open.service([toSpec(one.target)]);
    await startCall(service).sink.ended();
    const closed = once(peers[0]!.socket, 'close');
    source.announce([]);
    await closed;
    expect(service.endpoints).toEqual([]);
  });

  it('leave the connections of one that stays alone', async () => {
    const one = await open.origin(named('one'));
    const two = await open.origin(named('two'));
    const { service, source } = open.service([toSpec(one.target)]);
    await startCall(service).sink.ended();
    source.announce([toSpec(one.target, { weight: 5 }), toSpec(two.target, { weight: 1 })]);
    await startCall(service).sink.ended();
    expect(one.accepted()).toBe(1);
  });

  it('let a try whose head was being made go to the removed one, and keep nothing of it', async () => {
    const peers: RawPeer[] = [];
    const one = await open.origin(
      createRawOrigin((peer) => {
        peers.push(peer);
        ok(peer, 'one');
      }),
    );
    const { service, source } = open.service([toSpec(one.target)]);
    const head = Promise.withResolvers<TryHead>();
    const { sink } = startCall(service, { toTry: () => head.promise });
    source.announce([]);
    head.resolve(HEAD);
    expect((await sink.ended()).text).toBe('one');
    // Closed though nobody stops the service.
    await once(peers[0]!.socket, 'close');
  });

  it('are seen by the retry of a call in flight', async () => {
    const { onRequest, next } = byHand();
    const one = await open.origin(createRawOrigin(onRequest));
    const two = await open.origin(named('two'));
    const { service, source } = open.service([toSpec(one.target)]);
    const { sink } = startCall(service);
    const peer = await next();
    source.announce([toSpec(two.target)]);
    peer.socket.resetAndDestroy();
    expect((await sink.ended()).text).toBe('two');
  });

  it('end the retries of a call when none is left', async () => {
    const { onRequest, next } = byHand();
    const one = await open.origin(createRawOrigin(onRequest));
    const { service, source } = open.service([toSpec(one.target)]);
    const { sink } = startCall(service);
    const peer = await next();
    source.announce([]);
    peer.socket.resetAndDestroy();
    expect(await sink.failed()).toMatchObject({ code: 'no_healthy_endpoint' });
  });
});

describe('a service that is stopped', () => {
  it('takes no new calls, and lets those in flight finish before it closes', async () => {
    const { onRequest, next } = byHand();
    const origin = await open.origin(createRawOrigin(onRequest));
    const { service } = open.service([toSpec(origin.target)]);
    const { sink } = startCall(service);
    const peer = await next();
    let hasStopped = false;
    const stopped = service.stop().then(() => (hasStopped = true));
    expect(await startCall(service).sink.failed()).toMatchObject({ code: 'no_healthy_endpoint' });
    expect(hasStopped).toBe(false);
    const closed = once(peer.socket, 'close');
    ok(peer);
    await sink.ended();
    await stopped;
    await closed;
  });

  it('lets a call in flight try again', async () => {
    const { onRequest, next } = byHand();
    const one = await open.origin(createRawOrigin(onRequest));
    const two = await open.origin(named('two'));
    const { service } = open.service([toSpec(one.target), toSpec(two.target)]);
    const { sink } = startCall(service);
    const peer = await next();
    const stopped = service.stop();
    peer.socket.resetAndDestroy();
    expect((await sink.ended()).text).toBe('two');
    await stopped;
  });

  it('closes its idle connections', async () => {
    const peers: RawPeer[] = [];
    const origin = await open.origin(
      createRawOrigin((peer) => {
        peers.push(peer);
        ok(peer);
      }),
    );
    const { service } = open.service([toSpec(origin.target)]);
    await startCall(service).sink.ended();
    const closed = once(peers[0]!.socket, 'close');
    await service.stop();
    await closed;
    expect(origin.accepted()).toBe(1);
  });
});

describe('a service of the protocol auto', () => {
  it('sends each call by the protocol that it wants, over connections of their own', async () => {
    const http1 = await open.origin(named('one'));
    const http2 = await open.origin(
      createHttp2Origin(({ response }) => {
        response.writeHead(200);
        response.end('two');
      }),
    );
    // Two addresses stand for the two protocols that one application speaks.
    const { service, source } = open.service([toSpec(http1.target)], { protocol: 'auto' });
    expect((await startCall(service).sink.ended()).text).toBe('one');
    source.announce([toSpec(http2.target)]);
    expect((await startCall(service, { http2: true }).sink.ended()).text).toBe('two');
  });

  it('means nothing to a service of one protocol', async () => {
    const http1 = await open.origin(named('one'));
    const { service } = open.service([toSpec(http1.target)]);
    expect((await startCall(service, { http2: true }).sink.ended()).text).toBe('one');
  });
});

describe('calls before discovery has spoken', () => {
  function unheard(): { readonly service: Service; readonly speak: () => void } {
    const { service: model } = open.service([]);
    let speak = (): void => undefined;
    const service = new Service(
      {
        name: 'orders',
        protocol: 'auto',
        tls: undefined,
        source: { start: (listener) => (speak = () => listener([])), stop: () => undefined },
        balancing: { policy: 'round-robin' },
        stickyKey: undefined,
        health: { checks: undefined, outliers: undefined },
        circuitBreaker: model.breaker.thresholds,
        retry: model.retry,
        perTryTimeoutMs: 0,
        budget: { ratio: 0.2, minPerSecond: 10 },
        timeouts: model.timeouts,
      },
      model.environment,
    );
    service.start();
    return { service, speak: () => speak() };
  }

  it('may wait for it, and no longer than 20 ms from the start', async () => {
    const { service } = unheard();
    const startedAt = performance.now();
    const first = service.firstAnswer;
    expect(first).toBeInstanceOf(Promise);
    expect(service.firstAnswer).toBe(first);
    await first;
    expect(performance.now() - startedAt).toBeGreaterThan(18);
    expect(service.isDiscovered).toBe(false);
    expect(service.firstAnswer).toBeUndefined();
  });

  it('go on as soon as it speaks', async () => {
    const { service, speak } = unheard();
    const first = service.firstAnswer;
    speak();
    await first;
    expect(service.isDiscovered).toBe(true);
    expect(service.firstAnswer).toBeUndefined();
  });
});
