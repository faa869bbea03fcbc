/** A user's Fastify application that mounts services of the mesh. */
import { text } from 'node:stream/consumers';
import httpProxy from '@fastify/http-proxy';
import { fastify, type FastifyInstance } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Mesh } from '../../src/client/client.ts';
import {
  meshgateProxy,
  sendProblem,
  type MeshgateProxyOptions,
} from '../../src/fastify/fastify.ts';
import { meshFixture, startApplication } from '../client/mesh-fixture.ts';
import { createRawOrigin } from '../mesh/transport/http1-origins.ts';

const fixture = meshFixture();

function createApplication(): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  onTestFinished(() => app.close());
  return app;
}

const listen = (app: FastifyInstance): Promise<string> =>
  app.listen({ host: '127.0.0.1', port: 0 });

let meshes = 0;

/** A mesh of its own, with one instance in it. */
async function withOrders(address: string, settings: object = {}): Promise<Mesh> {
  const namespace = `proxy-${++meshes}`;
  const mesh = fixture.join({ namespace, services: { orders: settings } });
  await mesh.register({ service: 'orders', address, healthCheck: false });
  await mesh.ready({ services: ['orders'] });
  return mesh;
}

async function withEcho(): Promise<Mesh> {
  const { address } = await startApplication('orders', (request, response) => {
    const { method, url, headers } = request;
    if (url === '/moved') response.writeHead(302, { location: '/elsewhere' });
    void text(request).then((body) => {
      response.end(JSON.stringify({ method, url, host: headers.host, body }));
    });
  });
  return withOrders(address);
}

