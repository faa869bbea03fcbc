/** `retry` and `timeouts` of services, `retry` and `timeout` of routes. */
import { once } from 'node:events';
import { constants, createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, codeOf } from './client.ts';
import { deadAddress, startOrigins, type Origin, type OriginAnswer } from './origin.ts';

let gateway: TestGateway;
let good: Origin;
let bad: Origin;
let refusing: RefusingOrigin;

const status =
  (code: number, headers: Record<string, string> = {}): OriginAnswer =>
  (_asked, response) =>
    response.writeHead(code, headers).end(String(code));
const reset: OriginAnswer = (_asked, response) => response.socket!.resetAndDestroy();
const never: OriginAnswer = () => undefined;

beforeAll(async () => {
  [good, bad] = (await startOrigins('good', 'bad')) as [Origin, Origin];
  refusing = await startRefusingOrigin();
  const dead = await deadAddress();
  const service = (addresses: string[], more: object = {}): object => ({
    endpoints: addresses.map((address) => ({ address })),
    ...more,
  });
  const services: Record<string, object> = {
    'dead-and-good': service([dead, good.address]),
    'bad-and-good': service([bad.address, good.address]),
    bad: service([bad.address]),
    'no-retry': service([bad.address, good.address], { retry: { attempts: 0 } }),
    any5xx: service([bad.address, good.address], { retry: { on: ['5xx'] } }),
    only429: service([bad.address, good.address], { retry: { on: [429] } }),
    resets: service([bad.address, good.address], { retry: { on: ['reset'] } }),
    'no-resets': service([bad.address, good.address], { retry: { on: ['connect-failure'] } }),
    timeouts: service([bad.address, good.address], {
      retry: { on: ['timeout'], perTryTimeout: '150ms' },
    }),
    'no-budget': service([bad.address, good.address], {
      retry: { budget: { ratio: 0, minPerSecond: 0 } },
    }),
    response: service([bad.address], { retry: { attempts: 0 }, timeouts: { response: '150ms' } }),
    idle: service([bad.address], { timeouts: { idle: '150ms' } }),
    refusing: service([refusing.address], { protocol: 'h2c', retry: { on: ['refused-stream'] } }),
  };
  const route = (name: string, to: string, more: object = {}): object => ({
    name,
    match: [{ path: `/${name}` }],
    to,
    ...more,
  });
  gateway = await startGateway({
    services,
    routes: [
      ...Object.keys(services).map((name) => route(name, name)),
      route('route-more', 'bad', { retry: { attempts: 3 } }),
      route('route-none', 'bad-and-good', { retry: { attempts: 0 } }),
      route('route-on', 'bad-and-good', { retry: { on: [418] } }),
      route('route-per-try', 'response', {
        retry: { attempts: 1, on: ['timeout'], perTryTimeout: '100ms' },
      }),
      route('route-timeout', 'bad', { timeout: '150ms' }),
      route('refused', 'refusing', { retry: { attempts: 1 } }),
    ],
  });
});
afterAll(() => Promise.all([gateway, good, bad, refusing].map((one) => one.stop())));
beforeEach(() => {
  for (const origin of [good, bad]) origin.asked.splice(0);
  good.answer = (_asked, response) => response.end('good');
  bad.answer = status(503);
});

/** Turns alternate, so that of two requests one meets the bad endpoint first. */
async function statuses(path: string, options: Parameters<typeof ask>[2] = {}): Promise<number[]> {
  const found = [];
  for (let i = 0; i < 2; i++) found.push((await ask(gateway.httpPort, path, options)).status);
  return found.toSorted((a, b) => a - b);
}

describe('retry.on', () => {
  it('by default covers a refused connection, whatever the method', async () => {
    expect(await statuses('/dead-and-good')).toEqual([200, 200]);
    expect(await statuses('/dead-and-good', { method: 'POST', body: 'x' })).toEqual([200, 200]);
    expect(good.asked.map(({ body }) => body)).toEqual(['', '', 'x', 'x']);
  });

  it.each([502, 503, 504])('by default covers %i, on another endpoint', async (code) => {
    bad.answer = status(code);
    expect(await statuses('/bad-and-good')).toEqual([200, 200]);
    expect(bad.asked).toHaveLength(1);
  });

  it('by default leaves 500 alone', async () => {
    bad.answer = status(500);
    expect(await statuses('/bad-and-good')).toEqual([200, 500]);
  });

  it('5xx covers every status of the class', async () => {
    bad.answer = status(500);
    expect(await statuses('/any5xx')).toEqual([200, 200]);
    bad.answer = status(429);
    expect(await statuses('/any5xx')).toEqual([200, 429]);
  });

  it('takes any single status', async () => {
    bad.answer = status(429);
    expect(await statuses('/only429')).toEqual([200, 200]);
    bad.answer = status(503);
    expect(await statuses('/only429')).toEqual([200, 503]);
  });

  it('reset covers a connection that breaks before the answer', async () => {
    bad.answer = reset;
    expect(await statuses('/resets')).toEqual([200, 200]);
    expect(await statuses('/no-resets')).toEqual([200, 503]);
  });

  it('refused-stream covers what HTTP/2 sent back unprocessed, whatever the method', async () => {
    const reply = await ask(gateway.httpPort, '/refused', { method: 'POST', body: 'x' });
    expect(reply).toMatchObject({ status: 200, body: 'taken' });
    expect(refusing.streams).toBe(2);
  });

  it('timeout covers a try over perTryTimeout', async () => {
    bad.answer = never;
    expect(await statuses('/timeouts')).toEqual([200, 200]);
  });
});

