import { once } from 'node:events';
import { status as GrpcStatus } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttp2Upstream } from '../../../src/mesh/transport/http2-upstream.ts';
import type { Upstream, UpstreamRequest } from '../../../src/mesh/transport/upstream.ts';
import { ManualBody, readyBody } from '../../contracts/test-body-source.ts';
import { LIMITS, requestOf } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';
import { startEchoServer, type EchoServer } from './grpc-echo-server.ts';

let server: EchoServer;
let upstream: Upstream;

beforeAll(async () => {
  server = await startEchoServer();
  upstream = createHttp2Upstream({ host: '127.0.0.1', port: server.port, protocol: 'h2c' }, LIMITS);
});

afterAll(async () => {
  await upstream?.close();
  server?.stop();
});

/** A message as gRPC frames it: not compressed, its length, itself. */
function toMessage(text: string): string {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return `${head.toString('latin1')}${text}`;
}

function parseMessages(bytes: string): string[] {
  const buffer = Buffer.from(bytes, 'latin1');
  const messages: string[] = [];
  for (let at = 0; at + 5 <= buffer.length;) {
    const end = at + 5 + buffer.readUInt32BE(at + 1);
    messages.push(buffer.toString('latin1', at + 5, end));
    at = end;
  }
  return messages;
}

function grpcRequest(method: string, body: UpstreamRequest['body']): UpstreamRequest {
  return requestOf({
    method: 'POST',
    target: `/test.Echo/${method}`,
    headers: ['Content-Type', 'application/grpc', 'TE', 'trailers', 'Echo-Tenant', 'acme'],
    body,
  });
}

function trailerOf(sink: UpstreamRecorder, name: string): string | undefined {
  const { trailers } = sink;
  return trailers?.[trailers.indexOf(name) + 1];
}

describe('gRPC through an HTTP/2 upstream', () => {
  it('calls a unary method', async () => {
    const sink = new UpstreamRecorder();
    upstream.send(grpcRequest('Unary', readyBody(toMessage('hi'))), sink);
    await sink.ended();
    expect(parseMessages(sink.text)).toEqual(['hi']);
    expect(sink.values('head-echo-tenant')).toEqual(['acme']);
    expect(trailerOf(sink, 'grpc-status')).toBe('0');
  });

  it('streams to the server', async () => {
    const sink = new UpstreamRecorder();
    const body = new ManualBody();
    upstream.send(grpcRequest('Collect', body), sink);
    await body.started;
    for (const part of ['a', 'b', 'c']) body.push(toMessage(part));
    body.end();
    await sink.ended();
    expect(parseMessages(sink.text)).toEqual(['a+b+c']);
    expect(trailerOf(sink, 'grpc-status')).toBe('0');
  });

  it('streams from the server', async () => {
    const sink = new UpstreamRecorder();
    upstream.send(grpcRequest('Spread', readyBody(toMessage('x y z'))), sink);
    await sink.ended();
    expect(parseMessages(sink.text)).toEqual(['x', 'y', 'z']);
    expect(trailerOf(sink, 'grpc-status')).toBe('0');
  });

  it('streams both ways, message by message', async () => {
    const sink = new UpstreamRecorder();
    const body = new ManualBody();
    upstream.send(grpcRequest('Chat', body), sink);
    await body.started;
    const said: string[] = [];
    for (const part of ['ping', 'pong']) {
      body.push(toMessage(part));
      said.push(part.toUpperCase());
      await sink.until(({ text }) => parseMessages(text).length === said.length);
      expect(parseMessages(sink.text)).toEqual(said);
    }
    body.end();
    await sink.ended();
    expect(trailerOf(sink, 'grpc-status')).toBe('0');
  });

  it('delivers an error as an answer of a head alone', async () => {
    const sink = new UpstreamRecorder();
    upstream.send(grpcRequest('Fail', readyBody(toMessage('hi'))), sink);
    await sink.ended();
    expect(sink.status).toBe(200);
    expect(sink.calls).toEqual(['sent', 'head', 'end']);
    expect(sink.values('grpc-status')).toEqual([String(GrpcStatus.DATA_LOSS)]);
    expect(sink.values('grpc-message')).toEqual(['n%C3%B6tig:%20100%25']);
    expect(sink.trailers).toBeUndefined();
  });

  it('tells the server of an abort as a cancelled call', async () => {
    const hanging = server.nextHanging();
    const sink = new UpstreamRecorder();
    const call = upstream.send(grpcRequest('Hang', readyBody(toMessage('hi'))), sink);
    const serverCall = await hanging;
    const cancelled = once(serverCall, 'cancelled');
    call.abort();
    await cancelled;
    expect(serverCall.cancelled).toBe(true);
    expect(sink.calls).toEqual(['sent']);
  });

  it('tells the server of a timeout as a cancelled call', async () => {
    const hanging = server.nextHanging();
    const sink = new UpstreamRecorder();
    const request = grpcRequest('Hang', readyBody(toMessage('hi')));
    upstream.send({ ...request, responseTimeoutMs: 100 }, sink);
    const cancelled = hanging.then((call) => once(call, 'cancelled'));
    expect(await sink.failed()).toMatchObject({ failure: 'timeout', sent: true });
    await cancelled;
  });
});
