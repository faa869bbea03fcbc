/** Gateways that find services in the mesh: what one node registers, all others reach. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';

let redis: RedisProcess;

beforeAll(async () => {
  redis = await RedisProcess.start();
});
afterAll(() => redis.stop());

async function startApplication(name: string): Promise<{ server: Server; port: number }> {
  const server = createServer((_request, response) => response.end(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

let namespaces = 0;
const newNamespace = (): string => `test-${++namespaces}`;

async function start(namespace: string, config: Record<string, unknown>): Promise<TestGateway> {
  const backplane = { redis: `redis://127.0.0.1:${redis.port}`, namespace };
  const gateway = await startGateway({ backplane, ...config });
  onTestFinished(() => gateway.stop());
  return gateway;
}

const EDGE = {
  services: { orders: { discover: { mesh: 'orders' } } },
  routes: [{ name: 'orders', match: [{ path: '/*' }], to: 'orders' }],
};

function register(port: number, metadata: Record<string, string> = {}): Record<string, unknown> {
  return {
    listeners: [],
    register: [
      {
        service: 'orders',
        address: `127.0.0.1:${port}`,
        metadata,
        healthCheck: { http: {}, interval: '100ms' },
      },
    ],
  };
}

async function answers(gateway: TestGateway, count: number): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const response = await fetch(`http://127.0.0.1:${gateway.httpPort}/`);
    const who = response.ok ? await response.text() : String(response.status);
    seen[who] = (seen[who] ?? 0) + 1;
  }
  return seen;
}

describe('a service in the mesh', () => {
  it('is reached by a gateway on Redis once an instance is registered, and spread over all', async () => {
    const namespace = newNamespace();
    const edge = await start(namespace, EDGE);
    expect(await answers(edge, 1)).toEqual({ 503: 1 });
    const [a, b] = [await startApplication('a'), await startApplication('b')];
    await start(namespace, register(a.port));
    await start(namespace, register(b.port));
    await until(async () => {
      const seen = await answers(edge, 4);
      return seen['a'] === 2 && seen['b'] === 2 ? true : undefined;
    });
  });

  it('is not of another namespace', async () => {
    const edge = await start(newNamespace(), EDGE);
    const { port } = await startApplication('a');
    const namespace = newNamespace();
    await start(namespace, register(port));
    const other = await start(namespace, EDGE);
    await until(async () => ((await answers(other, 1))['a'] === 1 ? true : undefined));
    expect(await answers(edge, 1)).toEqual({ 503: 1 });
  });

  it('is registered only once its application passes, and drained when it fails', async () => {
    const namespace = newNamespace();
    const edge = await start(namespace, EDGE);
    let healthy = false;
    const { server, port } = await startApplication('a');
    server.prependListener('request', (request, response) => {
      const isCheck = request.headers['user-agent'] === 'meshgate-health-check';
      if (isCheck && !healthy) response.writeHead(500);
    });
    await start(namespace, register(port));
    await new Promise((resolve) => server.on('request', resolve));
    expect(await answers(edge, 3)).toEqual({ 503: 3 });
    healthy = true;
    await until(async () => ((await answers(edge, 1))['a'] === 1 ? true : undefined));
    healthy = false;
    await until(async () => ((await answers(edge, 1))[503] === 1 ? true : undefined));
    healthy = true;
    await until(async () => ((await answers(edge, 1))['a'] === 1 ? true : undefined));
  });

  it('leaves with its node, and no request in between fails', async () => {
    const namespace = newNamespace();
    const [a, b] = [await startApplication('a'), await startApplication('b')];
    const first = await startGateway({
      backplane: { redis: `redis://127.0.0.1:${redis.port}`, namespace },
      ...register(a.port),
    });
    await start(namespace, register(b.port));
    const edge = await start(namespace, EDGE);
    await until(async () => ((await answers(edge, 2))['a'] === 1 ? true : undefined));
    // Once it stops it may be called no more before the first request.
    const seen = new Set(Object.keys(await answers(edge, 2)));
    const stopped = first.stop().then(() => 'stopped');
    do {
      for (const who of Object.keys(await answers(edge, 10))) seen.add(who);
    } while ((await Promise.race([stopped, nextTurn()])) !== 'stopped');
    // Whether one still reached the first depends on whose turn it was.
    expect([...seen].filter((who) => who !== 'a')).toEqual(['b']);
    expect(await answers(edge, 4)).toEqual({ b: 4 });
  });

  it('is found on the embedded backplane by the node that registered it', async () => {
    const { port } = await startApplication('a');
    const gateway = await startGateway({ ...EDGE, register: register(port)['register'] });
    onTestFinished(() => gateway.stop());
    const first = await until(async () => {
      const seen = await answers(gateway, 1);
      return seen['503'] === 1 ? undefined : seen;
    });
    expect(first).toEqual({ a: 1 });
  });

  it('tells in the metrics whether the backplane answers', async () => {
    const own = await RedisProcess.start();
    onTestFinished(() => own.stop());
    const gateway = await startGateway({ backplane: { redis: `redis://127.0.0.1:${own.port}` } });
    onTestFinished(() => gateway.stop());
    expect(await gateway.metrics()).toMatch(/^meshgate_backplane_connected 1$/m);
    expect(await gateway.metrics()).toMatch(/^meshgate_backplane_staleness_seconds 0$/m);
    await own.kill();
    const without = await until(async () => {
      const metrics = await gateway.metrics();
      return /^meshgate_backplane_connected 0$/m.test(metrics) ? metrics : undefined;
    });
    const staleness = /^meshgate_backplane_staleness_seconds (.+)$/m.exec(without)?.[1];
    expect(Number(staleness)).toBeGreaterThan(0);
  });
});
