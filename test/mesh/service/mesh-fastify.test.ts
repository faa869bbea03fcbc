import httpProxy from '@fastify/http-proxy';
import { fastify, type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Service } from '../../../src/mesh/service/service.ts';
import type { OriginHandler } from '../../contracts/upstream-origin.ts';
import { createNodeOrigin, createRawOrigin } from '../transport/http1-origins.ts';
import { createTestDispatcher, echo, type EchoedRequest } from './dispatcher-fixture.ts';
import { createRefusingTarget, serviceFixtures, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

/** An application that mounts the service under /orders. Resolves with where it listens. */
async function mount(service: Service, replyOptions: object = {}): Promise<string> {
  const app: FastifyInstance = fastify({ forceCloseConnections: true });
  await app.register(httpProxy, {
    upstream: 'http://orders.mesh',
    prefix: '/orders',
    undici: createTestDispatcher(service) as unknown as object,
    replyOptions: {
      // Its own retries ignore the method, and take Retry-After for milliseconds.
      retryDelay: () => null,
      ...replyOptions,
    },
  });
  onTestFinished(() => app.close());
  return app.listen({ host: '127.0.0.1', port: 0 });
}

async function openService(handler: OriginHandler): Promise<Service> {
  const origin = await open.origin(createNodeOrigin(handler));
  return open.service([toSpec(origin.target)]).service;
}

describe('@fastify/http-proxy on the mesh', () => {
  it('proxies JSON', async () => {
    const base = await mount(await openService(echo));
    const answer = await fetch(`${base}/orders/7?full=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-tenant': 'acme' },
      body: '{"amount":5}',
    });
    expect([answer.status, answer.headers.get('x-twice')]).toEqual([200, 'one, two']);
    const echoed = (await answer.json()) as EchoedRequest;
    expect(echoed).toMatchObject({ method: 'POST', url: '/7?full=1', body: '{"amount":5}' });
    expect(echoed.headers).toMatchObject({ host: 'orders.mesh', 'x-tenant': 'acme' });
  });

  it('proxies a body of unknown length as it comes, and the answer back', async () => {
    const base = await mount(
      await openService(({ request, response }) => {
        response.writeHead(200);
        request.pipe(response);
      }),
    );
    const arrived = Promise.withResolvers<void>();
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first');
      // Waits for the echo: nobody on the way may hold the pieces until the end.
      await arrived.promise;
      yield Buffer.from('second');
    };
    const answer = await fetch(`${base}/orders/`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: ReadableStream.from(pieces()),
      duplex: 'half',
    });
    let text = '';
    for await (const chunk of answer.body!) {
      text += Buffer.from(chunk).toString();
      if (text.length >= 5) arrived.resolve();
    }
    expect(text).toBe('firstsecond');
  });

  it('passes on an answer that was not retried, and retries what the service allows', async () => {
    let requests = 0;
    const service = await openService(({ response }) => {
      requests++;
      response.writeHead(503, { 'retry-after': '60' });
      response.end('busy');
    });
    const answer = await fetch(`${await mount(service)}/orders/`);
    expect([answer.status, await answer.text()]).toEqual([503, 'busy']);
    expect(requests).toBe(1);
  });

  it('hides the death of an endpoint', async () => {
    const origin = await open.origin(createNodeOrigin(echo));
    const { service } = open.service([toSpec(await createRefusingTarget()), toSpec(origin.target)]);
    const base = await mount(service);
    for (let i = 0; i < 4; i++) expect((await fetch(`${base}/orders/`)).status).toBe(200);
  });

  it('answers in its own way where the service cannot', async () => {
    const reset = await open.origin(createRawOrigin(({ socket }) => socket.resetAndDestroy()));
    const silent = await open.origin(createRawOrigin(() => {}));
    const cases: readonly [Service, object, number, string][] = [
      [open.service([toSpec(reset.target)]).service, {}, 500, 'UND_ERR_SOCKET'],
      [
        open.service([toSpec(silent.target)]).service,
        { timeout: 50 },
        504,
        'FST_REPLY_FROM_GATEWAY_TIMEOUT',
      ],
      [open.service([], { name: 'other' }).service, {}, 503, 'FST_REPLY_FROM_SERVICE_UNAVAILABLE'],
    ];
    for (const [service, replyOptions, status, code] of cases) {
      const answer = await fetch(`${await mount(service, replyOptions)}/orders/`);
      expect([answer.status, await answer.json()]).toMatchObject([status, { code }]);
    }
  });

  it('lets an application answer by what the mesh says', async () => {
    const { service } = open.service([]);
    const base = await mount(service, {
      onError: (
        reply: { code(status: number): { send(body: object): void } },
        { error }: { error: { cause: { status: number; code: string } } },
      ) => reply.code(error.cause.status).send({ code: error.cause.code }),
    });
    const answer = await fetch(`${base}/orders/`);
    expect([answer.status, await answer.json()]).toEqual([503, { code: 'no_healthy_endpoint' }]);
  });

  it("ends the service's call when the client of an upload leaves", async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const service = await openService(({ request }) => {
      request.once('data', () => begun.resolve());
      request.on('error', () => {}).on('close', () => ended.resolve());
    });
    const { port } = new URL(await mount(service));
    const client = connect(Number(port), '127.0.0.1');
    client.write(
      'POST /orders/ HTTP/1.1\r\nHost: app\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nsome',
    );
    await begun.promise;
    client.destroy();
    await once(client, 'close');
    await ended.promise;
    expect(service.breaker.active).toBe(0);
  });
});
