/** `telemetry.tracing`: spans over OTLP, to a collector of our own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';
import { createRecordedLog } from './recorded-log.ts';
import { startOrigin, type Asked, type Origin } from './origin.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code: number };
}

let origin: Origin;
let collector: Origin;
const log = createRecordedLog();

beforeAll(async () => {
  origin = await startOrigin('origin');
  collector = await startOrigin('collector', {
    answer: (_asked, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  });
});
afterAll(() => Promise.all([origin.stop(), collector.stop()]));

/** Asks of a gateway that samples so much, and gives the spans that it sent until it was stopped. */
async function trace(
  sample: number,
  asks: (port: number) => Promise<unknown>,
): Promise<{ readonly spans: readonly Span[]; readonly posts: readonly Asked[] }> {
  collector.asked.splice(0);
  origin.asked.splice(0);
  origin.answer = (_asked, response) => response.end('origin');
  const config = {
    node: { name: 'edge-1' },
    trustedProxies: ['127.0.0.2'],
    services: { orders: { endpoints: [{ address: origin.address }] } },
    routes: [{ name: 'orders', match: [{ path: '/orders/*' }], to: 'orders' }],
    telemetry: { tracing: { otlp: `http://${collector.address}`, sample } },
  };
  const gateway = await startGateway(config, {}, log);
  try {
    await asks(gateway.httpPort);
  } finally {
    // What has not been sent yet goes out now.
    await gateway.stop();
  }
  const spans = collector.asked.flatMap(({ body }) => {
    const { resourceSpans } = JSON.parse(body) as {
      resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
    };
    return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  });
  return { spans, posts: [...collector.asked] };
}

const attributesOf = (span: Span): Record<string, unknown> =>
  Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

describe('tracing', () => {
  it('sends a span for each exchange, the parent of the service’s', async () => {
    const { spans, posts } = await trace(1, async (port) => {
      await ask(port, '/orders/1?secret=1', { method: 'PUT', host: 'api.example.com' });
      await ask(port, '/nowhere');
      origin.answer = (_asked, response) => response.socket!.destroy();
      await ask(port, '/orders/2', { method: 'POST' });
    });
    expect(posts.every(({ method, target }) => `${method} ${target}` === 'POST /v1/traces')).toBe(
      true,
    );
    expect(posts[0]!.body).toContain('"service.instance.id","value":{"stringValue":"edge-1"}');
    const [orders, nowhere, broken] = spans as [Span, Span, Span];
    expect(orders).toMatchObject({ name: 'PUT orders', kind: 2, status: { code: 0 } });
    expect(attributesOf(orders)).toMatchObject({
      'http.request.method': 'PUT',
      'http.response.status_code': 200,
      'http.route': 'orders',
      'url.scheme': 'http',
      'url.path': '/orders/1',
      'server.address': 'api.example.com',
      'client.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'meshgate.listener': 'http',
      'meshgate.service': 'orders',
      'meshgate.endpoint': origin.address,
      'meshgate.attempts': 1,
    });
    expect(JSON.stringify(spans)).not.toContain('secret');
    expect(origin.asked[0]!.headers['traceparent']).toBe(
      `00-${orders.traceId}-${orders.spanId}-01`,
    );
    const lasted = BigInt(orders.endTimeUnixNano) - BigInt(orders.startTimeUnixNano);
    expect(lasted).toBeGreaterThan(0n);
    expect(nowhere).toMatchObject({ name: 'GET', status: { code: 0 } });
    expect(attributesOf(nowhere)).toMatchObject({ 'error.type': 'no_route' });
    expect(broken).toMatchObject({ name: 'POST orders', status: { code: 2 } });
    expect(attributesOf(broken)).toMatchObject({ 'error.type': 'upstream_reset' });
  });

  it('follows a trusted caller’s decision, whatever the sample', async () => {
    const from = { from: '127.0.0.2' };
    const { spans } = await trace(0, async (port) => {
      await ask(port, '/orders/1', from);
      await ask(port, '/orders/2', { ...from, headers: { traceparent: `00-${TRACE}-${SPAN}-00` } });
      await ask(port, '/orders/3', { ...from, headers: { traceparent: `00-${TRACE}-${SPAN}-01` } });
    });
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({ traceId: TRACE, parentSpanId: SPAN });
    expect(attributesOf(spans[0]!)['url.path']).toBe('/orders/3');
  });

  it('to a collector that answers nothing holds nobody up, the end least of all', async () => {
    collector.answer = () => undefined;
    const { spans } = await trace(1, async (port) => {
      expect((await ask(port, '/orders/1')).status).toBe(200);
    });
    expect(spans).toHaveLength(1);
    const { message } = await log.entry(/traces could not be sent/);
    expect(message).toBe('the last traces could not be sent');
  });
});