describe('meshgateProxy', () => {
  it('passes all under its prefix on, without the prefix', async () => {
    const mesh = await withEcho();
    const app = createApplication();
    await app.register(meshgateProxy, { mesh, service: 'orders', prefix: '/orders' });
    await app.register(meshgateProxy, {
      mesh,
      service: 'orders',
      prefix: '/v2/orders',
      rewritePrefix: '/api',
    });
    app.get('/own', () => 'own');
    const url = await listen(app);
    const answer = await fetch(`${url}/orders/7?full=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"amount":5}',
    });
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { method: 'POST', url: '/7?full=1', host: 'orders.mesh', body: '{"amount":5}' },
    ]);
    expect(await (await fetch(`${url}/v2/orders/7`)).json()).toMatchObject({ url: '/api/7' });
    const moved = await fetch(`${url}/orders/moved`, { redirect: 'manual' });
    expect([moved.status, moved.headers.get('location')]).toEqual([302, '/orders/elsewhere']);
    expect(await (await fetch(`${url}/own`)).text()).toBe('own');
    expect((await fetch(`${url}/else`)).status).toBe(404);
  });

  it('is encapsulated: hooks of its context guard it, and no other', async () => {
    const mesh = await withEcho();
    const app = createApplication();
    await app.register(async (guarded) => {
      guarded.addHook('onRequest', async (request, reply) => {
        if (request.headers.authorization === undefined) return reply.code(401).send('who?');
        return undefined;
      });
      await guarded.register(meshgateProxy, { mesh, service: 'orders', prefix: '/orders' });
    });
    await app.register(meshgateProxy, { mesh, service: 'orders', prefix: '/open' });
    const url = await listen(app);
    expect((await fetch(`${url}/orders/1`)).status).toBe(401);
    expect((await fetch(`${url}/orders/1`, { headers: { authorization: 'me' } })).status).toBe(200);
    expect((await fetch(`${url}/open/1`)).status).toBe(200);
  });

  it('takes the options of @fastify/http-proxy', async () => {
    const mesh = await withEcho();
    const app = createApplication();
    await app.register(meshgateProxy, {
      mesh,
      service: 'orders',
      prefix: '/orders',
      httpMethods: ['GET'],
      preHandler: (request, reply, done) => {
        if (request.url.endsWith('/secret')) void reply.code(403).send('no');
        else done();
      },
      replyOptions: {
        rewriteRequestHeaders: (_request, headers) => ({ ...headers, host: 'api.example.com' }),
      },
    });
    const url = await listen(app);
    expect(await (await fetch(`${url}/orders/1`)).json()).toMatchObject({
      host: 'api.example.com',
    });
    expect((await fetch(`${url}/orders/secret`)).status).toBe(403);
    expect((await fetch(`${url}/orders/1`, { method: 'POST' })).status).toBe(404);
  });

  it('refuses what is for the mesh to say', async () => {
    const mesh = fixture.join();
    const cases: readonly [options: object, message: RegExp][] = [
      [{ mesh: undefined }, /^meshgateProxy: mesh must be what createMesh gives/],
      [{ service: undefined }, /^meshgateProxy: service is missing/],
      [{ service: 'Orders' }, /^service must be lower-case/],
      [{ upstream: 'http://a' }, /^meshgateProxy: upstream is for the mesh/],
      [{ retryMethods: ['GET'] }, /^meshgateProxy: retryMethods is for the mesh/],
      [
        { replyOptions: { retryDelay: () => 1 } },
        /^meshgateProxy: replyOptions\.retryDelay is for/,
      ],
      [{ websocket: true }, /^meshgateProxy: websocket cannot be: .* past the mesh/],
    ];
    for (const [options, message] of cases) {
      const app = createApplication();
      const all = { mesh, service: 'orders', ...options } as MeshgateProxyOptions;
      await expect(app.register(meshgateProxy, all)).rejects.toThrow(message);
    }
  });

  it('retries as the mesh does, and by no rules of its own', async () => {
    let asked = 0;
    const { address } = await startApplication('orders', (request, response) => {
      asked++;
      request.resume();
      response.writeHead(503, { 'retry-after': '1' }).end('busy');
    });
    const mesh = await withOrders(address, { retry: { attempts: 0 } });
    const app = createApplication();
    await app.register(meshgateProxy, { mesh, service: 'orders', prefix: '/orders' });
    const answer = await fetch(`${await listen(app)}/orders/`);
    expect([answer.status, await answer.text(), asked]).toEqual([503, 'busy', 1]);
  });
});

describe('an answer that could not be had', () => {
  async function answerOf(mesh: Mesh, replyOptions: object = {}): Promise<Response> {
    const app = createApplication();
    await app.register(meshgateProxy, { mesh, service: 'orders', prefix: '/orders', replyOptions });
    return fetch(`${await listen(app)}/orders/7?full=1`);
  }

  async function withRaw(onRequest: Parameters<typeof createRawOrigin>[0]): Promise<Mesh> {
    const origin = await createRawOrigin(onRequest);
    onTestFinished(() => origin.close());
    return withOrders(`${origin.target.host}:${origin.target.port}`, {
      retry: { attempts: 0 },
      timeouts: { responseMs: 50 },
    });
  }

  it('is a problem with status, code and Proxy-Status', async () => {
    const nobody = fixture.join();
    await nobody.ready();
    const answer = await answerOf(nobody);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('proxy-status')).toBe('meshgate; error=destination_unavailable');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      {
        type: 'urn:meshgate:problem:no_healthy_endpoint',
        title: 'Service Unavailable',
        status: 503,
        detail: 'No endpoint of the service can take the request.',
        instance: '/orders/7',
        code: 'no_healthy_endpoint',
        request_id: expect.any(String),
        source: 'gateway',
      },
    ]);
  });

  it('has the code of what went wrong', async () => {
    const refusing = await withOrders('127.0.0.1:1');
    const resetting = await withRaw(({ socket }) => socket.resetAndDestroy());
    const silent = await withRaw(() => {});
    const garbled = await withRaw(({ socket }) => socket.end('SSH-2.0-OpenSSH\r\n\r\n'));
    const closed = fixture.join();
    await closed.close();
    const cases: readonly [Mesh, status: number, code: string, proxyStatus: string][] = [
      [refusing, 503, 'upstream_connect_failed', 'connection_refused'],
      [resetting, 503, 'upstream_reset', 'connection_terminated'],
      [silent, 504, 'upstream_timeout', 'connection_read_timeout'],
      [garbled, 502, 'upstream_protocol_error', 'http_protocol_error'],
      [closed, 503, 'no_healthy_endpoint', 'destination_unavailable'],
    ];
    for (const [mesh, status, code, proxyStatus] of cases) {
      const answer = await answerOf(mesh);
      expect([answer.status, await answer.json()]).toMatchObject([status, { code }]);
      expect(answer.headers.get('proxy-status')).toBe(`meshgate; error=${proxyStatus}`);
    }
  });

  it('is as the application has it, where it has an answer of its own', async () => {
    const nobody = fixture.join();
    await nobody.ready();
    const answer = await answerOf(nobody, {
      onError: (reply: { code(status: number): { send(body: string): void } }) =>
        reply.code(418).send('mine'),
    });
    expect([answer.status, await answer.text()]).toEqual([418, 'mine']);
  });
});

describe('@fastify/http-proxy by itself', () => {
  it('reaches the mesh by its dispatcher, and answers by sendProblem', async () => {
    const mesh = await withEcho();
    const app = createApplication();
    const replyOptions = { retryDelay: () => null, onError: sendProblem };
    for (const service of ['orders', 'nobody']) {
      await app.register(httpProxy, {
        upstream: `http://${service}.mesh`,
        prefix: `/${service}`,
        undici: mesh.dispatcher,
        replyOptions,
      });
    }
    const url = await listen(app);
    expect(await (await fetch(`${url}/orders/7`)).json()).toMatchObject({ url: '/7' });
    const answer = await fetch(`${url}/nobody/7`);
    expect([answer.status, await answer.json()]).toMatchObject([
      503,
      { code: 'no_healthy_endpoint' },
    ]);
  });
});
