import { once } from 'node:events';
import { errors, type Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import type { MeshDispatcher } from '../../../src/mesh/service/mesh-dispatcher.ts';
import { createNodeOrigin, createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import { createTestDispatcher, dispatch, echo, HandlerRecorder } from './dispatcher-fixture.ts';
import { serviceFixtures, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

async function openEcho(): Promise<MeshDispatcher> {
  const origin = await open.origin(createNodeOrigin(echo));
  return createTestDispatcher(open.service([toSpec(origin.target)]).service);
}

async function openRaw(onRequest: (peer: RawPeer) => void): Promise<MeshDispatcher> {
  const origin = await open.origin(createRawOrigin(onRequest));
  return createTestDispatcher(open.service([toSpec(origin.target)]).service);
}

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
