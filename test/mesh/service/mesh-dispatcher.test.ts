import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { errors, type Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import type { LegacyHandler } from '../../../src/mesh/service/legacy-handler.ts';
import { MeshDispatcher } from '../../../src/mesh/service/mesh-dispatcher.ts';
import { createNodeOrigin, createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import {
  createTestDispatcher,
  dispatch,
  echo,
  HandlerRecorder,
  type EchoedRequest,
} from './dispatcher-fixture.ts';
import { createRefusingTarget, serviceFixtures, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

async function openEcho(): Promise<MeshDispatcher> {
  const origin = await open.origin(createNodeOrigin(echo));
  return createTestDispatcher(open.service([toSpec(origin.target)]).service);
}

async function openRaw(onRequest: (peer: RawPeer) => void): Promise<MeshDispatcher> {
  const origin = await open.origin(createRawOrigin(onRequest));
  return createTestDispatcher(open.service([toSpec(origin.target)]).service);
}

async function sent(
  dispatcher: Dispatcher,
  options: Partial<Dispatcher.DispatchOptions>,
): Promise<EchoedRequest> {
  const { text, error } = await dispatch(dispatcher, options).over;
  if (error !== undefined) throw error;
  return JSON.parse(text) as EchoedRequest;
}

describe('the origin of a call', () => {
  it('names the service, whatever the port and the case', async () => {
    const dispatcher = await openEcho();
    for (const origin of [
      'http://orders.mesh',
      'http://orders.mesh/',
      'http://orders.mesh:8080',
      'http://Orders.Mesh',
      new URL('http://orders.mesh:81/ignored'),
    ]) {
      expect((await sent(dispatcher, { origin })).url).toBe('/');
    }
  });

  it('is the authority, port included, unless there is a Host', async () => {
    const dispatcher = await openEcho();
    const own = await sent(dispatcher, { origin: 'http://orders.mesh:81' });
    expect(own.headers['host']).toBe('orders.mesh:81');
    const other = await sent(dispatcher, { headers: { Host: 'shop.example.com' } });
    expect(other.headers['host']).toBe('shop.example.com');
  });

  it('of a service that nobody knows fails like a name that DNS does not know', async () => {
    const dispatcher = await openEcho();
    const { error, calls } = await dispatch(dispatcher, { origin: 'http://nope.mesh' }).over;
    expect(error).toMatchObject({ code: 'ENOTFOUND', hostname: 'nope.mesh' });
    expect(error!.message).toContain('the mesh has no service "nope"');
    expect(calls).toEqual(['error']);
  });

  it.each([
    'http://example.com',
    'http://mesh',
    'http://.mesh',
    'https://orders.mesh',
    'http://orders.mesh@evil.example',
    'http://user@orders.mesh',
    '',
  ])('that is none of the mesh is refused: %j', async (origin) => {
    const { error } = await dispatch(await openEcho(), { origin }).over;
    expect(error).toBeInstanceOf(errors.InvalidArgumentError);
  });

  it('has the suffix that was asked for', async () => {
    const origin = await open.origin(createNodeOrigin(echo));
    const { service } = open.service([toSpec(origin.target)]);
    const dispatcher = new MeshDispatcher({ resolve: () => service, suffix: '.svc.local' });
    expect((await sent(dispatcher, { origin: 'http://x.svc.local' })).url).toBe('/');
  });
});

describe('what is sent', () => {
  it('has the path with its query, or with the one given beside it', async () => {
    const dispatcher = await openEcho();
    expect((await sent(dispatcher, { path: '/a?b=1' })).url).toBe('/a?b=1');
    expect((await sent(dispatcher, { path: '/a', query: { b: 1, c: ['x', 'y z'] } })).url).toBe(
      '/a?b=1&c=x&c=y%20z',
    );
  });

  it.each<[string, NonNullable<Dispatcher.DispatchOptions['headers']>]>([
    ['an object', { 'x-a': '1', 'x-b': ['2', '3'], 'x-none': undefined }],
    ['a flat list', ['x-a', '1', 'x-b', '2', 'x-b', '3']],
    [
      'pairs',
      new Map<string, string | string[]>([
        ['x-a', '1'],
        ['x-b', ['2', '3']],
      ]),
    ],
    [
      'Headers',
      new Headers([
        ['x-a', '1'],
        ['x-b', '2'],
        ['x-b', '3'],
      ]),
    ],
  ])('has the headers that are given as %s', async (_form, headers) => {
    const echoed = await sent(await openEcho(), { headers });
    expect(echoed.headers).toEqual({ host: 'orders.mesh', 'x-a': '1', 'x-b': '2, 3' });
  });

  it('has no field of the connection that the caller believes to have', async () => {
    const { headers } = await sent(await openEcho(), {
      method: 'POST',
      body: 'four',
      headers: {
        Connection: 'keep-alive, x-kept',
        'Keep-Alive': 'timeout=5',
        'Proxy-Connection': 'keep-alive',
        'Transfer-Encoding': 'chunked',
        Upgrade: 'h2c',
        Expect: '100-continue',
        'x-kept': 'yes',
      },
    });
    expect(headers).toEqual({ host: 'orders.mesh', 'content-length': '4', 'x-kept': 'yes' });
  });

  it.each<[string, Partial<Dispatcher.DispatchOptions>]>([
    ['a path without a slash', { path: 'x' }],
    ['an absolute path', { path: 'http://orders.mesh/' }],
    ['a path with a line break', { path: '/\r\nX: y' }],
    ['two queries', { path: '/?a=1', query: { b: 1 } }],
    ['a method that is no token', { method: 'GET /' }],
    ['a header with a line break', { headers: { x: 'a\r\nb: c' } }],
    ['a header name that is no token', { headers: { 'x y': 'z' } }],
    ['an odd list of headers', { headers: ['x'] }],
    ['a header that is an object', { headers: { x: {} as string } }],
    ['two hosts', { headers: ['host', 'a', 'Host', 'b'] }],
    ['two lengths', { headers: ['content-length', '1', 'Content-Length', '1'] }],
    ['a length that is none', { headers: { 'content-length': '1e3' } }],
    ['a negative timeout', { headersTimeout: -1 }],
    ['a timeout that is no number', { bodyTimeout: Number.NaN }],
    ['an upgrade to nothing', { upgrade: true }],
  ])('is refused with an InvalidArgumentError: %s', async (_what, options) => {
    const accepted: RawPeer[] = [];
    const dispatcher = await openRaw((peer) => accepted.push(peer));
    const { error } = await dispatch(dispatcher, options).over;
    expect(error).toBeInstanceOf(errors.InvalidArgumentError);
    expect(accepted).toEqual([]);
  });

  it('is never a CONNECT', async () => {
    const { error } = await dispatch(await openEcho(), { method: 'CONNECT' }).over;
    expect(error).toBeInstanceOf(errors.NotSupportedError);
  });
});

describe('a handler', () => {
  it('hears the answer in order, with headers and trailers by name', async () => {
    const dispatcher = await openRaw(({ socket }) => {
      socket.write(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' +
          'HTTP/1.1 200 Fine\r\nX-A: 1\r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '4\r\nbody\r\n0\r\nX-Sum: 9\r\n\r\n',
      );
    });
    const handler = await dispatch(dispatcher).over;
    expect(handler.calls).toEqual(['start', 'informational 103', 'head', 'data', 'end']);
    expect(handler.headers).toEqual({ 'x-a': ['1', '2'], 'transfer-encoding': 'chunked' });
    expect(handler.trailers).toEqual({ 'x-sum': '9' });
    expect(handler.controller!.rawHeaders).toContain('X-A');
    expect(handler.controller!.rawTrailers).toEqual(['X-Sum', '9']);
  });

  it('takes a header named __proto__ for a header', async () => {
    const dispatcher = await openRaw(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n__proto__: x\r\nContent-Length: 0\r\n\r\n');
    });
    const { headers } = await dispatch(dispatcher).over;
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
    expect(Object.keys(headers)).toContain('__proto__');
  });

  it('that pauses gets nothing until it resumes', async () => {
    const BYTES = 4 * 1024 * 1024;
    const dispatcher = await openRaw(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BYTES}\r\n\r\n`);
      socket.write('m'.repeat(BYTES));
    });
    const handler = new HandlerRecorder();
    handler.onStep = (step) => {
      if (step === 'head') handler.controller!.pause();
    };
    dispatch(dispatcher, {}, handler);
    // Another one reads all of its answer in the meantime.
    expect((await dispatch(dispatcher).over).text).toHaveLength(BYTES);
    expect(handler.controller!.paused).toBe(true);
    expect(handler.text.length).toBeLessThan(BYTES);
    handler.controller!.resume();
    expect((await handler.over).text).toHaveLength(BYTES);
  });

  it('that pauses before the answer gets nothing until it resumes', async () => {
    const dispatcher = await openEcho();
    const handler = new HandlerRecorder();
    handler.onStep = (step) => {
      if (step === 'start') handler.controller!.pause();
    };
    dispatch(dispatcher, {}, handler);
    await dispatch(dispatcher).over;
    expect(handler.calls).toEqual(['start']);
    handler.controller!.resume();
    expect((await handler.over).calls).toEqual(['start', 'head', 'data', 'end']);
  });

  it.each(['start', 'head', 'data'])('that aborts at %s hears of its own reason', async (at) => {
    const dispatcher = await openEcho();
    const handler = new HandlerRecorder();
    const reason = new Error('enough');
    handler.onStep = (step) => {
      if (step === at) handler.controller!.abort(reason);
    };
    await dispatch(dispatcher, {}, handler).over;
    expect(handler.error).toBe(reason);
    expect(handler.calls.slice(-2)).toEqual([at, 'error']);
    expect(handler.controller).toMatchObject({ aborted: true, reason });
  });

  it.each(['start', 'head', 'data'])('that throws at %s aborts its call', async (at) => {
    const dispatcher = await openEcho();
    const handler = new HandlerRecorder();
    const thrown = new Error('a bug');
    handler.onStep = (step) => {
      if (step === at) throw thrown;
    };
    await dispatch(dispatcher, {}, handler).over;
    expect(handler.error).toBe(thrown);
    expect(handler.calls.slice(-2)).toEqual([at, 'error']);
  });

  it('that throws at the end hears of it', async () => {
    const handler = new HandlerRecorder();
    const thrown = new Error('a bug');
    handler.onStep = (step) => {
      if (step === 'end') throw thrown;
    };
    const failed = new Promise<Error>((resolve) => {
      handler.onResponseError = (_controller, error) => resolve(error);
    });
    dispatch(await openEcho(), {}, handler);
    expect(await failed).toBe(thrown);
  });

  it('that aborts without a reason gets an AbortError, and once it is over nothing', async () => {
    const handler = dispatch(await openEcho());
    handler.controller!.abort(undefined as unknown as Error);
    expect(handler.error).toBeInstanceOf(errors.RequestAbortedError);
    handler.controller!.abort(new Error('again'));
    expect(handler.calls).toEqual(['start', 'error']);
  });

  it('must be an object that can be told of errors', async () => {
    const dispatcher = await openEcho();
    const options = { origin: 'http://orders.mesh', path: '/', method: 'GET' };
    for (const handler of [undefined, null, {}]) {
      expect(() => dispatcher.dispatch(options, handler as Dispatcher.DispatchHandler)).toThrow(
        errors.InvalidArgumentError,
      );
    }
  });
});

describe('an older handler', () => {
  function record(
    dispatcher: Dispatcher,
    more: LegacyHandler = {},
    options: Partial<Dispatcher.DispatchOptions> = {},
  ): { heard: unknown[][]; over: Promise<void> } {
    const heard: unknown[][] = [];
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const texts = (fields: Buffer[]): string[] => fields.map((field) => field.toString('latin1'));
    const handler: LegacyHandler = {
      onConnect: () => heard.push(['connect']),
      onHeaders: (status, headers, _resume, reason) =>
        void heard.push(['headers', status, texts(headers), reason]),
      onData: (chunk) => void heard.push(['data', String(chunk)]),
      onComplete: (trailers) => {
        heard.push(['complete', texts(trailers)]);
        resolve();
      },
      onError: (error) => {
        heard.push(['error', error]);
        resolve();
      },
      ...more,
    };
    dispatcher.dispatch(
      { origin: 'http://orders.mesh', path: '/', method: 'GET', ...options },
      handler as Dispatcher.DispatchHandler,
    );
    return { heard, over };
  }

  const answered = ({ socket }: RawPeer): void => {
    socket.write(
      'HTTP/1.1 200 Fine\r\nX-A: caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 9\r\n\r\n',
      'latin1',
    );
  };

  it('hears the answer with its fields as bytes', async () => {
    const { heard, over } = record(await openRaw(answered));
    await over;
    expect(heard).toEqual([
      ['connect'],
      ['headers', 200, ['X-A', 'caf\xe9', 'Transfer-Encoding', 'chunked'], 'Fine'],
      ['data', 'body'],
      ['complete', ['X-Sum', '9']],
    ]);
  });

  it.each(['onHeaders', 'onData'] as const)('holds the answer back by %s', async (hook) => {
    const BYTES = 4 * 1024 * 1024;
    const dispatcher = await openRaw(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BYTES}\r\n\r\n`);
      socket.write('m'.repeat(BYTES));
    });
    let bytes = 0;
    let isHeld = true;
    let resume: (() => void) | undefined;
    const { over } = record(dispatcher, {
      onHeaders: (_status, _headers, resumeAnswer) => {
        resume = resumeAnswer;
        return hook !== 'onHeaders';
      },
      onData: (chunk) => {
        bytes += chunk.length;
        return !isHeld;
      },
    });
    // Another one reads all of its answer in the meantime.
    expect((await dispatch(dispatcher).over).text).toHaveLength(BYTES);
    expect(bytes).toBeLessThan(BYTES);
    isHeld = false;
    resume!();
    await over;
    expect(bytes).toBe(BYTES);
  });

  it('aborts by what it was given at the start', async () => {
    const reason = new Error('enough');
    const heard = record(await openRaw(answered), { onConnect: (abort) => abort(reason) }).heard;
    expect(heard).toEqual([['error', reason]]);
  });

  it('hears of what went wrong', async () => {
    const dead = await createRefusingTarget();
    const { service } = open.service([toSpec(dead)]);
    const { heard, over } = record(createTestDispatcher(service));
    await over;
    expect(heard.at(-1)).toMatchObject(['error', { code: 'ECONNREFUSED' }]);
  });

  it('gets its tunnel', async () => {
    const dispatcher = await openRaw(({ socket }) => {
      socket.write('HTTP/1.1 101 Go\r\nUpgrade: echo\r\n\r\nhello');
    });
    const upgraded = new Promise<unknown[]>((resolve) => {
      record(
        dispatcher,
        {
          onUpgrade: (status, headers, socket) => {
            socket.once('data', (chunk: Buffer) => {
              resolve([status, headers.map(String), String(chunk)]);
              socket.destroy();
            });
          },
        },
        { upgrade: 'echo' },
      );
    });
    expect(await upgraded).toEqual([101, ['Upgrade', 'echo'], 'hello']);
  });
});

