/** `trustedProxies`: whose word about the client is taken, and what the service is told. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, askHttp2 } from './client.ts';
import { startOrigin, type Asked, type Origin } from './origin.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/;
const TRUSTED = '127.0.0.2';
const STRANGER = '127.0.0.3';

let gateway: TestGateway;
let origin: Origin;

beforeAll(async () => {
  origin = await startOrigin('origin');
  gateway = await startGateway({
    trustedProxies: ['127.0.0.2', '10.0.0.0/8', '2001:db8::/32'],
    services: { origin: { endpoints: [{ address: origin.address }] } },
    routes: [{ name: 'all', to: 'origin' }],
  });
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));
beforeEach(() => void origin.asked.splice(0));

async function seen(
  from: string,
  headers: Readonly<Record<string, string | string[]>> = {},
): Promise<Asked> {
  const reply = await ask(gateway.httpPort, '/', { from, headers, host: 'api.example.com:8000' });
  expect(reply.status).toBe(200);
  return origin.asked[0]!;
}

const CLAIMS = {
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'public.example.com',
  'x-forwarded-port': '443',
  'x-request-id': 'their-own-id',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'vendor=1',
};

describe('from anybody', () => {
  it('the service is told who asks, by what, and where it came in', async () => {
    const { headers } = await seen(STRANGER);
    expect(headers).toMatchObject({
      'x-forwarded-for': STRANGER,
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'api.example.com:8000',
      'x-forwarded-port': String(gateway.httpPort),
      via: '1.1 meshgate',
    });
    expect(headers['x-request-id']).toMatch(UUID);
    expect(headers['traceparent']).toMatch(TRACEPARENT);
    expect(headers['tracestate']).toBeUndefined();
  });

  it('by https and HTTP/2 the service is told so', async () => {
    await askHttp2(gateway.httpsPort, '/', { tls: {} });
    expect(origin.asked[0]!.headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': String(gateway.httpsPort),
      via: '2.0 meshgate',
    });
  });

  it('Via is continued, for it claims nothing', async () => {
    expect((await seen(STRANGER, { via: '1.0 fred' })).headers.via).toBe('1.0 fred, 1.1 meshgate');
  });
});

describe('from a stranger', () => {
  it('forwarding fields are replaced', async () => {
    const { headers } = await seen(STRANGER, CLAIMS);
    expect(headers).toMatchObject({
      'x-forwarded-for': STRANGER,
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'api.example.com:8000',
      'x-forwarded-port': String(gateway.httpPort),
    });
    expect(headers['x-request-id']).toMatch(UUID);
    expect(headers['traceparent']).not.toContain('4bf92f3577b34da6a3ce929d0e0e4736');
    expect(headers['tracestate']).toBeUndefined();
  });

  it.each([
    'forwarded',
    'x-real-ip',
    'x-client-ip',
    'true-client-ip',
    'x-forwarded-prefix',
    'x-original-url',
    'x-forwarded-client-cert',
    'x-meshgate-identity',
    'X_Forwarded_For',
    'x_real_ip',
  ])('%s is dropped', async (name) => {
    const { lines } = await seen(STRANGER, { [name]: 'for=203.0.113.7' });
    expect(lines.filter(([, value]) => value.includes('203.0.113.7'))).toEqual([]);
  });

  it('Connection cannot take away what the gateway adds', async () => {
    const { headers } = await seen(STRANGER, {
      connection: 'close, X-Forwarded-For, X-Request-Id, traceparent, x-mine',
      'x-mine': '1',
    });
    expect(headers['x-forwarded-for']).toBe(STRANGER);
    expect(headers['x-request-id']).toMatch(UUID);
    expect(headers['traceparent']).toMatch(TRACEPARENT);
    expect(headers['x-mine']).toBeUndefined();
  });
});

describe('from a trusted proxy', () => {
  it('forwarding fields are kept, and the proxy is added to the list', async () => {
    const { headers } = await seen(TRUSTED, CLAIMS);
    expect(headers).toMatchObject({
      'x-forwarded-for': '203.0.113.7, 127.0.0.2',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'public.example.com',
      'x-forwarded-port': '443',
      'x-request-id': 'their-own-id',
      tracestate: 'vendor=1',
    });
  });

  it('the trace goes on under a span of the gateway’s own', async () => {
    const { headers } = await seen(TRUSTED, CLAIMS);
    expect(headers['traceparent']).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
    expect(headers['traceparent']).not.toContain('00f067aa0ba902b7');
  });

  it('fields that only proxies send are kept', async () => {
    const { headers } = await seen(TRUSTED, { 'x-real-ip': '203.0.113.7', forwarded: 'for=x' });
    expect(headers).toMatchObject({ 'x-real-ip': '203.0.113.7', forwarded: 'for=x' });
  });

  it('an underscore spelling is dropped all the same', async () => {
    const { lines } = await seen(TRUSTED, { X_Forwarded_For: '203.0.113.9' });
    expect(lines.filter(([, value]) => value.includes('203.0.113.9'))).toEqual([]);
  });

  it('the client is the last one whom no trusted proxy vouches for', async () => {
    const lists = [
      ['203.0.113.7', '203.0.113.7'],
      ['198.51.100.1, 203.0.113.7', '203.0.113.7'],
      ['198.51.100.1, 203.0.113.7, 10.1.2.3', '203.0.113.7'],
      ['198.51.100.1, 2001:db8::1', '198.51.100.1'],
      ['198.51.100.1, unknown, 10.1.2.3', '10.1.2.3'],
    ] as const;
    for (const [place, [list]] of lists.entries()) {
      const headers = { 'x-forwarded-for': list };
      await ask(gateway.httpPort, `/list/${place}`, { from: TRUSTED, headers });
    }
    for (const [place, [list, client]] of lists.entries()) {
      const line = await gateway.waitForLog(({ path }) => path === `/list/${place}`);
      expect([list, line['client_ip']]).toEqual([list, client]);
    }
  });
});
