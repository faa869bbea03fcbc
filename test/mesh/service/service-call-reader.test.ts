import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { TryHead } from '../../../src/mesh/service/call.ts';
import { ManualBody } from '../../contracts/test-body-source.ts';
import { createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
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
