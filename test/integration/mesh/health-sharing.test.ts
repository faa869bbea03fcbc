/** Gateways that share what they know of a service's health. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';

it('two gateways look at an instance as often as one does, and both act on what one saw', async () => {
  const redis = await RedisProcess.start();
  onTestFinished(() => redis.stop());
  let healthy = true;
  let looks = 0;
  const server = createServer((request, response) => {
    const isCheck = request.headers['user-agent'] === 'meshgate-health-check';
    if (isCheck) looks++;
    if (isCheck && !healthy) response.writeHead(500);
    response.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const backplane = { redis: `redis://127.0.0.1:${redis.port}` };
  const start = async (config: Record<string, unknown>): Promise<TestGateway> => {
    const gateway = await startGateway({ backplane, ...config });
    onTestFinished(() => gateway.stop());
    return gateway;
  };
  const { port } = server.address() as AddressInfo;
  // Registered without a look at it, so that all looks are the gateways'.
  await start({
    listeners: [],
    register: [
      { service: 'orders', address: `127.0.0.1:${port}`, healthCheck: { tcp: {}, interval: '1h' } },
    ],
  });
  const edge = {
    services: {
      orders: {
        discover: { mesh: 'orders' },
        healthCheck: { http: {}, interval: '100ms', healthyThreshold: 1, unhealthyThreshold: 1 },
      },
    },
    routes: [{ name: 'orders', to: 'orders' }],
  };
  const gateways = [await start(edge), await start(edge)];
  const allSee = async (state: string): Promise<void> => {
    await until(async () => {
      const metrics = await Promise.all(gateways.map((gateway) => gateway.metrics()));
      const line = `meshgate_endpoints{service="orders",state="${state}"} 1`;
      return metrics.every((text) => text.includes(line)) ? true : undefined;
    });
  };
  await allSee('healthy');
  // Until they have divided the work: one look in each interval, and not two.
  await until(async () => {
    const before = looks;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return looks - before <= 13 ? true : undefined;
  });
  healthy = false;
  await allSee('unhealthy');
  healthy = true;
  await allSee('healthy');
  expect(looks).toBeGreaterThan(0);
}, 60_000);
