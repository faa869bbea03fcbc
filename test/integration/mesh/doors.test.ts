/** The doors of a node: an application calls another through two of them, as if it were there. */
import { createConnection } from 'node:net';
import { connect } from 'node:http2';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { startGateway, until } from '../gateway-fixture.ts';
import { ask } from '../surface/client.ts';
import {
  callBy,
  CALLER,
  outboundOf,
  provider,
  registered,
  startApplication,
  untilServed,
  useMesh,
} from './mesh-fixture.ts';

const newMesh = useMesh();

/** Tells what it was sent. */
const startEcho = (): ReturnType<typeof startApplication> =>
  startApplication((request, response) => {
    const { method, url, rawHeaders } = request;
    response.end(JSON.stringify({ method, url, rawHeaders }));
  });

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
}

function fieldsOf(body: string): Map<string, string> {
  const { rawHeaders } = JSON.parse(body) as Seen;
  const fields = new Map<string, string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    fields.set(rawHeaders[i]!.toLowerCase(), rawHeaders[i + 1]!);
  }
  return fields;
}

async function raw(port: number, lines: readonly string[]): Promise<string> {
  const socket = createConnection(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return text(socket);
}

describe('the outbound door', () => {
  it('takes the name of a service from the target, the Host field or :authority, in any case and with any port', async () => {
    const mesh = newMesh();
    const { port } = await startEcho();
    await mesh.node(provider('orders', port));
    const caller = await mesh.node(CALLER);
    await untilServed(caller, 'http://orders.mesh/');
    const outbound = outboundOf(caller);
    for (const host of ['orders.mesh', 'ORDERS.Mesh', 'orders.mesh:8080', 'orders.mesh.']) {
      const reply = await ask(outbound, '/a?b', { headers: { host } });
      expect([reply.status, (JSON.parse(reply.body) as Seen).url]).toEqual([200, '/a?b']);
      expect(fieldsOf(reply.body).get('host')).toBe(host);
    }
    // The target's authority is in force, whatever the Host field says (RFC 9112 §3.2.2).
    const absolute = await callBy(outbound, 'http://orders.mesh:99/c', {
      headers: { host: 'example.com' },
    });
    expect(fieldsOf(absolute.body).get('host')).toBe('orders.mesh:99');

    const session = connect(`http://127.0.0.1:${outbound}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':path': '/d', ':authority': 'orders.mesh' });
    const [head] = (await once(stream, 'response')) as [{ ':status': number }];
    expect(head[':status']).toBe(200);
    expect((JSON.parse(await text(stream)) as Seen).url).toBe('/d');
  });

  it('passes paths on as the application wrote them', async () => {
    const mesh = newMesh();
    const { port } = await startEcho();
    await mesh.node(provider('orders', port));
    const caller = await mesh.node(CALLER);
    await untilServed(caller, 'http://orders.mesh/');
    for (const path of ['/a%2Fb%5Cc', '/%C3%A4?q=%20+', '/', '/x;y=1/@:z?']) {
      const { body } = await callBy(outboundOf(caller), `http://orders.mesh${path}`);
      expect((JSON.parse(body) as Seen).url).toBe(path);
    }
  });

  it('refuses names that are not of the mesh: it is no proxy for the rest of the world', async () => {
    const elsewhere = await startApplication('reached');
    const caller = await newMesh().node(CALLER);
    const { port } = elsewhere;
    for (const host of [
      `127.0.0.1:${port}`,
      'localhost',
      'example.com',
      'mesh',
      '[::1]',
      'a!b.mesh',
    ]) {
      const { status, body } = await callBy(outboundOf(caller), `http://${host}/`);
      const { code, detail } = JSON.parse(body) as { code: string; detail: string };
      expect([status, code]).toEqual([404, 'no_route']);
      expect(detail).toContain('http://<service>.mesh/');
    }
  });

  it('answers 503 within moments for a service that nobody registered, and again and again', async () => {
    const caller = await newMesh().node(CALLER);
    for (let i = 0; i < 3; i++) {
      const { status, body } = await callBy(outboundOf(caller), 'http://nobody.mesh/');
      expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([
        503,
        'no_healthy_endpoint',
      ]);
    }
  });

  it('leads only to the services that it is given, which are found before the first call', async () => {
    const mesh = newMesh();
    const [orders, users] = [await startApplication('orders'), await startApplication('users')];
    const node = await mesh.node({
      listeners: [],
      register: [registered('orders', orders.port), registered('users', users.port)],
    });
    const other = await mesh.node(CALLER);
    await untilServed(other, 'http://orders.mesh/');
    const caller = await mesh.node({
      listeners: [],
      outbound: { address: '127.0.0.1:0', services: ['orders'] },
    });
    expect(await callBy(outboundOf(caller), 'http://orders.mesh/')).toMatchObject({
      status: 200,
      body: 'orders',
    });
    const { status, body } = await callBy(outboundOf(caller), 'http://users.mesh/');
    const { code, detail } = JSON.parse(body) as { code: string; detail: string };
    expect([status, code]).toEqual([404, 'no_route']);
    expect(detail).toContain('outbound.services');
    expect(node.portOf('mesh:inbound:orders')).not.toBe(node.portOf('mesh:inbound:users'));
  });

  it('refuses CONNECT with the reason, over both versions', async () => {
    const caller = await newMesh().node(CALLER);
    const answer = await raw(outboundOf(caller), [
      'CONNECT orders.mesh:443 HTTP/1.1',
      'Host: orders.mesh:443',
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer).toContain('call http://<service>.mesh/');

    const session = connect(`http://127.0.0.1:${outboundOf(caller)}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'orders.mesh:443' });
    const [head] = (await once(stream, 'response')) as [{ ':status': number }];
    expect(head[':status']).toBe(405);
    expect(await text(stream)).toContain('call http://<service>.mesh/');
  });

  it('calls a service that the file declares by its rules', async () => {
    const mesh = newMesh();
    const silent = await startApplication(() => undefined);
    const fixed = await startApplication('fixed');
    await mesh.node(provider('slow', silent.port));
    const caller = await mesh.node({
      ...CALLER,
      services: {
        slow: {
          discover: { mesh: 'slow' },
          timeouts: { response: '100ms' },
          retry: { attempts: 0 },
        },
        fixed: { endpoints: [{ address: `127.0.0.1:${fixed.port}` }] },
      },
    });
    expect(await untilServed(caller, 'http://slow.mesh/')).toMatchObject({ status: 504 });
    expect(await callBy(outboundOf(caller), 'http://fixed.mesh/')).toMatchObject({ body: 'fixed' });
  });

  it('is there on the embedded backplane too', async () => {
    const { port } = await startApplication('me');
    const node = await startGateway({ ...CALLER, register: [registered('orders', port)] });
    onTestFinished(() => node.stop());
    expect((await untilServed(node, 'http://orders.mesh/')).body).toBe('me');
  });
});

describe('what two doors make of the fields', () => {
  it('keeps trace and request id, and names both hops', async () => {
    const mesh = newMesh();
    const { port } = await startEcho();
    const one = await mesh.node(provider('orders', port));
    const caller = await mesh.node(CALLER);
    await untilServed(caller, 'http://orders.mesh/');
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const { body } = await callBy(outboundOf(caller), 'http://orders.mesh/', {
      headers: {
        'x-request-id': 'from-the-application',
        traceparent: `00-${traceId}-b7ad6b7169203331-01`,
        tracestate: 'a=b',
        authorization: 'Bearer x',
      },
    });
    const fields = fieldsOf(body);
    expect(fields.get('x-request-id')).toBe('from-the-application');
    expect(fields.get('traceparent')).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    expect(fields.get('tracestate')).toBe('a=b');
    expect(fields.get('authorization')).toBe('Bearer x');
    expect(fields.get('via')).toBe('1.1 meshgate, 1.1 meshgate');
    for (const node of [caller, one]) {
      const line = await node.waitForLog(({ request_id }) => request_id === 'from-the-application');
      expect(line['trace_id']).toBe(traceId);
    }
  });

  it('believes nobody about the client unless the node is told to', async () => {
    const mesh = newMesh();
    const { port } = await startEcho();
    await mesh.node(provider('orders', port));
    await mesh.node({ ...provider('trusting', port), trustedProxies: ['127.0.0.1'] });
    const caller = await mesh.node(CALLER);
    const edge = await mesh.node({
      trustedProxies: ['127.0.0.1'],
      services: { trusting: { discover: { mesh: 'trusting' } } },
      routes: [{ name: 'all', to: 'trusting' }],
    });
    await untilServed(caller, 'http://orders.mesh/');
    await untilServed(caller, 'http://trusting.mesh/');
    const claims = {
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'https',
      'x-real-ip': '203.0.113.7',
      forwarded: 'for=203.0.113.7',
    };
    const claimed = await callBy(outboundOf(caller), 'http://orders.mesh/', { headers: claims });
    const fields = fieldsOf(claimed.body);
    expect(fields.get('x-forwarded-for')).toBe('127.0.0.1');
    expect(fields.get('x-forwarded-proto')).toBe('http');
    expect(fields.get('x-forwarded-host')).toBe('orders.mesh');
    expect([fields.has('x-real-ip'), fields.has('forwarded')]).toEqual([false, false]);

    // The outbound door claims nothing: an address of a loopback must not look like the client's.
    const own = await callBy(outboundOf(caller), 'http://trusting.mesh/');
    expect(fieldsOf(own.body).get('x-forwarded-for')).toBe('127.0.0.1');

    // An edge gateway that the node trusts tells it who the client is.
    const through = await until(async () => {
      const reply = await ask(edge.httpPort, '/', { headers: claims });
      return reply.status === 200 ? reply : undefined;
    });
    expect(fieldsOf(through.body).get('x-forwarded-for')).toBe('203.0.113.7, 127.0.0.1, 127.0.0.1');
    expect(fieldsOf(through.body).get('x-forwarded-proto')).toBe('https');
  });

  it('lets through as many fields as came in by the edge', async () => {
    const mesh = newMesh();
    const { port } = await startEcho();
    await mesh.node(provider('orders', port));
    const edge = await mesh.node({
      services: { orders: { discover: { mesh: 'orders' } } },
      routes: [{ name: 'all', to: 'orders' }],
    });
    const headers = Object.fromEntries(Array.from({ length: 95 }, (_, i) => [`x-${i}`, 'y']));
    const reply = await until(async () => {
      const { status, body } = await ask(edge.httpPort, '/', { headers });
      return status === 503 ? undefined : { status, body };
    });
    expect(reply.status).toBe(200);
    expect(fieldsOf(reply.body).get('x-94')).toBe('y');
  });
});

describe('an edge gateway', () => {
  it('uses the same endpoints as the outbound door, by the inbound doors', async () => {
    const mesh = newMesh();
    const [a, b] = [await startApplication('a'), await startApplication('b')];
    const providers = [
      await mesh.node(provider('orders', a.port)),
      await mesh.node(provider('orders', b.port)),
    ];
    const node = await mesh.node({
      outbound: { address: '127.0.0.1:0' },
      listeners: [{ name: 'http', address: '127.0.0.1:0' }],
      services: { orders: { discover: { mesh: 'orders' } } },
      routes: [{ name: 'all', to: 'orders' }],
    });
    const seen = new Set<string>();
    await until(async () => {
      seen.add((await ask(node.httpPort, '/')).body);
      seen.add((await callBy(outboundOf(node), 'http://orders.mesh/')).body);
      return seen.has('a') && seen.has('b') ? true : undefined;
    });
    const endpoints = new Set<unknown>();
    await until(async () => {
      await callBy(outboundOf(node), 'http://orders.mesh/');
      const line = await node.waitForLog(
        ({ listener, endpoint, status }) =>
          listener === 'mesh:outbound' && status === 200 && !endpoints.has(endpoint),
      );
      endpoints.add(line['endpoint']);
      return endpoints.size === 2 ? true : undefined;
    });
    const doors = providers.map((one) => `127.0.0.1:${one.portOf('mesh:inbound:orders')}`);
    expect(endpoints).toEqual(new Set(doors));
  });
});

describe('explain', () => {
  it('tells where a call through the outbound door would go', async () => {
    const mesh = newMesh();
    const { port } = await startApplication('a');
    const one = await mesh.node(provider('orders', port));
    const caller = await mesh.node(CALLER);
    await untilServed(caller, 'http://orders.mesh/');
    const app = await createApp({ configFile: caller.configFile, env: {}, log: SILENT });
    const explanation = await app.explain({
      method: 'GET',
      url: new URL('http://orders.mesh/a'),
      headers: [],
      body: undefined,
    });
    expect(explanation).toMatchObject({
      listener: 'mesh:outbound',
      routes: [{ route: 'mesh:outbound', won: true }],
      forward: {
        service: 'orders',
        target: '/a',
        authority: 'orders.mesh',
        endpoint: `127.0.0.1:${one.portOf('mesh:inbound:orders')}`,
      },
      answer: undefined,
    });
    const refused = await app.explain({
      method: 'GET',
      url: new URL('http://example.com/'),
      headers: [],
      body: undefined,
    });
    expect(refused.answer).toMatchObject({ status: 404, code: 'no_route' });
  });
});

describe('the metrics of the doors', () => {
  it('are by door and service, and have no label for names that are no service', async () => {
    const mesh = newMesh();
    const { port } = await startApplication('a');
    const one = await mesh.node(provider('orders', port));
    const caller = await mesh.node(CALLER);
    await untilServed(caller, 'http://orders.mesh/');
    await callBy(outboundOf(caller), 'http://made-up-1.mesh/');
    await callBy(outboundOf(caller), 'http://made-up-2.mesh/');
    await callBy(outboundOf(caller), 'http://example.com/');
    const outbound = await caller.metrics();
    expect(outbound).toMatch(
      /^meshgate_requests_total\{listener="mesh:outbound",route="mesh:outbound",service="orders",method="GET",code="200"\} 1$/m,
    );
    expect(outbound).toMatch(
      /^meshgate_requests_total\{listener="mesh:outbound",route="mesh:outbound",service="",method="GET",code="503"\} \d+$/m,
    );
    expect(outbound).toMatch(/^meshgate_endpoints\{service="orders",state="healthy"\} 1$/m);
    expect(outbound).not.toContain('made-up');
    const series = outbound.split('\n').filter((line) => line.startsWith('meshgate_'));
    const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(names).size).toBe(names.length);
    expect(await one.metrics()).toMatch(
      /^meshgate_requests_total\{listener="mesh:inbound:orders",route="mesh:inbound:orders",service="orders",method="GET",code="200"\} 1$/m,
    );
  });
});
