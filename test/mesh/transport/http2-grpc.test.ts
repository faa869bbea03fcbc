import { Server, ServerCredentials, status as GrpcStatus } from '@grpc/grpc-js';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttp2Upstream } from '../../../src/mesh/transport/http2-upstream.ts';
import type { Upstream, UpstreamRequest } from '../../../src/mesh/transport/upstream.ts';
import { ManualBody, readyBody } from '../../contracts/test-body-source.ts';
import { LIMITS, requestOf } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';

const passThrough = (value: Buffer): Buffer => value;

function methodOf(path: string, requestStream: boolean, responseStream: boolean) {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: passThrough,
    requestDeserialize: passThrough,
    responseSerialize: passThrough,
    responseDeserialize: passThrough,
  };
}

const ECHO: ServiceDefinition = {
  unary: methodOf('/test.Echo/Unary', false, false),
  collect: methodOf('/test.Echo/Collect', true, false),
  spread: methodOf('/test.Echo/Spread', false, true),
  chat: methodOf('/test.Echo/Chat', true, true),
  fail: methodOf('/test.Echo/Fail', false, false),
  hang: methodOf('/test.Echo/Hang', false, false),
};

let server: Server;
let upstream: Upstream;
let onHang: (call: ServerUnaryCall<Buffer, Buffer>) => void;

const implementation: UntypedServiceImplementation = {
  unary(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
    callback(
      null,
      Buffer.from(`got ${call.request.toString()} ${String(call.metadata.get('x-tenant')[0])}`),
    );
  },
  collect(call: ServerReadableStream<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
    const parts: string[] = [];
    call.on('data', (part: Buffer) => parts.push(part.toString()));
    call.on('end', () => callback(null, Buffer.from(parts.join('+'))));
  },
  spread(call: ServerWritableStream<Buffer, Buffer>) {
    for (const part of call.request.toString().split(' ')) call.write(Buffer.from(part));
    call.end();
  },
  chat(call: ServerDuplexStream<Buffer, Buffer>) {
    call.on('data', (part: Buffer) => call.write(Buffer.from(part.toString().toUpperCase())));
    call.on('end', () => call.end());
  },
  fail(_call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
    callback({ code: GrpcStatus.NOT_FOUND, details: 'no such thing' });
  },
  hang(call: ServerUnaryCall<Buffer, Buffer>) {
    onHang(call);
  },
};

beforeAll(async () => {
  server = new Server();
  server.addService(ECHO, implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
  upstream = createHttp2Upstream({ host: '127.0.0.1', port, protocol: 'h2c' }, LIMITS);
});

afterAll(async () => {
  await upstream.close();
  server.forceShutdown();
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
    headers: ['Content-Type', 'application/grpc', 'TE', 'trailers', 'X-Tenant', 'acme'],
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
    expect(parseMessages(sink.text)).toEqual(['got hi acme']);
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
    expect(sink.values('grpc-status')).toEqual([String(GrpcStatus.NOT_FOUND)]);
    expect(sink.values('grpc-message')).toEqual(['no%20such%20thing']);
    expect(sink.trailers).toBeUndefined();
  });

  it('tells the server of an abort as a cancelled call', async () => {
    const hanging = Promise.withResolvers<ServerUnaryCall<Buffer, Buffer>>();
    onHang = hanging.resolve;
    const sink = new UpstreamRecorder();
    const call = upstream.send(grpcRequest('Hang', readyBody(toMessage('hi'))), sink);
    const serverCall = await hanging.promise;
    const cancelled = new Promise<void>((resolve) => {
      serverCall.on('cancelled', () => resolve());
    });
    call.abort();
    await cancelled;
    expect(serverCall.cancelled).toBe(true);
    expect(sink.calls).toEqual(['sent']);
  });

  it('tells the server of a timeout as a cancelled call', async () => {
    const cancelled = new Promise<void>((resolve) => {
      onHang = (call) => call.on('cancelled', () => resolve());
    });
    const sink = new UpstreamRecorder();
    const request = grpcRequest('Hang', readyBody(toMessage('hi')));
    upstream.send({ ...request, responseTimeoutMs: 100 }, sink);
    expect(await sink.failed()).toMatchObject({ failure: 'timeout', sent: true });
    await cancelled;
  });
});
