import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { requestOf } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';
import { createStreamOrigin } from './http2-origins.ts';
import { sendTo, upstreamFixtures } from './http2-test-upstream.ts';

const upstreamTo = upstreamFixtures();
const TUNNELS = { settings: { enableConnectProtocol: true } };

// The key and its answer of RFC 6455 §1.3.
const WEBSOCKET = {
  upgrade: 'websocket',
  target: '/chat',
  headers: [
    'Sec-WebSocket-Key',
    'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version',
    '13',
    'Sec-WebSocket-Protocol',
    'chat',
  ],
};

describe('a WebSocket over HTTP/2', () => {
  it('is opened by an extended CONNECT and told as the 101 of HTTP/1.1', async () => {
    let seen: unknown;
    const origin = await createStreamOrigin((stream, headers) => {
      seen = { ...headers };
      stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
    }, TUNNELS);
    const sink = sendTo(upstreamTo(origin), WEBSOCKET);
    await sink.ended();
    expect(sink.calls).toEqual(['sent', 'upgrade']);
    expect([sink.status, sink.reason]).toEqual([101, 'Switching Protocols']);
    expect(sink.values('sec-websocket-accept')).toEqual(['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
    expect(sink.values('sec-websocket-protocol')).toEqual(['chat']);
    expect(sink.values('upgrade')).toEqual(['websocket']);
    expect(seen).toMatchObject({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/chat',
      ':authority': 'origin.test',
      'sec-websocket-version': '13',
    });
    expect(seen).not.toHaveProperty('sec-websocket-key');
    sink.tunnel!.destroy();
  });

  it('carries bytes both ways until both sides have ended, whatever the timeouts', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('hello ');
      stream.on('data', (chunk: Buffer) => stream.write(chunk.toString().toUpperCase()));
      stream.on('end', () => stream.end(' bye'));
    }, TUNNELS);
    const upstream = upstreamTo(origin);
    const sink = new UpstreamRecorder();
    const timeouts = { responseTimeoutMs: 10_000, idleTimeoutMs: 20 };
    const call = upstream.send(requestOf({ ...WEBSOCKET, ...timeouts }), sink);
    await sink.ended();
    const tunnel = sink.tunnel!;
    const received = { text: '' };
    tunnel.on('data', (chunk: Buffer) => (received.text += chunk.toString()));
    // The tunnel is the caller's now: neither an abort nor a timeout ends it.
    call.abort();
    await new Promise((resolve) => setTimeout(resolve, 60));
    tunnel.write('again');
    while (received.text !== 'hello AGAIN') await once(tunnel, 'data');
    const ended = once(tunnel, 'end');
    tunnel.end();
    await ended;
    expect(received.text).toBe('hello AGAIN bye');
    expect(sink.calls).toEqual(['sent', 'upgrade']);
  });

  it('is an answer like any other where the upstream refuses', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.respond({ ':status': 403 });
      stream.end('not here');
    }, TUNNELS);
    const upstream = upstreamTo(origin);
    const sink = await sendTo(upstream, WEBSOCKET).ended();
    expect(sink.calls).toEqual(['sent', 'head', 'data', 'end']);
    expect([sink.status, sink.text]).toEqual([403, 'not here']);
  });

  it('fails with protocol, unsent, where the upstream has not allowed it', async () => {
    let streams = 0;
    const origin = await createStreamOrigin(() => streams++);
    const sink = sendTo(upstreamTo(origin), WEBSOCKET);
    const error = await sink.failed();
    expect(error).toMatchObject({ failure: 'protocol', sent: false });
    expect(error.message).toBe('the upstream does not allow WebSocket over HTTP/2 (RFC 8441)');
    expect(sink.calls).toEqual(['error']);
    expect(streams).toBe(0);
  });

  it('survives the end of its connection without an unhandled error', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.respond({ ':status': 200 });
      stream.on('data', () => stream.session!.destroy());
    }, TUNNELS);
    const sink = await sendTo(upstreamTo(origin), WEBSOCKET).ended();
    const tunnel = sink.tunnel!;
    const closed = once(tunnel, 'close');
    tunnel.resume();
    tunnel.write('x');
    await closed;
    expect(tunnel.destroyed).toBe(true);
  });

  it('lets close wait for it', async () => {
    const origin = await createStreamOrigin((stream) => {
      stream.respond({ ':status': 200 });
      stream.on('data', () => {}).on('end', () => stream.end());
    }, TUNNELS);
    const upstream = upstreamTo(origin);
    const sink = await sendTo(upstream, WEBSOCKET).ended();
    let isClosed = false;
    const closed = upstream.close().then(() => (isClosed = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    sink.tunnel!.resume().end();
    await closed;
    expect(upstream.connections).toBe(0);
  });
});
