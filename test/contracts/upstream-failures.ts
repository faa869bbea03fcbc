/** The part of the upstream contract about tries that fail or are given up, and about the end. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Stream } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSocketBudget } from '../../src/mesh/transport/socket-budget.ts';
import { ManualBody, readyBody } from './test-body-source.ts';
import type { CreateFixture } from './upstream.ts';
import { LIMITS, requestOf } from './upstream-origin.ts';
import type { OriginExchange, UpstreamContract } from './upstream-origin.ts';
import { UpstreamRecorder } from './upstream-recorder.ts';

/** Unlike `once`, not put off by the error that comes before. */
function closeOf(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    stream.on('error', () => {});
    stream.on('close', resolve);
  });
}

/** A handler that hands its first exchange to the test and answers nothing. */
function capture(): {
  handler: (exchange: OriginExchange) => void;
  taken: Promise<OriginExchange>;
} {
  const { promise, resolve } = Promise.withResolvers<OriginExchange>();
  return { handler: resolve, taken: promise };
}

export function describeUpstreamFailures(create: CreateFixture, contract: UpstreamContract): void {
  describe('giving up', () => {
    it('tells the upstream of an abort before the answer, and the sink nothing', async () => {
      const { handler, taken } = capture();
      const { upstream } = await create(handler);
      const sink = new UpstreamRecorder();
      const call = upstream.send(requestOf(), sink);
      const { response } = await taken;
      const closed = closeOf(response);
      call.abort();
      await closed;
      expect(sink.calls).toEqual(['sent']);
    });

    it('tells the upstream of an abort amid the answer, and the sink nothing', async () => {
      const { handler, taken } = capture();
      const { upstream } = await create(handler);
      const sink = new UpstreamRecorder();
      const call = upstream.send(requestOf(), sink);
      const { response } = await taken;
      const closed = closeOf(response);
      response.writeHead(200);
      response.write('piece');
      await sink.until(() => sink.bytes > 0);
      call.abort();
      await closed;
      expect(sink.calls).toEqual(['sent', 'head', 'data']);
    });

    it('reads no more of the request body after an abort', async () => {
      const { handler, taken } = capture();
      const { upstream } = await create(handler);
      const body = new ManualBody();
      const call = upstream.send(requestOf({ method: 'POST', body }), new UpstreamRecorder());
      await taken;
      call.abort();
      expect(body.isCancelled).toBe(true);
    });

    it('may be given up from within the sink', async () => {
      const { upstream } = await create(({ response }) => response.end('body'));
      const sink = new UpstreamRecorder();
      const call = upstream.send(requestOf(), sink);
      sink.onPiece = () => call.abort();
      await sink.until(() => sink.bytes > 0);
      const next = new UpstreamRecorder();
      upstream.send(requestOf(), next);
      await next.ended();
      expect(sink.calls).toEqual(['sent', 'head', 'data']);
    });
  });

  describe('failures', () => {
    it('fails with connect where nobody listens, after send has returned', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      server.close();
      await once(server, 'close');
      const { origin } = await create(() => {});
      const upstream = contract.createUpstream({ ...origin.target, port }, LIMITS);
      const body = new ManualBody();
      const sink = new UpstreamRecorder();
      upstream.send(requestOf({ method: 'POST', body }), sink);
      expect(sink.calls).toEqual([]);
      expect(await sink.failed()).toMatchObject({
        failure: 'connect',
        sent: false,
        answered: false,
        reused: false,
      });
      expect(sink.calls).toEqual(['error']);
      expect([body.isStarted, body.isCancelled]).toEqual([false, false]);
      await upstream.close();
    });

    it('fails with exhausted while the process has no socket for it, and gives back its own', async () => {
      const { connected } = createSocketBudget(4);
      for (let i = 1; i < connected.limit; i++) connected.tryTake();
      const { upstream, origin } = await create(({ response }) => response.end('body'), {
        sockets: connected,
      });
      const first = new UpstreamRecorder();
      upstream.send(requestOf(), first);
      await first.ended();
      const other = contract.createUpstream(origin.target, { ...LIMITS, sockets: connected });
      const refused = new UpstreamRecorder();
      other.send(requestOf(), refused);
      const facts = { failure: 'exhausted', sent: false, answered: false, reused: false };
      expect(await refused.failed()).toMatchObject(facts);
      await upstream.close();
      await expect.poll(() => connected.open).toBe(connected.limit - 1);
      await other.close();
    });

    it('fails with reset where the upstream breaks off before the answer', async () => {
      const { upstream } = await create(({ reset }) => reset());
      const sink = new UpstreamRecorder();
      upstream.send(requestOf(), sink);
      const facts = { failure: 'reset', sent: true, answered: false, reused: false };
      expect(await sink.failed()).toMatchObject(facts);
    });

    it('says that the connection was reused where it breaks off on a later request', async () => {
      const { upstream } = await create(({ request, response, reset }) => {
        if (request.url === '/fatal') reset();
        else response.end();
      });
      const first = new UpstreamRecorder();
      upstream.send(requestOf(), first);
      await first.ended();
      const second = new UpstreamRecorder();
      upstream.send(requestOf({ target: '/fatal' }), second);
      const facts = { failure: 'reset', sent: true, answered: false, reused: true };
      expect(await second.failed()).toMatchObject(facts);
    });

    it('fails with reset, and never ends, where the upstream breaks off amid the answer', async () => {
      const { handler, taken } = capture();
      const { upstream } = await create(handler);
      const sink = new UpstreamRecorder();
      upstream.send(requestOf(), sink);
      const { response, reset } = await taken;
      response.writeHead(200, { 'content-length': '100' });
      response.write('half of it');
      await sink.until(() => sink.bytes > 0);
      reset();
      expect(await sink.failed()).toMatchObject({ failure: 'reset', sent: true, answered: true });
      expect(sink.calls).toEqual(['sent', 'head', 'data', 'error']);
    });

    it('fails with timeout where the head is too late', async () => {
      const { handler, taken } = capture();
      const { upstream } = await create(handler);
      const sink = new UpstreamRecorder();
      const startedAt = performance.now();
      upstream.send(requestOf({ responseTimeoutMs: 100 }), sink);
      const { response } = await taken;
      const closed = closeOf(response);
      const facts = { failure: 'timeout', sent: true, answered: false };
      expect(await sink.failed()).toMatchObject(facts);
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(99);
      await closed;
    });

    it('fails with timeout where the next piece is too late', async () => {
      const { handler, taken } = capture();
      const { upstream } = await create(handler);
      const sink = new UpstreamRecorder();
      upstream.send(requestOf({ responseTimeoutMs: 10_000, idleTimeoutMs: 100 }), sink);
      const { response } = await taken;
      response.writeHead(200);
      response.write('piece');
      expect(await sink.failed()).toMatchObject({ failure: 'timeout', answered: true });
      expect(sink.text).toBe('piece');
    });

    it('does not count the time in which the reader is paused', async () => {
      const { handler, taken } = capture();
      const { upstream } = await create(handler);
      const sink = new UpstreamRecorder();
      const call = upstream.send(requestOf({ idleTimeoutMs: 100 }), sink);
      sink.onPiece = () => call.pause();
      const { response } = await taken;
      response.writeHead(200);
      response.write('piece');
      await sink.until(() => sink.bytes > 0);
      await delay(300);
      expect(sink.isOver).toBe(false);
      call.resume();
      expect(await sink.failed()).toMatchObject({ failure: 'timeout', answered: true });
    });

    it('does not take a long upload for a late answer', async () => {
      const { upstream } = await create(({ request, response }) => {
        request.resume().on('end', () => response.end('ok'));
      });
      const body = new ManualBody(4);
      const sink = new UpstreamRecorder();
      upstream.send(requestOf({ method: 'POST', body, responseTimeoutMs: 500 }), sink);
      await body.started;
      for (const letter of 'slow') {
        await delay(150);
        body.push(letter);
      }
      body.end();
      await sink.ended();
      expect(sink.text).toBe('ok');
    });

    it.each([
      ['breaks off', 10, (body: ManualBody): void => body.fail(new Error('client left'))],
      ['is shorter than declared', 10, (body: ManualBody): void => body.end()],
      ['is longer than declared', 2, (body: ManualBody): void => body.push('more')],
    ])('fails with request-body where the body %s', async (_, length, spoil) => {
      const { handler, taken } = capture();
      const { upstream } = await create(handler);
      const body = new ManualBody(length);
      const sink = new UpstreamRecorder();
      upstream.send(requestOf({ method: 'POST', body }), sink);
      await body.started;
      body.push('ab');
      const { request } = await taken;
      const broken = closeOf(request.resume());
      spoil(body);
      const error = await sink.failed();
      expect(error).toMatchObject({ failure: 'request-body', sent: true, answered: false });
      await broken;
    });

    it('hands the cause of a broken body on', async () => {
      const { upstream } = await create(() => {});
      const body = new ManualBody();
      const sink = new UpstreamRecorder();
      upstream.send(requestOf({ method: 'POST', body }), sink);
      await body.started;
      const cause = new Error('client left');
      body.fail(cause);
      expect((await sink.failed()).cause).toBe(cause);
    });

    it.each([
      ['value', ['x-a', 'b\r\nx-evil: 1']],
      ['value beyond latin1', ['x-a', 'b\u010ax-evil: 1']],
      ['name', ['x a', 'b']],
    ])('sends nothing of a request with a field %s that breaks its line', async (_, headers) => {
      let requests = 0;
      const { upstream } = await create(({ response }) => {
        requests++;
        response.end();
      });
      const sink = new UpstreamRecorder();
      upstream.send(requestOf({ headers, body: readyBody('x') }), sink);
      expect(await sink.failed()).toMatchObject({ failure: 'protocol', sent: false });
      const next = new UpstreamRecorder();
      upstream.send(requestOf(), next);
      await next.ended();
      expect(requests).toBe(1);
    });
  });

  describe('the end', () => {
    it('close lets the tries in flight end, takes no new ones, and then has no connections', async () => {
      const { handler, taken } = capture();
      const { upstream } = await create(handler);
      const sink = new UpstreamRecorder();
      upstream.send(requestOf(), sink);
      const { response } = await taken;
      const closed = upstream.close();
      const late = new UpstreamRecorder();
      upstream.send(requestOf(), late);
      expect(await late.failed()).toMatchObject({ sent: false });
      response.end('in time');
      await closed;
      expect(sink.text).toBe('in time');
      expect(sink.calls.at(-1)).toBe('end');
      expect(upstream.connections).toBe(0);
    });

    it('close ends idle connections at once', async () => {
      const { upstream } = await create(({ response }) => response.end());
      const sink = new UpstreamRecorder();
      upstream.send(requestOf(), sink);
      await sink.ended();
      await upstream.close();
      expect(upstream.connections).toBe(0);
    });

    it('close resolves where nothing was ever sent', async () => {
      const { upstream } = await create(() => {});
      await upstream.close();
      expect(upstream.connections).toBe(0);
    });

    it('destroy fails the tries in flight with reset', async () => {
      const { handler, taken } = capture();
      const { upstream } = await create(handler);
      const sink = new UpstreamRecorder();
      upstream.send(requestOf(), sink);
      await taken;
      upstream.destroy();
      expect(await sink.failed()).toMatchObject({ failure: 'reset', sent: true });
      expect(upstream.connections).toBe(0);
      await upstream.close();
    });
  });
}
