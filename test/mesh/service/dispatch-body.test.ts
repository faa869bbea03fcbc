import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { errors, FormData as UndiciFormData, type Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { createNodeOrigin, createRawOrigin } from '../transport/http1-origins.ts';
import { createTestDispatcher, dispatch, echo, type EchoedRequest } from './dispatcher-fixture.ts';
import { createRefusingTarget, serviceFixtures, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

/** The declared type leaves out much of what undici takes. */
type Body = NonNullable<Dispatcher.DispatchOptions['body']>;

async function openEcho(): Promise<Dispatcher> {
  const origin = await open.origin(createNodeOrigin(echo));
  return createTestDispatcher(open.service([toSpec(origin.target)]).service);
}

async function send(
  body: unknown,
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<EchoedRequest> {
  const options = { method, body: body as Body, headers };
  const { text, error } = await dispatch(await openEcho(), options).over;
  if (error !== undefined) throw error;
  return JSON.parse(text) as EchoedRequest;
}

async function failure(body: unknown, headers: Record<string, string> = {}): Promise<Error> {
  const options = { method: 'POST', body: body as Body, headers };
  return (await dispatch(await openEcho(), options).over).error!;
}

async function* pieces(): AsyncGenerator<string | Uint8Array> {
  yield 'fo';
  yield Buffer.from('ur');
}

describe('a body', () => {
  it.each<[string, () => unknown]>([
    ['text', () => 'four'],
    ['a Buffer', () => Buffer.from('four')],
    ['a typed array', () => new Uint16Array(new Uint8Array(Buffer.from('four')).buffer)],
    ['a DataView', () => new DataView(new Uint8Array(Buffer.from('.four.')).buffer, 1, 4)],
    ['an ArrayBuffer', () => new Uint8Array(Buffer.from('four')).buffer],
    ['a Blob', () => new Blob(['four'])],
  ])('that is %s is sent with its length', async (_what, create) => {
    const { body, headers } = await send(create());
    expect([body, headers['content-length']]).toEqual(['four', '4']);
  });

  it.each<[string, () => unknown]>([
    ['a Readable', () => Readable.from([Buffer.from('fo'), Buffer.from('ur')])],
    ['a Readable of text', () => Readable.from(['fo', 'ur'])],
    ['a Readable that was paused', () => new PassThrough().pause().end('four')],
    ['an async iterable', pieces],
    ['an iterable', () => ['fo', Buffer.from('ur')]],
    ['a web stream', () => new Response('four').body],
  ])('that is %s is sent in chunks, or with the length that is declared', async (_what, create) => {
    const chunked = await send(create());
    expect([chunked.body, chunked.headers['transfer-encoding']]).toEqual(['four', 'chunked']);
    const declared = await send(create(), { 'content-length': '4' });
    expect([declared.body, declared.headers['content-length']]).toEqual(['four', '4']);
  });

  it.each([null, undefined, '', Buffer.alloc(0)])('that is %j is none', async (nothing) => {
    const post = await send(nothing);
    expect([post.body, post.headers['content-length']]).toEqual(['', '0']);
    const get = await send(nothing, {}, 'GET');
    expect(get.headers).toEqual({ host: 'orders.mesh' });
  });

  it.each([
    ['the runtime', () => new FormData()],
    ['undici', () => new UndiciFormData()],
  ])("that is FormData of %s's is sent as a form", async (_whose, create) => {
    const form = create();
    form.append('name', 'value');
    form.append('file', new Blob(['content']), 'a.txt');
    const { body, headers } = await send(form);
    const type = headers['content-type']!;
    expect(type).toMatch(/^multipart\/form-data; boundary=/);
    const parsed = await new Response(body, { headers: { 'content-type': type } }).formData();
    expect(parsed.get('name')).toBe('value');
    expect(await (parsed.get('file') as File).text()).toBe('content');
  });

  it('that is a Blob says its type, unless the caller does', async () => {
    const blob = new Blob(['{}'], { type: 'application/json' });
    expect((await send(blob)).headers['content-type']).toBe('application/json');
    const own = await send(blob, { 'Content-Type': 'text/plain' });
    expect(own.headers['content-type']).toBe('text/plain');
  });

  it.each([{}, 5, true])('that is %j is refused', async (body) => {
    expect(await failure(body)).toBeInstanceOf(errors.InvalidArgumentError);
  });

  it('of another length than declared is refused', async () => {
    for (const body of ['four', new Blob(['four'])]) {
      expect(await failure(body, { 'content-length': '5' })).toBeInstanceOf(
        errors.RequestContentLengthMismatchError,
      );
    }
  });

  it('whose pieces are no bytes fails the call', async () => {
    expect(await failure([1, 2])).toBeInstanceOf(errors.InvalidArgumentError);
    expect(await failure(Readable.from([1, 2]))).toBeInstanceOf(errors.InvalidArgumentError);
  });

  it('that breaks off fails the call with what it broke off with', async () => {
    const cause = new Error('disk on fire');
    async function* breaking(): AsyncGenerator<string> {
      yield 'some';
      throw cause;
    }
    expect(await failure(breaking())).toBe(cause);
    expect(await failure(Readable.from(breaking()))).toBe(cause);
  });

  it('that has broken off before it is sent fails the call', async () => {
    const dispatcher = await openEcho();
    const cause = new Error('disk on fire');
    // Without a connection at hand, and then with one.
    for (let i = 0; i < 2; i++) {
      const stream = new PassThrough();
      const { over } = dispatch(dispatcher, { method: 'POST', body: stream });
      stream.destroy(cause);
      expect((await over).error).toBe(cause);
      await dispatch(dispatcher).over;
    }
  });

  it('that is closed before its end fails the call', async () => {
    const stream = new PassThrough();
    stream.write('some');
    const failed = failure(stream);
    stream.once('data', () => stream.destroy());
    expect(await failed).toBeInstanceOf(errors.RequestAbortedError);
    const gone = new PassThrough().destroy();
    expect(await failure(gone)).toBeInstanceOf(errors.RequestAbortedError);
  });

  it.each([
    ['an iterable', (flood: AsyncIterable<Uint8Array>) => flood],
    ['a Readable', (flood: AsyncIterable<Uint8Array>) => Readable.from(flood)],
  ])('that is %s is read no faster than the service reads it', async (_what, toBody) => {
    const arrived = Promise.withResolvers<() => void>();
    const origin = await open.origin(
      createNodeOrigin(({ request, response }) => {
        request.on('end', () => {
          response.writeHead(200);
          response.end();
        });
        arrived.resolve(() => request.resume());
      }),
    );
    const { service } = open.service([toSpec(origin.target)]);
    const total = 64;
    let made = 0;
    async function* flood(): AsyncGenerator<Uint8Array> {
      while (made < total) {
        made++;
        yield Buffer.alloc(1024 * 1024);
      }
    }
    const options = { method: 'POST', body: toBody(flood()) as unknown as Body };
    const handler = dispatch(createTestDispatcher(service), options);
    const read = await arrived.promise;
    // All of it would have been taken before the service even had the head.
    expect(made).toBeLessThan(total);
    read();
    expect((await handler.over).status).toBe(200);
    expect(made).toBe(total);
  });

  it('of a call that has ended without it is destroyed', async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    const answered = createTestDispatcher(open.service([toSpec(origin.target)]).service);
    const dead = toSpec(await createRefusingTarget());
    const refused = createTestDispatcher(open.service([dead], { retry: { attempts: 0 } }).service);
    for (const [dispatcher, method] of [
      [answered, 'PUT'],
      [answered, 'POST'],
      [refused, 'PUT'],
      [refused, 'POST'],
    ] as const) {
      const body = new PassThrough();
      await dispatch(dispatcher, { method, body }).over;
      expect([method, body.destroyed]).toEqual([method, true]);
    }
  });

  it('of an iterable that is wanted no more is told so', async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    const { service } = open.service([toSpec(origin.target)]);
    const returned = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          await new Promise(setImmediate);
          yield Buffer.alloc(1024);
        }
      } finally {
        returned.resolve();
      }
    }
    const options = { method: 'POST', body: endless() as unknown as Body };
    expect((await dispatch(createTestDispatcher(service), options).over).status).toBe(413);
    await returned.promise;
  });

  it("that is a server's request leaves its connection to the answer", async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    const dispatcher = createTestDispatcher(open.service([toSpec(origin.target)]).service);
    const server = createServer((request, response) => {
      void dispatch(dispatcher, { method: 'POST', body: request }).over.then(({ status }) => {
        response.writeHead(status);
        response.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = httpRequest({ port, host: '127.0.0.1', method: 'POST' });
    client.write('the beginning');
    const [answer] = (await once(client, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(413);
    client.destroy();
    server.close();
    await once(server, 'close');
  });
});
