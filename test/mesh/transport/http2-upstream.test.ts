import { once } from 'node:events';
import { constants } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { requestOf } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';
import {
  answer,
  createHoldingOrigin,
  createRawHttp2Origin,
  createStreamOrigin,
  SETTINGS,
} from './http2-origins.ts';
import { sendTo, upstreamFixtures } from './http2-test-upstream.ts';

const upstreamTo = upstreamFixtures();

describe('the sessions of an HTTP/2 upstream', () => {
  it('carry tries side by side', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const upstream = upstreamTo(origin);
    const sinks = Array.from({ length: 20 }, () => sendTo(upstream));
    await until(20);
    expect(upstream.connections).toBe(1);
    for (const stream of streams.toReversed()) answer(stream);
    for (const sink of sinks) await sink.ended();
    expect(origin.accepted()).toBe(1);
  });

  it('are joined by another when the first is full', async () => {
    const { origin, streams, until } = await createHoldingOrigin(2);
    const upstream = upstreamTo(origin);
    const sinks = Array.from({ length: 5 }, () => sendTo(upstream));
    await until(5);
    expect(new Set(streams.map(({ session }) => session)).size).toBe(3);
    expect(upstream.connections).toBe(3);
    for (const stream of streams) answer(stream);
    for (const sink of sinks) await sink.ended();
  });

  it('let tries wait in line where all are full, and refuse those beyond the line', async () => {
    const { origin, streams, until } = await createHoldingOrigin(1);
    const upstream = upstreamTo(origin, { maxConnections: 1, maxPending: 2 });
    const running = sendTo(upstream);
    await until(1);
    const waiting = [sendTo(upstream), sendTo(upstream)];
    const beyond = sendTo(upstream);
    expect(await beyond.failed()).toMatchObject({ failure: 'overflow', sent: false });
    expect(origin.accepted()).toBe(1);
    for (let i = 0; i < 3; i++) {
      await until(i + 1);
      answer(streams[i]!);
    }
    for (const sink of [running, ...waiting]) await sink.ended();
    expect(waiting.map(({ reused }) => reused)).toEqual([true, true]);
  });

  it('forget a try that is given up while it waits', async () => {
    const { origin, streams, until } = await createHoldingOrigin(1);
    const upstream = upstreamTo(origin, { maxConnections: 1 });
    const running = sendTo(upstream);
    await until(1);
    const given = new UpstreamRecorder();
    const call = upstream.send(requestOf(), given);
    const next = sendTo(upstream, { target: '/next' });
    call.abort();
    answer(streams[0]!);
    await running.ended();
    await until(2);
    answer(streams[1]!);
    await next.ended();
    expect(given.calls).toEqual([]);
  });

  it('free the slot of a whole answer that nobody reads any more', async () => {
    const { origin, streams, until } = await createHoldingOrigin(1);
    const upstream = upstreamTo(origin, { maxConnections: 1 });
    const sink = new UpstreamRecorder();
    const call = upstream.send(requestOf(), sink);
    call.pause();
    await until(1);
    const gone = once(streams[0]!, 'close');
    answer(streams[0]!, 'unread');
    await gone;
    // The answer's frames are one write, so the body is here when the head is.
    await sink.until(({ calls }) => calls.includes('head'));
    await new Promise((resolve) => setImmediate(resolve));
    call.abort();
    const next = sendTo(upstream);
    await until(2);
    answer(streams[1]!);
    await next.ended();
    expect(sink.calls).not.toContain('data');
  });

  it('close after keepAliveMs without a stream', async () => {
    const sessions: ServerHttp2Session[] = [];
    const origin = await createStreamOrigin((stream) => {
      sessions.push(stream.session as ServerHttp2Session);
      answer(stream);
    });
    const upstream = upstreamTo(origin, { keepAliveMs: 50 });
    await sendTo(upstream).ended();
    await once(sessions[0]!, 'close');
    const next = await sendTo(upstream).ended();
    expect(next.reused).toBe(false);
    expect(origin.accepted()).toBe(2);
  });

  it('take no new streams after a GOAWAY, and let the running ones end', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const upstream = upstreamTo(origin, { maxConnections: 1 });
    const running = sendTo(upstream);
    await until(1);
    streams[0]!.respond({ ':status': 200 });
    await running.until(({ calls }) => calls.includes('head'));
    const session = streams[0]!.session!;
    // The upstream announces by a GOAWAY of its own that it has heard ours.
    const heard = once(session, 'goaway');
    session.close();
    await heard;
    const fresh = sendTo(upstream);
    await until(2);
    expect(fresh.reused).toBe(false);
    answer(streams[1]!);
    await fresh.ended();
    streams[0]!.end('late');
    await running.ended();
    expect(running.text).toBe('late');
    expect(origin.accepted()).toBe(2);
  });

  it('fail streams past the last one of a GOAWAY as never processed', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const upstream = upstreamTo(origin);
    const first = sendTo(upstream);
    await until(1);
    const second = sendTo(upstream);
    await until(2);
    streams[0]!.session!.goaway(constants.NGHTTP2_NO_ERROR, streams[0]!.id);
    const facts = { failure: 'refused-stream', sent: false, answered: false, reused: true };
    expect(await second.failed()).toMatchObject(facts);
    answer(streams[0]!);
    await first.ended();
  });

  it('fail streams past the last one of a GOAWAY with an error as never processed, the others with reset', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const upstream = upstreamTo(origin);
    const first = sendTo(upstream);
    await until(1);
    const second = sendTo(upstream);
    await until(2);
    streams[0]!.session!.goaway(constants.NGHTTP2_INTERNAL_ERROR, streams[0]!.id);
    expect(await second.failed()).toMatchObject({ failure: 'refused-stream', sent: false });
    expect(await first.failed()).toMatchObject({ failure: 'reset', sent: true });
  });

  it('fail a refused stream as never processed', async () => {
    const origin = await createStreamOrigin((stream) =>
      stream.close(constants.NGHTTP2_REFUSED_STREAM),
    );
    const upstream = upstreamTo(origin);
    const facts = { failure: 'refused-stream', sent: false, answered: false, reused: false };
    expect(await sendTo(upstream).failed()).toMatchObject(facts);
  });

  it('are given up where a silent peer answers no PING', async () => {
    const origin = await createRawHttp2Origin((socket) => {
      socket.write(SETTINGS);
      socket.resume();
    });
    const upstream = upstreamTo(origin, {}, { liveness: { pingAfterMs: 60, pingTimeoutMs: 60 } });
    const error = await sendTo(upstream).failed();
    expect(error).toMatchObject({ failure: 'reset', sent: true, answered: false });
    expect(error.message).toContain('PING');
    expect(upstream.connections).toBe(0);
  });

  it('are kept where a silent peer answers each PING', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const upstream = upstreamTo(
      origin,
      {},
      { liveness: { pingAfterMs: 40, pingTimeoutMs: 10_000 } },
    );
    const sink = sendTo(upstream);
    await until(1);
    for (let i = 0; i < 3; i++) await once(streams[0]!.session!, 'ping');
    answer(streams[0]!);
    await sink.ended();
    expect(sink.reused).toBe(false);
  });

  it('wait for a session under way rather than open one for each try', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const upstream = upstreamTo(origin, { maxPending: 0 });
    const sinks = Array.from({ length: 50 }, () => sendTo(upstream));
    await until(50);
    for (const stream of streams) answer(stream);
    for (const sink of sinks) await sink.ended();
    expect(origin.accepted()).toBe(1);
  });
});
