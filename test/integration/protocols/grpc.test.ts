/** gRPC through the whole gateway: @grpc/grpc-js on both sides, in the clear and over TLS. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEchoServer, type EchoServer } from '../../mesh/transport/grpc-echo-server.ts';
import { createAuthority } from '../../mesh/transport/http1-test-certificates.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { EchoClient, failure } from './grpc-client.ts';

/** More than gRPC and the gateway let through unasked. */
const LARGE_BYTES = 12 * 1024 * 1024;
const RECEIVE_ALL = { 'grpc.max_receive_message_length': -1 };

let directory: string;
let plain: EchoServer;
let secure: EchoServer;
let gateway: TestGateway;
const clients: EchoClient[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshgate-grpc-'));
  const authority = await createAuthority();
  const certificate = await authority.issue({ ip: ['127.0.0.1'] });
  const ca = join(directory, 'ca.pem');
  await writeFile(ca, authority.cert);
  plain = await startEchoServer(undefined, RECEIVE_ALL);
  secure = await startEchoServer(certificate, RECEIVE_ALL);
  gateway = await startGateway({
    services: {
      plain: { protocol: 'h2c', endpoints: [{ address: plain.address }] },
      secure: { protocol: 'h2', endpoints: [{ address: secure.address }], tls: { ca } },
    },
    routes: [
      {
        name: 'plain',
        match: { path: '/plain/*' },
        to: 'plain',
        rewrite: { stripPrefix: '/plain' },
        plugins: [{ 'body-limit': { max: '16MiB' } }],
      },
      {
        name: 'secure',
        match: { path: '/secure/*' },
        to: 'secure',
        rewrite: { stripPrefix: '/secure' },
      },
    ],
  });
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

afterAll(async () => {
  await gateway?.stop();
  plain?.stop();
  secure?.stop();
  await rm(directory, { recursive: true, force: true });
});

function connect(tls: boolean, upstream: 'plain' | 'secure', options = {}): EchoClient {
  const port = tls ? gateway.httpsPort : gateway.httpPort;
  const client = new EchoClient(`localhost:${port}`, tls, `/${upstream}`, {
    'grpc.max_receive_message_length': -1,
    ...options,
  });
  clients.push(client);
  return client;
}

describe.for([
  ['h2c', 'h2c', false, 'plain'],
  ['h2', 'h2c', true, 'plain'],
  ['h2c', 'h2', false, 'secure'],
  ['h2', 'h2', true, 'secure'],
] as const)('gRPC over %s to an %s upstream', ([, , tls, upstream]) => {
  it('carries a unary call with metadata and trailers both ways', async () => {
    const metadata = new Metadata();
    metadata.set('echo-text', 'a, b');
    metadata.set('echo-data-bin', Buffer.from([0, 1, 254, 255]));
    const { message, head, trailers } = await connect(tls, upstream).unary(
      Buffer.from('hello'),
      metadata,
    );
    expect(message.toString()).toBe('hello');
    expect(head.get('head-echo-text')).toEqual(['a, b']);
    expect(head.get('head-echo-data-bin')).toEqual([Buffer.from([0, 1, 254, 255])]);
    expect(trailers.get('trailer-echo-text')).toEqual(['a, b']);
    expect(trailers.get('trailer-echo-data-bin')).toEqual([Buffer.from([0, 1, 254, 255])]);
  });

  it('carries a stream of the client', async () => {
    expect(await connect(tls, upstream).collect(['a', 'b', 'c'])).toBe('a+b+c');
  });

  it('carries a stream of the server', async () => {
    const received: string[] = [];
    const call = connect(tls, upstream).serverStream('spread', 'x y z');
    call.on('data', (part: Buffer) => received.push(part.toString()));
    await once(call, 'end');
    expect(received).toEqual(['x', 'y', 'z']);
  });

  it('carries a conversation message by message', async () => {
    const call = connect(tls, upstream).chat();
    for (const word of ['ping', 'pong']) {
      call.write(Buffer.from(word));
      const [reply] = (await once(call, 'data')) as [Buffer];
      expect(reply.toString()).toBe(word.toUpperCase());
    }
    const ended = once(call, 'status');
    call.end();
    expect(await ended).toMatchObject([{ code: status.OK }]);
  });

  it('tells status code, message and trailers of a failed call', async () => {
    const error = await failure(
      connect(tls, upstream).unary(Buffer.from('x'), undefined, {}, 'fail'),
    );
    expect(error).toMatchObject({ code: status.DATA_LOSS, details: 'nötig: 100%' });
    expect(error.metadata.get('reason-bin')).toEqual([Buffer.from([0, 255, 1])]);
  });

  it('tells a failure after some messages', async () => {
    const call = connect(tls, upstream).serverStream('failLate', '');
    const received: string[] = [];
    call.on('data', (part: Buffer) => received.push(part.toString()));
    const [error] = (await once(call, 'error')) as [ServiceError];
    expect(received).toEqual(['some']);
    expect(error).toMatchObject({ code: status.ABORTED, details: 'after some' });
  });
});

describe('a gRPC call', () => {
  it('may carry messages of many megabytes both ways', async () => {
    const message = Buffer.alloc(LARGE_BYTES, 'm');
    const { message: reply } = await connect(true, 'plain').unary(message);
    expect(reply.equals(message)).toBe(true);
  });

  it('that the client cancels is cancelled at the server', async () => {
    const hanging = plain.nextHanging();
    const { result, cancel } = connect(true, 'plain').start(Buffer.from(''), undefined, {}, 'hang');
    const call = await hanging;
    const cancelled = once(call, 'cancelled');
    cancel();
    expect(await failure(result)).toMatchObject({ code: status.CANCELLED });
    await cancelled;
    expect(call.cancelled).toBe(true);
  });

  it('brings its deadline to the server, and is cancelled there when it passes', async () => {
    const hanging = secure.nextHanging();
    const deadline = Date.now() + 1500;
    const { result } = connect(false, 'secure').start(
      Buffer.from(''),
      undefined,
      { deadline },
      'hang',
    );
    const failed = failure(result);
    const call = await hanging;
    expect(Number(call.getDeadline())).toBeLessThan(deadline + 5000);
    await once(call, 'cancelled');
    expect(await failed).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  it('may be one of very many at a time on one connection', async () => {
    const client = connect(true, 'plain');
    const words = Array.from({ length: 500 }, (_, n) => `message ${n}`);
    const replies = await Promise.all(words.map((word) => client.unary(Buffer.from(word))));
    expect(replies.map(({ message }) => message.toString())).toEqual(words);
  });

  it('may be one of many conversations at a time', async () => {
    const client = connect(false, 'secure');
    const calls = Array.from({ length: 80 }, () => client.chat());
    for (const word of ['a', 'b', 'c']) {
      const replies = await Promise.all(
        calls.map(async (call, n) => {
          const reply = once(call, 'data');
          call.write(Buffer.from(`${word}${n}`));
          return String((await reply)[0]);
        }),
      );
      expect(replies).toEqual(calls.map((_, n) => `${word.toUpperCase()}${n}`));
    }
    const ended = calls.map((call) => once(call, 'end'));
    for (const call of calls) call.end();
    await Promise.all(ended);
  });
});
