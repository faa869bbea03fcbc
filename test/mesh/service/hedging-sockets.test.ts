import { once } from 'node:events';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../contracts/upstream-origin.ts';
import { readyBody } from '../../contracts/test-body-source.ts';
import { createNodeOrigin, createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import { answer, createStreamOrigin } from '../transport/http2-origins.ts';
import { SettledRecorder } from './scripted-service.ts';
import { serviceFixtures, startCall, takeForQuick, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

const HEDGE = { percentile: 0.95, minDelayMs: 5, attempts: 1 };

function ok({ socket }: RawPeer, body = 'ok'): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

describe('a hedge over HTTP/1.1', () => {
  it('answers for an endpoint that does not, whose connection is closed', async () => {
    const stuck = Promise.withResolvers<Socket>();
    const slow = await open.origin(createRawOrigin(({ socket }) => stuck.resolve(socket)));
    const quick = await open.origin(createRawOrigin((peer) => ok(peer)));
    const { service, retries } = open.service([toSpec(slow.target), toSpec(quick.target)], {
      hedge: HEDGE,
    });
    service.endpoints.forEach(takeForQuick);
    const { sink } = startCall(service);
    const socket = await stuck.promise;
    const closed = once(socket, 'close');
    expect((await sink.ended()).text).toBe('ok');
    await closed;
    expect(retries).toEqual(['hedge']);
    expect(sink.tries).toEqual(service.endpoints.map(({ id }) => id));
  });

  it('is closed where the first answers after all', async () => {
    const first = Promise.withResolvers<RawPeer>();
    const second = Promise.withResolvers<Socket>();
    const slow = await open.origin(createRawOrigin((peer) => first.resolve(peer)));
    const silent = await open.origin(createRawOrigin(({ socket }) => second.resolve(socket)));
    const { service } = open.service([toSpec(slow.target), toSpec(silent.target)], {
      hedge: HEDGE,
    });
    service.endpoints.forEach(takeForQuick);
    const sink = new SettledRecorder();
    startCall(service, {}, sink);
    const closed = once(await second.promise, 'close');
    ok(await first.promise, 'at last');
    expect((await sink.ended()).text).toBe('at last');
    await closed;
    expect(sink.endpoint).toBe(service.endpoints[0]);
  });

  it('is asked for with the whole body, and its own answer is what is read', async () => {
    const first = Promise.withResolvers<string>();
    const slow = await open.origin(
      createNodeOrigin(({ request }) => void readBody(request).then(first.resolve, first.reject)),
    );
    const quick = await open.origin(
      createNodeOrigin(({ request, response }) => {
        void Promise.all([first.promise, readBody(request)]).then((bodies) =>
          response.end(bodies.join(' and ')),
        );
      }),
    );
    const { service } = open.service([toSpec(slow.target), toSpec(quick.target)], {
      hedge: HEDGE,
    });
    service.endpoints.forEach(takeForQuick);
    const body = readyBody('payload', { length: 7 });
    const { sink } = startCall(service, { method: 'PUT', body });
    expect((await sink.ended()).text).toBe('payload and payload');
  });

  it('stands in for a try that still waits for a connection', async () => {
    const taken = Promise.withResolvers<void>();
    const full = await open.origin(createRawOrigin(() => taken.resolve()));
    const quick = await open.origin(createRawOrigin((peer) => ok(peer)));
    const [one, two] = [toSpec(full.target), toSpec(quick.target)];
    const { service, source } = open.service([one], {
      hedge: HEDGE,
      circuitBreaker: { maxRequests: 10, maxPending: 10, maxConnections: 1 },
    });
    const first = startCall(service, { hedge: undefined });
    await taken.promise;
    source.announce([one, two]);
    service.endpoints.forEach(takeForQuick);
    // The second of them, whichever it is, begins at the one that is full.
    for (let i = 0; i < 2; i++) expect((await startCall(service).sink.ended()).text).toBe('ok');
    expect(full.accepted()).toBe(1);
    first.abort();
  });

  it('keeps an endpoint that sticks now and then from being noticed', async () => {
    let isSticky = false;
    let asked = 0;
    let stuck = 0;
    const sticky = await open.origin(
      createRawOrigin((peer) => {
        if (isSticky && ++asked % 10 === 0) stuck++;
        else ok(peer, 'sticky');
      }),
    );
    const good = await open.origin(createRawOrigin((peer) => ok(peer, 'good')));
    const { service, retries } = open.service([toSpec(sticky.target), toSpec(good.target)], {
      // One in ten is beyond its p95.
      hedge: { percentile: 0.85, minDelayMs: 10, attempts: 1 },
    });
    for (let i = 0; i < 60; i++) await startCall(service).sink.ended();
    isSticky = true;
    const rescues: unknown[] = [];
    for (let i = 0; i < 200; i++) {
      const before = stuck;
      const sink = new SettledRecorder();
      startCall(service, {}, sink);
      // Without a hedge, one that is stuck would never end.
      await sink.ended();
      if (stuck > before) rescues.push([sink.text, sink.endpoint]);
    }
    expect(rescues.length).toBeGreaterThanOrEqual(9);
    expect(rescues).toEqual(rescues.map(() => ['good', service.endpoints[1]]));
    expect(retries.length).toBeGreaterThanOrEqual(rescues.length);
    expect(new Set(retries)).toEqual(new Set(['hedge']));
  });
});

describe('a hedge over HTTP/2', () => {
  it('that wins resets the stream of the other with CANCEL, and its connection lives on', async () => {
    const streams: ServerHttp2Stream[] = [];
    const opened = Promise.withResolvers<ServerHttp2Stream>();
    const slow = await open.origin(
      createStreamOrigin((stream) => {
        streams.push(stream);
        if (streams.length === 1) opened.resolve(stream);
        else answer(stream);
      }),
    );
    const quick = await open.origin(createStreamOrigin((stream) => answer(stream)));
    const { service } = open.service([toSpec(slow.target), toSpec(quick.target)], {
      protocol: 'h2c',
      hedge: HEDGE,
    });
    service.endpoints.forEach(takeForQuick);
    const { sink } = startCall(service);
    const stream = await opened.promise;
    const closed = once(stream, 'close');
    expect((await sink.ended()).text).toBe('ok');
    await closed;
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    for (let i = 0; i < 2; i++) await startCall(service, { hedge: undefined }).sink.ended();
    expect(streams.length).toBeGreaterThan(1);
    expect(slow.accepted()).toBe(1);
  });
});
