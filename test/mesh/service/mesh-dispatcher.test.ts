import { errors, type Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { MeshDispatcher } from '../../../src/mesh/service/mesh-dispatcher.ts';
import { createNodeOrigin, createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import { createTestDispatcher, dispatch, echo, type EchoedRequest } from './dispatcher-fixture.ts';
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
    const waiting = dispatch(dispatcher);
    await new Promise<void>((resolve) => dispatcher.close(resolve));
    expect(waiting.calls.at(-1)).toBe('end');
    await new Promise<void>((resolve) => dispatcher.destroy(resolve));
    await new Promise<void>((resolve) => dispatcher.destroy(null, resolve));
    expect(dispatcher.destroyed).toBe(true);
  });
});
