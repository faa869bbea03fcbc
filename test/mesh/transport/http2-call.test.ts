import { once } from 'node:events';
import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { FloodBody, ManualBody, readyBody } from '../../contracts/test-body-source.ts';
import { readBody, requestOf } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';
import {
  answer,
  createHoldingOrigin,
  createRawHttp2Origin,
  createStreamOrigin,
  readFrames,
  SETTINGS,
} from './http2-origins.ts';
import type { Frame } from './http2-origins.ts';
import { sendTo, upstreamFixtures } from './http2-test-upstream.ts';

const upstreamTo = upstreamFixtures();

/** Frame types and a flag of RFC 9113 §6. */
const DATA = 0;
const RST_STREAM = 3;
const END_STREAM = 1;

describe('a try over HTTP/2', () => {
  it('is cancelled by RST_STREAM(CANCEL)', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const upstream = upstreamTo(origin);
    const sink = new UpstreamRecorder();
    const call = upstream.send(requestOf(), sink);
    await until(1);
    const closed = once(streams[0]!, 'close');
    call.abort();
    call.abort();
    await closed;
    expect(streams[0]!.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect(sink.calls).toEqual(['sent']);
    expect(upstream.connections).toBe(1);
  });

  it.each([
    ['unknown', undefined],
    ['known', 1000],
  ])('does not make a body of %s length look whole that is broken off', async (_, length) => {
    const frames: Frame[] = [];
    const data = Promise.withResolvers<void>();
    const reset = Promise.withResolvers<void>();
    const origin = await createRawHttp2Origin((socket) => {
      socket.write(SETTINGS);
      readFrames(socket, (frame) => {
        frames.push(frame);
        if (frame.type === DATA) data.resolve();
        if (frame.type === RST_STREAM) reset.resolve();
      });
    });
    const body = new ManualBody(length);
    const sink = sendTo(upstreamTo(origin), { method: 'POST', body });
    await body.started;
    body.push('half');
    await data.promise;
    body.fail(new Error('the client left'));
    await reset.promise;
    expect(await sink.failed()).toMatchObject({ failure: 'request-body' });
    const ofStream = frames.filter(({ streamId }) => streamId === 1);
    expect(ofStream.at(-1)!.payload.readUInt32BE()).toBe(constants.NGHTTP2_CANCEL);
    const ends = ofStream.slice(0, -1).filter(({ flags }) => (flags & END_STREAM) !== 0);
    expect(ends).toEqual([]);
  });

  it('sends and receives octets beyond ASCII in fields as they are', async () => {
    const origin = await createStreamOrigin((stream, headers) => {
      stream.respond({ ':status': 200, 'x-echo': headers['x-name'] });
      stream.end();
    });
    const sink = await sendTo(upstreamTo(origin), { headers: ['X-Name', 'Jos\u00e9'] }).ended();
    expect(sink.values('x-echo')).toEqual(['Jos\u00e9']);
  });

  it('tells of an answer that is a head alone in one go', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true });
    });
    const calls = Promise.withResolvers<readonly string[]>();
    const sink = new UpstreamRecorder();
    const onHead = sink.onHead.bind(sink);
    sink.onHead = (...head) => {
      onHead(...head);
      queueMicrotask(() => calls.resolve([...sink.calls]));
    };
    upstreamTo(origin).send(requestOf(), sink);
    expect(await calls.promise).toEqual(['sent', 'head', 'end']);
  });

  it('frees the stream of an answer that is a head alone, although its reader holds back', async () => {
    const origin = await createStreamOrigin(
      (stream) => stream.respond({ ':status': 204 }, { endStream: true }),
      { settings: { maxConcurrentStreams: 1 } },
    );
    const upstream = upstreamTo(origin, { maxConnections: 1 });
    for (let i = 0; i < 3; i++) {
      const sink = new UpstreamRecorder();
      const call = upstream.send(requestOf(), sink);
      const onHead = sink.onHead.bind(sink);
      sink.onHead = (...head) => {
        call.pause();
        onHead(...head);
      };
      await sink.ended();
      expect(sink.status).toBe(204);
    }
  });

  it('sends twice what the client has sent twice', async () => {
    const origin = await createStreamOrigin((stream, _headers, raw) => {
      stream.respond({ ':status': 200, 'x-raw': JSON.stringify(raw.slice(8)) });
      stream.end();
    });
    // Node, asked for strictness, would refuse the second.
    const headers = ['user-agent', 'a', 'user-agent', 'b'];
    const sink = await sendTo(upstreamTo(origin), { headers }).ended();
    expect(JSON.parse(sink.values('x-raw')[0]!)).toEqual(headers);
  });

  it('sends the trailers of a body of known length where they are announced', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.on('trailers', (trailers) => {
        stream.respond({ ':status': 200, 'x-sum': trailers['x-sum'] });
        stream.end();
      });
      stream.resume();
    });
    const body = readyBody('body', { length: 4, trailers: ['X-Sum', '42'] });
    const headers = ['Trailer', 'X-Sum'];
    const sink = await sendTo(upstreamTo(origin), { method: 'POST', headers, body }).ended();
    expect(sink.values('x-sum')).toEqual(['42']);
  });

  it('fails with request-body where its trailers cannot be sent', async () => {
    const { origin } = await createHoldingOrigin();
    const body = readyBody('body', { trailers: ['x-sum', '4\n2'] });
    const sink = sendTo(upstreamTo(origin), { method: 'POST', body });
    expect(await sink.failed()).toMatchObject({ failure: 'request-body', sent: true });
  });

  it('takes an answer of a head alone, gRPC trailers in it', async () => {
    const origin = await createStreamOrigin((stream) =>
      stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true }),
    );
    const sink = await sendTo(upstreamTo(origin)).ended();
    expect(sink.calls).toEqual(['sent', 'head', 'end']);
    expect(sink.values('grpc-status')).toEqual(['5']);
    expect(sink.trailers).toBeUndefined();
  });

  it('delivers repeated trailers line by line', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-a': ['1', '2'], 'x-b': '3' }));
      stream.end('body');
    });
    const sink = await sendTo(upstreamTo(origin)).ended();
    expect(sink.trailers).toEqual(['x-a', '1', 'x-a', '2', 'x-b', '3']);
  });

  it('takes an answer for whole that is followed by RST_STREAM(NO_ERROR) amid the request', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const body = new ManualBody();
    const sink = sendTo(upstreamTo(origin), { method: 'POST', body });
    await body.started;
    body.push('begun');
    await until(1);
    answer(streams[0]!, 'enough');
    // The server ends its side first and then resets, as gRPC servers do.
    streams[0]!.once('finish', () => streams[0]!.close(constants.NGHTTP2_NO_ERROR));
    await sink.ended();
    expect(sink.text).toBe('enough');
    expect(body.isCancelled).toBe(true);
  });

  it('resets the stream where a whole answer came before the request had ended', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const body = new ManualBody();
    const sink = sendTo(upstreamTo(origin), { method: 'POST', body });
    await until(1);
    const closed = once(streams[0]!, 'close');
    // It reads on, or node would reset the stream itself.
    streams[0]!.resume();
    answer(streams[0]!, 'early');
    await sink.ended();
    await closed;
    expect(sink.text).toBe('early');
    expect(streams[0]!.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect(body.isCancelled).toBe(true);
  });

  it('resets no stream whose request and answer were whole', async () => {
    let stream: ServerHttp2Stream | undefined;
    const origin = await createStreamOrigin((opened) => {
      stream = opened;
      void readBody(opened).then((text) => answer(opened, text));
    });
    const body = readyBody('body');
    const sink = await sendTo(upstreamTo(origin), { method: 'POST', body }).ended();
    if (!stream!.destroyed) await once(stream!, 'close');
    expect(sink.text).toBe('body');
    expect(stream!.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it('loses nothing for a slow reader where the upstream closes after its answer', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const upstream = upstreamTo(origin);
    const sink = new UpstreamRecorder();
    const call = upstream.send(requestOf(), sink);
    call.pause();
    await until(1);
    const stream = streams[0]!;
    const session = stream.session!;
    const finished = once(stream, 'close');
    answer(stream, 'x'.repeat(500_000));
    // GOAWAY and, with the last stream, the end of the connection.
    session.close();
    await finished;
    await sink.until(({ calls }) => calls.includes('head'));
    expect(sink.bytes).toBe(0);
    call.resume();
    await sink.ended();
    expect(sink.bytes).toBe(500_000);
  });

  it('starts a body that expects 100 Continue after a second without it', async () => {
    const origin = await createStreamOrigin((stream) => {
      void readBody(stream).then((text) => answer(stream, text));
    });
    const startedAt = performance.now();
    const body = readyBody('late', { length: 4 });
    const sink = sendTo(upstreamTo(origin), { method: 'POST', body, expectContinue: true });
    await sink.ended();
    expect(sink.text).toBe('late');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(999);
  });

  it('does not hold up others where its own reader is paused', async () => {
    const origin = await createStreamOrigin(
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.end(Buffer.alloc(4 * 1024 * 1024));
      },
      // In MB; the default of 10 is less than all the answers.
      { maxSessionMemory: 1000 },
    );
    const upstream = upstreamTo(origin);
    const paused = Array.from({ length: 20 }, () => {
      const sink = new UpstreamRecorder({ keepsBody: false });
      const call = upstream.send(requestOf(), sink);
      sink.onPiece = () => {
        sink.onPiece = undefined;
        call.pause();
      };
      return { sink, call };
    });
    for (const { sink } of paused) await sink.until(({ bytes }) => bytes > 0);
    // Their windows together exceed the connection's.
    const free = new UpstreamRecorder({ keepsBody: false });
    upstream.send(requestOf(), free);
    await free.ended();
    expect(free.bytes).toBe(4 * 1024 * 1024);
    for (const { call } of paused) call.resume();
    for (const { sink } of paused) await sink.ended();
    expect(origin.accepted()).toBe(1);
  });

  it('fails with timeout where the upstream neither reads nor answers', async () => {
    const { origin } = await createHoldingOrigin();
    const body = new FloodBody(16 * 1024 * 1024, { declared: false });
    const sink = sendTo(upstreamTo(origin), { method: 'POST', body, responseTimeoutMs: 300 });
    const error = await sink.failed();
    expect(error).toMatchObject({ failure: 'timeout', sent: true, answered: false });
    expect(error.message).toBe('the upstream did not read the request');
    expect(body.isCancelled).toBe(true);
  });
});