describe('retry', () => {
  it('leaves alone what is not idempotent and was sent', async () => {
    expect(await statuses('/bad-and-good', { method: 'POST', body: 'x' })).toEqual([200, 503]);
    expect(bad.asked).toHaveLength(1);
  });

  it('sends the body of an idempotent request again', async () => {
    expect(await statuses('/bad-and-good', { method: 'PUT', body: 'again' })).toEqual([200, 200]);
    expect(good.asked.map(({ body }) => body)).toEqual(['again', 'again']);
    expect(bad.asked.map(({ body }) => body)).toEqual(['again']);
  });

  it('leaves alone a body too large to keep', async () => {
    const body = 'x'.repeat(200 * 1024);
    expect(await statuses('/bad-and-good', { method: 'PUT', body })).toEqual([200, 503]);
  });

  it('tries a single endpoint again too', async () => {
    expect((await ask(gateway.httpPort, '/bad')).status).toBe(503);
    expect(bad.asked).toHaveLength(2);
  });

  it('attempts: 0 tries once', async () => {
    expect(await statuses('/no-retry')).toEqual([200, 503]);
  });

  it('without a budget tries once', async () => {
    expect(await statuses('/no-budget')).toEqual([200, 503]);
  });

  it('passes the last answer on when the tries are spent', async () => {
    bad.answer = status(503, { 'x-own': 'yes' });
    const reply = await ask(gateway.httpPort, '/bad');
    expect(reply).toMatchObject({ status: 503, body: '503' });
    expect(reply.headers['x-own']).toBe('yes');
  });

  it('of a route stands in place of the service’s, key by key', async () => {
    expect((await ask(gateway.httpPort, '/route-more')).status).toBe(503);
    expect(bad.asked).toHaveLength(4);
    expect(await statuses('/route-none')).toEqual([200, 503]);
    expect(await statuses('/route-on')).toEqual([200, 503]);
    bad.answer = status(418);
    expect(await statuses('/route-on')).toEqual([200, 200]);
  });

  it('waits for a short Retry-After, in seconds, and not for a long one', async () => {
    bad.answer = status(503, { 'retry-after': '3600' });
    expect(await statuses('/bad-and-good')).toEqual([200, 503]);
    bad.answer = status(503, { 'retry-after': '0' });
    expect(await statuses('/bad-and-good')).toEqual([200, 200]);
  });

  it('is counted by service and reason, and the log tells the tries', async () => {
    const counted = /meshgate_retries_total\{service="bad",reason="status"\} (\d+)/;
    const before = Number(counted.exec(await gateway.metrics())?.[1] ?? 0);
    await ask(gateway.httpPort, '/bad', { headers: { 'x-forwarded-for': '1' } });
    expect(Number(counted.exec(await gateway.metrics())?.[1])).toBe(before + 1);
    const line = await gateway.waitForLog(({ route }) => route === 'bad');
    expect(line).toMatchObject({ attempts: 2, endpoint: bad.address, status: 503 });
  });
});

describe('timeouts', () => {
  it('response runs to the answer’s head: 504 upstream_timeout', async () => {
    bad.answer = never;
    const reply = await ask(gateway.httpPort, '/response');
    expect(reply.status).toBe(504);
    expect(codeOf(reply)).toBe('upstream_timeout');
    expect(reply.headers['proxy-status']).toBe('meshgate; error=connection_read_timeout');
  });

  it('response does not run over the body', async () => {
    bad.answer = (_asked, response) => {
      response.writeHead(200).write('head, ');
      setTimeout(() => response.end('body'), 300);
    };
    expect(await ask(gateway.httpPort, '/response')).toMatchObject({
      status: 200,
      body: 'head, body',
    });
  });

  it('perTryTimeout runs over a whole try, and each try has its own', async () => {
    bad.answer = never;
    const reply = await ask(gateway.httpPort, '/route-per-try');
    expect(reply.status).toBe(504);
    expect(bad.asked).toHaveLength(2);
  });

  it('perTryTimeout runs over the body too', async () => {
    bad.answer = (_asked, response) => void response.writeHead(200).write('half');
    await expect(ask(gateway.httpPort, '/route-per-try')).rejects.toThrow(/aborted|hang up/);
    // After the first byte of an answer there is no further try.
    expect(bad.asked).toHaveLength(1);
  });

  it('idle breaks off a body that stops, and the client sees that it is not whole', async () => {
    bad.answer = (_asked, response) => void response.writeHead(200).write('half');
    await expect(ask(gateway.httpPort, '/idle')).rejects.toThrow(/aborted|hang up/);
  });

  it('of the route runs over everything', async () => {
    bad.answer = never;
    const reply = await ask(gateway.httpPort, '/route-timeout');
    expect(reply.status).toBe(504);
    expect(codeOf(reply)).toBe('upstream_timeout');
    bad.answer = (_asked, response) => void response.writeHead(200).write('half');
    await expect(ask(gateway.httpPort, '/route-timeout')).rejects.toThrow(/aborted|hang up/);
  });
});

interface RefusingOrigin {
  readonly address: string;
  /** Streams so far. */
  streams: number;
  stop(): Promise<void>;
}

/** Speaks HTTP/2, and refuses the first stream of all. */
async function startRefusingOrigin(): Promise<RefusingOrigin> {
  const server = createHttp2Server();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream) => {
    started.streams++;
    stream.on('error', () => undefined);
    if (started.streams === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else {
      stream.respond({ ':status': 200 });
      stream.end('taken');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const started: RefusingOrigin = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    streams: 0,
    async stop() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return started;
}
