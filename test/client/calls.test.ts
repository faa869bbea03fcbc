/** Calls of an application: by whichever client, to whom, and how long they wait. */
import { Agent, getGlobalDispatcher, interceptors, request, setGlobalDispatcher } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMesh } from '../../src/client/client.ts';
import { createFolder } from '../integration/process/gateway-process.ts';
import { freePorts } from '../redis/free-port.ts';
import { RedisProcess } from '../redis/redis-process.ts';
import { call, meshFixture, startApplication } from './mesh-fixture.ts';

const fixture = meshFixture();

/** Somewhere nobody listens. */
async function deadRedis(): Promise<string> {
  const [port] = await freePorts(1);
  return `redis://127.0.0.1:${port}`;
}

describe('a call', () => {
  it('reaches what another process has registered, and needs no ready() before it', async () => {
    const { address } = await startApplication('a');
    await fixture.join().register({ service: 'orders', address });
    expect(await call(fixture.join())).toBe('a');
  });

  it("is undici's, an interceptor's or the global fetch's", async () => {
    const { address } = await startApplication('a', (asked, response) => {
      response.end(`${asked.method} ${asked.url} ${asked.headers.host}`);
    });
    const mesh = fixture.join();
    await mesh.register({ service: 'orders', address });
    await mesh.ready({ services: ['orders'] });
    const expected = 'GET /x orders.mesh';

    const { body } = await request('http://orders.mesh/x', { dispatcher: mesh.dispatcher });
    expect(await body.text()).toBe(expected);

    const composed = mesh.dispatcher.compose(interceptors.responseError());
    const other = await request('http://orders.mesh/x', { dispatcher: composed });
    expect(await other.body.text()).toBe(expected);

    const before = getGlobalDispatcher();
    const agent = new Agent();
    onTestFinished(() => {
      setGlobalDispatcher(before);
      return agent.close();
    });
    setGlobalDispatcher(agent.compose(mesh.interceptor));
    expect(await (await fetch('http://orders.mesh/x')).text()).toBe(expected);
    expect(await (await fetch(`http://${address}/x`)).text()).toBe(`GET /x ${address}`);
    await expect(fetch('https://orders.mesh/x')).rejects.toMatchObject({
      cause: { code: 'UND_ERR_INVALID_ARG' },
    });
  });

  it('goes by the settings of its service', async () => {
    let asked = 0;
    const { address } = await startApplication('a', (_request, response) => {
      response.writeHead(++asked % 3 === 0 ? 200 : 503).end(String(asked));
    });
    const mesh = fixture.join({ services: { orders: { retry: { attempts: 2 } } } });
    await mesh.register({ service: 'orders', address, healthCheck: false });
    await mesh.ready({ services: ['orders'] });
    expect(await call(mesh)).toBe('3');
    const other = fixture.join({ services: { orders: { retry: { attempts: 0 } } } });
    await other.ready({ services: ['orders'] });
    expect(await call(other)).toBe('4');
  });

  it('keeps to an endpoint by the header that a hashing policy goes by', async () => {
    const apps = await Promise.all(['a', 'b', 'c'].map((name) => startApplication(name)));
    const provider = fixture.join();
    await Promise.all(apps.map(({ address }) => provider.register({ service: 'orders', address })));
    const mesh = fixture.join({
      services: { orders: { balancer: { policy: 'maglev', hashOn: { header: 'X-User' } } } },
    });
    await mesh.ready();
    const seen = new Set<string>();
    for (let user = 0; user < 24; user++) {
      const init = { headers: { 'x-user': `u${user}` } };
      const first = await call(mesh, undefined, init);
      seen.add(first);
      expect(await call(mesh, undefined, init)).toBe(first);
    }
    expect([...seen].toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('has names of its own suffix alone', async () => {
    const { address } = await startApplication('a');
    const mesh = fixture.join({ suffix: '.internal' });
    await mesh.register({ service: 'orders', address });
    await mesh.ready({ services: ['orders'] });
    expect(mesh.origin('orders')).toBe('http://orders.internal');
    expect(await call(mesh, 'http://orders.internal/')).toBe('a');
    expect(await call(mesh, 'http://orders.mesh/')).toBe('UND_ERR_INVALID_ARG');
  });

  it('of a service that nobody has registered fails at once, with the reason', async () => {
    const mesh = fixture.join();
    await mesh.ready();
    await expect(
      fetch('http://nobody.mesh/', { dispatcher: mesh.dispatcher }),
    ).rejects.toMatchObject({
      cause: {
        code: 'no_healthy_endpoint',
        status: 503,
        cause: { message: 'no endpoint of nobody can be chosen' },
      },
    });
  });

  it('to any number of made-up names leaves nothing behind', async () => {
    const mesh = fixture.join();
    await mesh.ready();
    const names = Array.from({ length: 1200 }, (_, i) => `http://n${i}.mesh/`);
    expect(new Set(await Promise.all(names.map((url) => call(mesh, url))))).toEqual(
      new Set(['no_healthy_endpoint']),
    );
    const channels = (await fixture.redis.admin.pubsub(
      'CHANNELS',
      `${fixture.namespace}:*`,
    )) as string[];
    expect(channels.length).toBeLessThanOrEqual(1000);
  });
});

describe('while Redis is away', () => {
  it('nothing is known, and calls fail at once and say so', async () => {
    const redis = await deadRedis();
    const mesh = createMesh({ redis, discoveryTimeoutMs: 60_000 });
    onTestFinished(() => mesh.close());
    // It does not wait out its minute.
    expect(await call(mesh, 'http://users.mesh/')).toBe('no_healthy_endpoint');
    await expect(mesh.ready({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'not_ready' });
    await expect.poll(() => mesh.status().reason).toMatch(/ECONNREFUSED/);
    await expect(
      fetch('http://orders.mesh/', { dispatcher: mesh.dispatcher }),
    ).rejects.toMatchObject({
      cause: {
        code: 'no_healthy_endpoint',
        cause: {
          message: expect.stringMatching(
            /^nothing is known of the service orders: Redis at 127\.0\.0\.1:\d+ is not reached \(.*ECONNREFUSED/,
          ),
        },
      },
    });
    expect(await call(mesh)).toBe('no_healthy_endpoint');
  });

  it('a call that waits can be given up', async () => {
    const redis = await RedisProcess.start();
    redis.freeze();
    onTestFinished(() => redis.stop());
    const mesh = createMesh({
      redis: `redis://127.0.0.1:${redis.port}`,
      discoveryTimeoutMs: 60_000,
    });
    onTestFinished(() => mesh.close({ timeoutMs: 0 }));
    const abort = new AbortController();
    const { dispatcher } = mesh;
    const asked = request('http://orders.mesh/', { dispatcher, signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('the disk tells of services, named before or not', async () => {
    const redis = await RedisProcess.start();
    onTestFinished(() => redis.stop());
    const { address } = await startApplication('a');
    const dataDir = await createFolder();
    const options = { redis: `redis://127.0.0.1:${redis.port}`, dataDir };
    const before = createMesh(options);
    await before.register({ service: 'orders', address });
    await before.ready({ services: ['orders'] });
    expect(await call(before)).toBe('a');
    await redis.kill();
    await before.close();

    const unnamed = createMesh(options);
    onTestFinished(() => unnamed.close());
    expect(await call(unnamed)).toBe('a');
    await expect(unnamed.ready({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'not_ready' });

    const named = createMesh({ ...options, services: { orders: {} } });
    onTestFinished(() => named.close());
    await named.ready({ services: ['orders'] });
    expect(named.status().connected).toBe(false);
    expect(await call(named)).toBe('a');
  });
});
