/** What is told of every exchange: metrics, access log, traces. */
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectRaw } from '../../gateway/exchange/raw-client.ts';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';
import { ask, askHttp2 } from './client.ts';
import { deadAddress, startOrigin, type Origin } from './origin.ts';

const TRUSTED = '127.0.0.2';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

let gateway: TestGateway;
let origin: Origin;
let dead: string;

beforeAll(async () => {
  origin = await startOrigin('origin');
  dead = await deadAddress();
  gateway = await startGateway({
    trustedProxies: [TRUSTED],
    services: {
      orders: { endpoints: [{ address: origin.address }] },
      dead: { endpoints: [{ address: dead }] },
      flaky: { endpoints: [{ address: dead }, { address: origin.address }] },
    },
    routes: [
      { name: 'orders', match: [{ path: '/orders/*' }], to: 'orders' },
      { name: 'dead', match: [{ path: '/dead/*' }], to: 'dead' },
      { name: 'flaky', match: [{ path: '/flaky/*' }], to: 'flaky' },
      { name: 'hello', match: [{ path: '/hello' }], respond: { body: 'hi' } },
      {
        name: 'limited',
        match: [{ path: '/limited' }],
        respond: { body: 'hi' },
        plugins: [{ 'rate-limit': { limit: 1, window: '1h', by: 'route' } }],
      },
    ],
  });
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));
beforeEach(() => {
  origin.answer = (_asked, response) => response.end('origin');
  origin.asked.splice(0);
});