describe('an upgrade', () => {
  it('hands the tunnel over, which counts until it has closed', async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 101 Go\r\nUpgrade: echo\r\n\r\n');
      }),
    );
    const { service } = open.service([toSpec(origin.target)]);
    const dispatcher = createTestDispatcher(service);
    const { socket, status, headers, controller } = await dispatch(dispatcher, { upgrade: 'echo' })
      .over;
    expect([status, headers['upgrade']]).toEqual([101, 'echo']);
    // It is no call of the dispatcher's any more.
    await dispatcher.destroy();
    controller!.abort(new Error('too late'));
    expect([socket!.destroyed, service.breaker.active]).toEqual([false, 1]);
    const closed = once(socket!, 'close');
    socket!.destroy();
    await closed;
    expect(service.breaker.active).toBe(0);
  });

  it('that its handler does not want closes the tunnel', async () => {
    const dispatcher = await openRaw(({ socket }) => {
      socket.write('HTTP/1.1 101 Go\r\nUpgrade: echo\r\n\r\n');
    });
    const handler = new HandlerRecorder();
    const reason = new Error('not this one');
    handler.onStep = (step) => {
      if (step === 'upgrade') handler.controller!.abort(reason);
    };
    await dispatch(dispatcher, { upgrade: 'echo' }, handler).over;
    expect(handler.error).toBe(reason);
    expect(handler.socket!.destroyed).toBe(true);
  });

  it('that the service refuses is an answer', async () => {
    const dispatcher = await openRaw(({ socket }) => {
      socket.write('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n');
    });
    const handler = await dispatch(dispatcher, { upgrade: 'echo' }).over;
    expect([handler.status, handler.calls]).toEqual([426, ['start', 'head', 'end']]);
  });

  it('needs a handler that can take the tunnel', async () => {
    const dispatcher = await openEcho();
    const error = await new Promise((resolve) => {
      dispatcher.dispatch(
        { origin: 'http://orders.mesh', path: '/', method: 'GET', upgrade: 'echo' },
        { onRequestStart() {}, onResponseError: (_controller, failure) => resolve(failure) },
      );
    });
    expect(error).toBeInstanceOf(errors.InvalidArgumentError);
  });
});

