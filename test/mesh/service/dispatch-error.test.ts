import { PassThrough } from 'node:stream';
import { errors, type Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { findUpstreamError } from '../../../src/mesh/service/dispatch-error.ts';
import type { MeshDispatcher } from '../../../src/mesh/service/mesh-dispatcher.ts';
import { createNodeOrigin, createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import { createTestDispatcher, dispatch, echo, type EchoedRequest } from './dispatcher-fixture.ts';
import { createRefusingTarget, serviceFixtures, startCall, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

async function openRaw(onRequest: (peer: RawPeer) => void): Promise<MeshDispatcher> {
  const origin = await open.origin(createRawOrigin(onRequest));
  return createTestDispatcher(open.service([toSpec(origin.target)]).service);
}

describe('a failure', () => {
  const fails = async (
    onRequest: (peer: RawPeer) => void,
    options: Partial<Dispatcher.DispatchOptions> = {},
  ): Promise<Error> => (await dispatch(await openRaw(onRequest), options).over).error!;

  it('to connect is the error of the system', async () => {
    const { service } = open.service([toSpec(await createRefusingTarget())]);
    const { error } = await dispatch(createTestDispatcher(service)).over;
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(findUpstreamError(error!)).toMatchObject({ failure: 'connect', cause: error });
    expect(findUpstreamError(new Error('of somebody else'))).toBeUndefined();
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
      perTryTimeoutMs: 300,
      retry: { attempts: 0 },
    });
    // Holds the one connection, with no limit of its own: two equal ones may end in either order.
    const first = startCall(service, { perTryTimeoutMs: 0 });
    const second = dispatch(createTestDispatcher(service));
    expect((await second.over).error).toBeInstanceOf(errors.ConnectTimeoutError);
    first.abort();
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
    const { text } = await dispatch(createTestDispatcher(service), { method: 'POST', body }).over;
    expect([(JSON.parse(text) as EchoedRequest).body, retries]).toEqual([
      'order',
      ['connect-failure'],
    ]);
  });
});
