import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { TryHead } from '../../../src/mesh/service/call.ts';
import { ManualBody } from '../../contracts/test-body-source.ts';
import { createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import { createRefusingTarget, serviceFixtures, startCall, toSpec } from './service-fixture.ts';

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
    const { sink } = startCall(service, { timeoutMs: 400 });
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
      retry: { attempts: 5, on: ['timeout'] },
    });
    const { sink } = startCall(service, { perTryTimeoutMs: 200 });
    expect((await sink.ended()).text).toBe('ok');
    expect(retries[0]).toBe('timeout');
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
    expect((await startCall(service).sink.ended()).status).toBe(200);
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
    const call = startCall(service, { upgrade: 'echo' });
    const { sink } = call;
    await sink.until(({ tunnel }) => tunnel !== undefined);
    expect(await startCall(service).sink.failed()).toMatchObject({ code: 'circuit_open' });
    // Whoever has the tunnel has taken the call over.
    call.abort();
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