describe('a failure', () => {
  const fails = async (
    onRequest: (peer: RawPeer) => void,
    options: Partial<Dispatcher.DispatchOptions> = {},
  ): Promise<Error> => (await dispatch(await openRaw(onRequest), options).over).error!;

  it('to connect is the error of the system', async () => {
    const { service } = open.service([toSpec(await createRefusingTarget())]);
    const { error } = await dispatch(createTestDispatcher(service)).over;
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('of the connection is a SocketError', async () => {
    const error = await fails(({ socket }) => socket.resetAndDestroy());
    expect(error).toBeInstanceOf(errors.SocketError);
    expect(error.cause).toMatchObject({ failure: 'reset' });
  });

  it('to speak HTTP is a SocketError', async () => {
    const error = await fails(({ socket }) => void socket.write('SSH-2.0-OpenSSH\r\n\r\n'));
    expect(error).toBeInstanceOf(errors.SocketError);
    expect(error.cause).toMatchObject({ failure: 'protocol' });
  });

  it('to answer within headersTimeout is a HeadersTimeoutError', async () => {
    const error = await fails(() => {}, { headersTimeout: 50 });
    expect(error).toBeInstanceOf(errors.HeadersTimeoutError);
  });

  it('to go on within bodyTimeout is a BodyTimeoutError', async () => {
    const error = await fails(
      ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
      { bodyTimeout: 50 },
    );
    expect(error).toBeInstanceOf(errors.BodyTimeoutError);
  });

  it('to find a connection in time is a ConnectTimeoutError', async () => {
    const origin = await open.origin(createRawOrigin(() => {}));
    const { service } = open.service([toSpec(origin.target)], {
      circuitBreaker: { maxRequests: 8, maxPending: 8, maxConnections: 1 },
      perTryTimeoutMs: 50,
      retry: { attempts: 0 },
    });
    const dispatcher = createTestDispatcher(service);
    const [first, second] = [dispatch(dispatcher), dispatch(dispatcher)];
    expect((await second.over).error).toBeInstanceOf(errors.ConnectTimeoutError);
    expect((await first.over).error).toBeInstanceOf(errors.HeadersTimeoutError);
  });

  it('to find an endpoint or a place keeps its code', async () => {
    const none = open.service([], { name: 'none' }).service;
    const full = open.service([], {
      name: 'full',
      circuitBreaker: { maxRequests: 0, maxPending: 0, maxConnections: 0 },
    }).service;
    const dispatcher = createTestDispatcher(none, full);
    const codes = ['none', 'full'].map(
      (name) => dispatch(dispatcher, { origin: `http://${name}.mesh` }).error,
    );
    expect(codes).toMatchObject([{ code: 'no_healthy_endpoint' }, { code: 'circuit_open' }]);
  });

  it('of one endpoint is not seen where another takes the call', async () => {
    const origin = await open.origin(createNodeOrigin(echo));
    const specs = [toSpec(await createRefusingTarget()), toSpec(origin.target)];
    const { service, retries } = open.service(specs);
    const body = new PassThrough();
    body.end('order');
    const { body: echoed } = await sent(createTestDispatcher(service), { method: 'POST', body });
    expect([echoed, retries]).toEqual(['order', ['connect-failure']]);
  });
});

describe('closing a dispatcher', () => {
  it('waits for its own calls, takes no new ones, and leaves the services alone', async () => {
    const peer = Promise.withResolvers<RawPeer>();
    const origin = await open.origin(createRawOrigin(peer.resolve));
    const { service } = open.service([toSpec(origin.target)]);
    const dispatcher = createTestDispatcher(service);
    const handler = dispatch(dispatcher);
    const { socket } = await peer.promise;
    let isClosed = false;
    const closed = dispatcher.close().then(() => (isClosed = true));
    expect(dispatch(dispatcher).error).toBeInstanceOf(errors.ClientClosedError);
    expect([dispatcher.closed, dispatcher.destroyed, isClosed]).toEqual([true, false, false]);
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await handler.over).text).toBe('ok');
    await closed;
    expect(service.isStopped).toBe(false);
  });

  it('fails the calls of one that is destroyed, and not those of another', async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket, head }) => {
        if (head.startsWith('GET /other')) {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        }
      }),
    );
    const { service } = open.service([toSpec(origin.target)]);
    const [one, other] = [createTestDispatcher(service), createTestDispatcher(service)];
    const waiting = [dispatch(one), dispatch(one)];
    const reason = new Error('we are leaving');
    const destroyed = one.destroy(reason);
    for (const handler of waiting) expect(handler.error).toBe(reason);
    await destroyed;
    expect(dispatch(one).error).toBeInstanceOf(errors.ClientDestroyedError);
    expect((await dispatch(other, { path: '/other' }).over).status).toBe(200);
  });

  it('tells a callback', async () => {
    const dispatcher = await openEcho();
    await new Promise<void>((resolve) => dispatcher.close(resolve));
    await new Promise<void>((resolve) => dispatcher.destroy(resolve));
    await new Promise<void>((resolve) => dispatcher.destroy(null, resolve));
  });
});