/** The value of one line of /metrics; 0 where it is not there. */
async function metric(line: string): Promise<number> {
  const found = (await gateway.metrics()).split('\n').find((one) => one.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}

const requests = (labels: string): string => `meshgate_requests_total{${labels}}`;

describe('metrics', () => {
  it('count requests by listener, route, service, method and code', async () => {
    const labels = requests(
      'listener="http",route="orders",service="orders",method="PUT",code="200"',
    );
    const before = await metric(labels);
    await ask(gateway.httpPort, '/orders/1', { method: 'PUT', body: 'x' });
    await ask(gateway.httpPort, '/orders/2', { method: 'PUT', body: 'x' });
    expect(await metric(labels)).toBe(before + 2);
  });

  it('count what found no route, and methods that nobody knows, without a label of their own', async () => {
    await ask(gateway.httpPort, '/nowhere/at-all');
    await ask(gateway.httpPort, '/nowhere/at-all', { method: 'PROPFIND' });
    const unrouted = (method: string): string =>
      requests(`listener="http",route="",service="",method="${method}",code="404"`);
    expect(await metric(unrouted('GET'))).toBe(1);
    expect(await metric(unrouted('other'))).toBe(1);
    expect(await gateway.metrics()).not.toContain('at-all');
  });

  it('measure the whole exchange and the wait for the service, in seconds', async () => {
    origin.answer = (_asked, response) => void setTimeout(() => response.end(), 30);
    const whole = 'meshgate_request_duration_seconds';
    const wait = 'meshgate_upstream_duration_seconds';
    const of = (name: string, suffix: string): string =>
      name === whole
        ? `${name}_${suffix}{route="orders",service="orders"}`
        : `${name}_${suffix}{service="orders"}`;
    const before = await Promise.all(
      [whole, wait].flatMap((name) => ['count', 'sum'].map((one) => metric(of(name, one)))),
    );
    await ask(gateway.httpPort, '/orders/1');
    const after = await Promise.all(
      [whole, wait].flatMap((name) => ['count', 'sum'].map((one) => metric(of(name, one)))),
    );
    const grown = after.map((value, i) => value - before[i]!);
    expect([grown[0], grown[2]]).toEqual([1, 1]);
    // A timer may ring a millisecond early.
    expect(grown[3]).toBeGreaterThanOrEqual(0.029);
    expect(grown[1]).toBeGreaterThanOrEqual(grown[3]!);
    expect(grown[1]).toBeLessThan(5);
  });

  it('count retries by reason, and refusals of a rate limit', async () => {
    const retries = 'meshgate_retries_total{service="flaky",reason="connect-failure"}';
    for (let i = 0; i < 2; i++) await ask(gateway.httpPort, '/flaky/x');
    expect(await metric(retries)).toBe(1);
    for (let i = 0; i < 3; i++) await ask(gateway.httpPort, '/limited');
    expect(await metric('meshgate_rate_limited_total{route="limited"}')).toBe(2);
  });

  it('tell connections, endpoints, configuration, certificates and build', async () => {
    const open = 'meshgate_connections{listener="http"}';
    // Those of the tests before may still be closing.
    await until(async () => ((await metric(open)) === 0 ? true : undefined));
    const client = await connectRaw(gateway.httpPort);
    await client.send('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n').untilText('hi');
    expect(await metric(open)).toBe(1);
    expect(await metric('meshgate_endpoints{service="flaky",state="healthy"}')).toBe(2);
    expect(await metric('meshgate_config_revision')).toBe(1);
    expect(await metric('meshgate_config_last_reload_successful')).toBe(1);
    expect(await metric('meshgate_certificate_expiry_seconds{name="localhost"}')).toBeGreaterThan(
      86_400,
    );
    expect(await gateway.metrics()).toMatch(
      /^meshgate_build_info\{version="\d+\.\d+\.\d+[^"]*",node="24\.[^"]+"\} 1$/m,
    );
  });

  it('have help and a type each', async () => {
    const text = await gateway.metrics();
    const names = new Set(text.match(/^meshgate_[a-z_]+?(?=_bucket|_sum|_count|\{| )/gm));
    expect(names.size).toBeGreaterThan(8);
    for (const name of names) {
      expect(text).toContain(`# HELP ${name} `);
      expect(text).toMatch(new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`, 'm'));
    }
  });
});

describe('the request id', () => {
  it('is in every answer, as the log and the service have it', async () => {
    origin.answer = (_asked, response) => {
      // One of the service's own would name another request.
      response.writeHead(200, { 'X-Request-Id': 'mine' }).end('origin');
    };
    for (const path of ['/orders/named', '/hello', '/nowhere']) {
      const { lines } = await ask(gateway.httpPort, path);
      const ids = lines.filter(([name]) => name.toLowerCase() === 'x-request-id');
      expect(ids).toHaveLength(1);
      expect(await gateway.waitForLog((line) => line['request_id'] === ids[0]![1])).toMatchObject({
        path,
      });
    }
    const named = await ask(gateway.httpPort, '/orders/named');
    expect(origin.asked.at(-1)!.headers['x-request-id']).toBe(named.headers['x-request-id']);
    const trusted = await ask(gateway.httpPort, '/hello', {
      from: TRUSTED,
      headers: { 'x-request-id': 'edge-1' },
    });
    expect(trusted.headers['x-request-id']).toBe('edge-1');
    const http2 = await askHttp2(gateway.httpPort, '/orders/named');
    expect(http2.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the access log', () => {
  it('tells who asked, what was decided and what it took', async () => {
    const reply = await ask(gateway.httpPort, '/orders/log?token=secret', {
      method: 'POST',
      host: 'API.example.com:8000',
      body: 'four',
    });
    const line = await gateway.waitForLog(({ path }) => path === '/orders/log');
    const [asked] = origin.asked;
    expect(line).toMatchObject({
      request_id: asked!.headers['x-request-id'],
      trace_id: String(asked!.headers['traceparent']).split('-')[1],
      listener: 'http',
      protocol: 'http/1.1',
      client_ip: '127.0.0.1',
      method: 'POST',
      host: 'api.example.com',
      status: 200,
      bytes_in: 4,
      bytes_out: reply.body.length,
      route: 'orders',
      service: 'orders',
      endpoint: origin.address,
      attempts: 1,
    });
    expect(Date.parse(String(line['time']))).toBeGreaterThan(Date.now() - 60_000);
    expect(line['duration_ms']).toBeGreaterThanOrEqual(Number(line['upstream_ms']));
    expect(line).not.toHaveProperty('code');
    expect(JSON.stringify(line)).not.toContain('secret');
  });

  it('gives a reason for every failure', async () => {
    const reply = await ask(gateway.httpPort, '/dead/log');
    const line = await gateway.waitForLog(({ path }) => path === '/dead/log');
    expect(line).toMatchObject({
      status: 503,
      code: 'upstream_connect_failed',
      service: 'dead',
      endpoint: dead,
      attempts: 2,
      request_id: reply.headers['x-request-id'],
    });
    expect(line['reason']).toContain('ECONNREFUSED');
    // What the log names is not for the client.
    expect(reply.body).not.toContain('ECONNREFUSED');
    expect(reply.body).not.toContain(dead);
  });

  it('names host and path, as it came and cut short, of a request whose path is refused', async () => {
    const client = await connectRaw(gateway.httpPort);
    const path = `//x/../../etc/${'p'.repeat(500)}`;
    await client
      .send(`GET ${path}?token=secret HTTP/1.1\r\nHost: shop.test\r\n\r\n`)
      .untilText('bad_request');
    const line = await gateway.waitForLog(({ host }) => host === 'shop.test');
    expect(line).toMatchObject({ status: 400, code: 'bad_request', path: path.slice(0, 256) });
    expect(JSON.stringify(line)).not.toContain('secret');
  });

  it('ends no sentence twice in a reason', async () => {
    await ask(gateway.httpPort, '/dead/twice');
    const line = await gateway.waitForLog(({ path }) => path === '/dead/twice');
    expect(line['reason']).toMatch(/[a-z]: /);
    expect(line['reason']).not.toContain('.:');
  });

  it('tells of a client that left, with 499', async () => {
    origin.answer = () => undefined;
    const leaving = request({ port: gateway.httpPort, path: '/orders/left', agent: false });
    leaving.on('error', () => undefined).end();
    await origin.request(1);
    leaving.destroy();
    const line = await gateway.waitForLog(({ path }) => path === '/orders/left');
    expect(line).toMatchObject({ code: 'client_closed_request', service: 'orders' });
    const code499 = requests(
      'listener="http",route="orders",service="orders",method="GET",code="499"',
    );
    expect(await metric(code499)).toBe(1);
  });

  it('with sample: 0 tells of failures alone', async () => {
    const sampled = await startGateway({
      telemetry: { accessLog: { path: 'access.log', sample: 0 } },
      routes: [{ name: 'hello', match: [{ path: '/hello' }], respond: { body: 'hi' } }],
    });
    await ask(sampled.httpPort, '/hello');
    await ask(sampled.httpPort, '/nowhere');
    const first = await sampled.waitForLog(() => true);
    expect(first).toMatchObject({ path: '/nowhere', status: 404, code: 'no_route' });
    await sampled.stop();
  });

  it('tells of bytes that never were a request', async () => {
    const client = await connectRaw(gateway.httpPort);
    await client.send('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n').untilClosed();
    const line = await gateway.waitForLog(
      // The other one of this code, above, was a request but for its path.
      ({ code, host }) => code === 'bad_request' && host !== 'shop.test',
    );
    expect(line).toMatchObject({ status: 400, listener: 'http', client_ip: '127.0.0.1' });
    expect(line['reason']).not.toBe('');
  });
});

describe('traceparent', () => {
  it('begins a trace where there is none, and another for each request', async () => {
    await ask(gateway.httpPort, '/orders/1');
    await ask(gateway.httpPort, '/orders/2');
    const traces = origin.asked.map(({ headers }) => String(headers['traceparent']));
    for (const trace of traces) expect(trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(new Set(traces).size).toBe(2);
  });

  it.each([
    ['of a future version', `cc-${TRACE}-${SPAN}-01-more`, true],
    ['of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`, false],
    ['of a version that is none', `ff-${TRACE}-${SPAN}-01`, false],
    ['that is malformed', `00-${TRACE}-${SPAN}`, false],
  ])('%s is continued: %s (%s)', async (_what, traceparent, continued) => {
    await ask(gateway.httpPort, '/orders/1', { from: TRUSTED, headers: { traceparent } });
    const sent = String(origin.asked[0]!.headers['traceparent']);
    expect(sent).toMatch(/^00-/);
    expect(sent.includes(TRACE)).toBe(continued);
  });
});
