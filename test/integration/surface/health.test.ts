/** `services.<name>.healthCheck` and `outlierDetection`: who is passed over, and for how long. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHealthServer } from '../../mesh/health/grpc-health-server.ts';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';
import { deadAddress, startOrigins, type Origin } from './origin.ts';

let gateway: TestGateway | undefined;
let origins: Origin[];

beforeEach(async () => {
  origins = await startOrigins('a', 'b');
});
afterEach(async () => {
  await Promise.all([gateway?.stop(), ...origins.map((origin) => origin.stop())]);
  gateway = undefined;
});

async function serve(service: object, addresses = origins.map(({ address }) => address)) {
  gateway = await startGateway({
    services: { orders: { endpoints: addresses.map((address) => ({ address })), ...service } },
    routes: [{ name: 'orders', match: [{ path: '/*' }], to: 'orders' }],
  });
  return gateway;
}

async function turns(times: number, method = 'GET'): Promise<string> {
  let found = '';
  for (let i = 0; i < times; i++) found += (await ask(gateway!.httpPort, '/', { method })).body;
  return found;
}

/** Waits for a count of `meshgate_endpoints`, asking only for metrics. */
async function untilEndpoints(state: string, count: number): Promise<void> {
  await until(async () => ((await countOf(state)) === count ? true : undefined));
}

async function countOf(state: string): Promise<number> {
  const line = new RegExp(
    `^meshgate_endpoints\\{service="orders",state="${state}"\\} (\\d+)$`,
    'm',
  );
  return Number(line.exec(await gateway!.metrics())?.[1]);
}

const FAST = { interval: '20ms', timeout: '1s', healthyThreshold: 2, unhealthyThreshold: 3 };

describe('healthCheck.http', () => {
  it('passes an endpoint over while its check fails, and takes it back', async () => {
    const [a, b] = origins as [Origin, Origin];
    let isWell = true;
    b.answer = (asked, response) => {
      if (asked.target === '/healthz' && !isWell) response.writeHead(503).end();
      else response.end('b');
    };
    await serve({ healthCheck: { http: { path: '/healthz' }, ...FAST } });
    expect(await turns(4)).toBe('abab');
    isWell = false;
    await untilEndpoints('unhealthy', 1);
    expect(await turns(4)).toBe('aaaa');
    expect(await countOf('healthy')).toBe(1);
    isWell = true;
    await untilEndpoints('healthy', 2);
    expect((await turns(4)).replaceAll('a', '')).toBe('bb');
    expect(a.asked.some(({ target }) => target === '/healthz')).toBe(true);
  });

  it('finds an endpoint that was dead from the start', async () => {
    const check = { healthCheck: { http: { path: '/healthz' }, ...FAST } };
    await serve(check, [origins[0]!.address, await deadAddress()]);
    await untilEndpoints('unhealthy', 1);
    expect(await turns(4, 'POST')).toBe('aaaa');
  });

  it('uses all of them where fewer than half are well', async () => {
    for (const origin of origins) {
      origin.answer = ({ target }, response) =>
        target === '/healthz' ? response.writeHead(500).end() : response.end(origin.name);
    }
    await serve({ healthCheck: { http: { path: '/healthz' }, ...FAST } });
    await untilEndpoints('unhealthy', 2);
    expect(await turns(4)).toBe('abab');
  });

  it('ends with the gateway, and with a reload that drops it', async () => {
    const [a] = origins as [Origin];
    const reloading = await serve({ healthCheck: { http: {}, ...FAST } });
    await a.request(2);
    await reloading.reconfigure({
      services: { orders: { endpoints: [{ address: a.address }] } },
      routes: [{ name: 'orders', match: [{ path: '/*' }], to: 'orders' }],
    });
    const before = a.asked.length;
    await turns(1);
    // As many looks as were under way when the reload came: one.
    expect(a.asked.length - before).toBeLessThanOrEqual(2);
  });
});

describe('healthCheck.tcp and grpc', () => {
  it('tcp passes an endpoint over that takes no connections', async () => {
    await serve({ healthCheck: { tcp: {}, ...FAST } }, [origins[0]!.address, await deadAddress()]);
    await untilEndpoints('unhealthy', 1);
    expect(await turns(3, 'POST')).toBe('aaa');
  });

  it('grpc goes by grpc.health.v1', async () => {
    const server = await startHealthServer();
    server.serving.set('orders', 1);
    const grpc = { healthCheck: { grpc: { service: 'orders' }, ...FAST }, protocol: 'h2c' };
    await serve(grpc, [`127.0.0.1:${server.port}`]);
    await untilEndpoints('healthy', 1);
    server.serving.set('orders', 2);
    await untilEndpoints('unhealthy', 1);
    expect(await countOf('healthy')).toBe(0);
    server.stop();
  });
});

describe('outlierDetection', () => {
  /** POST is not tried again, so that each request is one try. */
  async function failAt(origin: Origin, times: number): Promise<number> {
    origin.answer = (_asked, response) => response.writeHead(500).end('x');
    let failures = 0;
    while (failures < times) {
      if ((await ask(gateway!.httpPort, '/', { method: 'POST' })).status === 500) failures++;
    }
    return failures;
  }

  it('puts an endpoint aside after five failures in a row, with no word of configuration', async () => {
    await serve({});
    await failAt(origins[1]!, 5);
    await untilEndpoints('ejected', 1);
    expect(await turns(6, 'POST')).toBe('aaaaaa');
    expect(await gateway!.metrics()).toContain(
      'meshgate_ejections_total{service="orders",reason="consecutive-5xx"} 1',
    );
  });

  it('takes it back when its time is over', async () => {
    const outlierDetection = { interval: '20ms', baseEjectionTime: '40ms' };
    await serve({ outlierDetection });
    await failAt(origins[1]!, 5);
    origins[1]!.answer = (_asked, response) => response.end('b');
    await untilEndpoints('healthy', 2);
    expect((await turns(4)).replaceAll('a', '')).toBe('bb');
  });

  it('takes it back when it passes an active check', async () => {
    await serve({ healthCheck: { http: { path: '/healthz' }, ...FAST, interval: '300ms' } });
    origins[1]!.answer = ({ target }, response) =>
      target === '/healthz' ? response.end() : response.writeHead(500).end('x');
    for (let failures = 0; failures < 5;) {
      if ((await ask(gateway!.httpPort, '/', { method: 'POST' })).status === 500) failures++;
    }
    await until(async () => {
      const metrics = await gateway!.metrics();
      return /meshgate_ejections_total\{[^}]*\} [1-9]/.test(metrics) ? true : undefined;
    });
    await untilEndpoints('healthy', 2);
    expect(await countOf('ejected')).toBe(0);
  });

  it('counts what gives no answer, and leaves idempotent calls unharmed', async () => {
    await serve({}, [origins[0]!.address, await deadAddress()]);
    expect(await turns(12)).toBe('a'.repeat(12));
    expect(await gateway!.metrics()).toContain('reason="consecutive-local-origin-failure"} 1');
    expect(await countOf('ejected')).toBe(1);
  });

  it('does nothing with false', async () => {
    await serve({ outlierDetection: false });
    await failAt(origins[1]!, 12);
    expect(await countOf('ejected')).toBe(0);
    expect(await gateway!.metrics()).not.toContain('meshgate_ejections_total{');
  });

  it('lets an ejected last endpoint serve', async () => {
    await serve({}, [origins[0]!.address]);
    await failAt(origins[0]!, 5);
    await untilEndpoints('ejected', 1);
    origins[0]!.answer = (_asked, response) => response.end('still here');
    expect(await turns(1)).toBe('still here');
  });
});
