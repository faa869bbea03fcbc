import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../contracts/upstream-origin.ts';
import {
  createHoldingOrigin,
  createRawHttp2Origin,
  createStreamOrigin,
  readFrames,
  SETTINGS,
  toFrame,
} from './http2-origins.ts';
import { sendTo, upstreamFixtures } from './http2-test-upstream.ts';

const upstreamTo = upstreamFixtures();

describe('a peer that does not do as HTTP/2 says', () => {
  it.each([
    ['speaks HTTP/1.1', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'],
    ['speaks another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['sends zeros', '\0'.repeat(100)],
  ])('fails the try with protocol, unsent, where it %s', async (_, bytes) => {
    const origin = await createRawHttp2Origin((socket) => socket.write(bytes));
    const upstream = upstreamTo(origin);
    const sink = sendTo(upstream);
    const error = await sink.failed();
    expect(error).toMatchObject({ failure: 'protocol', sent: false });
    expect(error.message).toBe('the upstream does not speak HTTP/2');
    expect(sink.calls).toEqual(['error']);
    expect(upstream.connections).toBe(0);
  });

  it.each([
    ['closes at once', (socket: { end(): void }): void => socket.end()],
    ['resets at once', (socket: { resetAndDestroy(): void }): void => socket.resetAndDestroy()],
  ])('fails the try, unsent, where it %s', async (_, act) => {
    const origin = await createRawHttp2Origin(act);
    const error = await sendTo(upstreamTo(origin)).failed();
    expect(['connect', 'reset']).toContain(error.failure);
    expect(error.sent).toBe(false);
  });

  it('fails the try with connect-timeout where it never sends its settings', async () => {
    const origin = await createRawHttp2Origin(() => {});
    const upstream = upstreamTo(origin, { connectTimeoutMs: 100 });
    const error = await sendTo(upstream).failed();
    expect(error).toMatchObject({ failure: 'connect-timeout', sent: false });
    expect(error.message).toContain('no HTTP/2 settings within 100 ms');
  });

  it('fails the tries with reset, and calls no more, where it closes each connection after its settings', async () => {
    const origin = await createRawHttp2Origin((socket) => {
      // No stream may be opened, so the tries wait.
      socket.end(toFrame(4, 0, 0, '\0\x03\0\0\0\0'));
    });
    const upstream = upstreamTo(origin);
    const sinks = [sendTo(upstream), sendTo(upstream)];
    for (const sink of sinks) {
      expect(await sink.failed()).toMatchObject({ failure: 'reset', sent: false });
    }
    expect(origin.accepted()).toBeLessThanOrEqual(LIMITS.maxConnections);
  });

  it('fails the try with protocol where garbage follows the settings', async () => {
    const origin = await createRawHttp2Origin((socket) => {
      socket.write(SETTINGS);
      readFrames(socket, ({ streamId }) => {
        if (streamId === 1) socket.write('garbage, garbage, garbage');
      });
    });
    const error = await sendTo(upstreamTo(origin)).failed();
    expect(error).toMatchObject({ failure: 'protocol', sent: true, answered: false });
  });

  it('is not believed that a truncated answer is whole', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.respond({ ':status': 200 });
      // RST_STREAM with NO_ERROR, and no END_STREAM.
      stream.write('half', () => stream.destroy());
    });
    const sink = sendTo(upstreamTo(origin));
    const error = await sink.failed();
    expect(error).toMatchObject({ failure: 'reset', answered: true });
    expect(sink.calls).not.toContain('end');
  });

  it('is not believed either where it closes the connection in order', async () => {
    const { origin, streams, until } = await createHoldingOrigin();
    const sink = sendTo(upstreamTo(origin));
    await until(1);
    streams[0]!.respond({ ':status': 200 });
    streams[0]!.write('half');
    await sink.until(({ bytes }) => bytes > 0);
    streams[0]!.session!.destroy();
    expect(await sink.failed()).toMatchObject({ failure: 'reset', sent: true, answered: true });
    expect(sink.calls).toEqual(['sent', 'head', 'data', 'error']);
  });

  it('fails the try with protocol where its body is not as long as declared', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.respond({ ':status': 200, 'content-length': '10' });
      stream.end('short');
    });
    const sink = sendTo(upstreamTo(origin));
    expect(await sink.failed()).toMatchObject({ failure: 'protocol', answered: true });
    expect(sink.calls).not.toContain('end');
  });

  it('fails the try with protocol where the head is larger than maxHeadBytes', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.respond({ ':status': 200, 'x-large': 'a'.repeat(5000) });
      stream.end();
    });
    const error = await sendTo(upstreamTo(origin, { maxHeadBytes: 4096 })).failed();
    expect(error).toMatchObject({ failure: 'protocol', sent: true, answered: false });
    expect(error.message).toContain('larger than 4096 bytes');
    const enough = await sendTo(upstreamTo(origin, { maxHeadBytes: 8192 })).ended();
    expect(enough.status).toBe(200);
  });

  it('fails the try with protocol where the trailers are larger than maxHeadBytes', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-large': 'a'.repeat(5000) }));
      stream.end('body');
    });
    const sink = sendTo(upstreamTo(origin, { maxHeadBytes: 4096 }));
    expect(await sink.failed()).toMatchObject({ failure: 'protocol', answered: true });
    expect(sink.calls).not.toContain('end');
  });

  it('may answer with as many fields as maxHeadBytes allows', async () => {
    const many = Array.from({ length: 300 }, (_, i) => [`x-${i}`, '1']).flat();
    const origin = await createStreamOrigin((stream) => {
      stream.respond([':status', '200', ...many]);
      stream.end();
    });
    const sink = await sendTo(upstreamTo(origin)).ended();
    expect(sink.headers.slice(0, many.length)).toEqual(many);
  });
});
