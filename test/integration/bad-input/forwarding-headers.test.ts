/** What a request says of its client is believed from trusted proxies, and from nobody else. */
import { connect } from 'node:http2';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, fieldOf, get } from './doors.ts';
import { startRecordingUpstream, type RecordingUpstream } from './recording-upstream.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;

let upstream: RecordingUpstream;
let wary: TestGateway;
let trusting: TestGateway;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  const config = {
    services: { recorder: { endpoints: [{ address: upstream.address }] } },
    routes: [
      {
        name: 'inside',
        match: { path: '/inside' },
        to: 'recorder',
        plugins: [{ 'ip-filter': { allow: ['10.0.0.0/8'] } }],
      },
      { name: 'moved', match: { path: '/moved' }, redirect: { path: '/here' } },
      { name: 'all', to: 'recorder' },
    ],
  };
  wary = await startGateway(config);
  trusting = await startGateway({ ...config, trustedProxies: ['127.0.0.0/8', '10.9.0.0/16'] });
});
beforeEach(() => upstream.forget());
afterAll(async () => {
  await Promise.all([wary?.stop(), trusting?.stop()]);
  await upstream?.close();
});

/** Fields by which somebody would pass for somebody else. */
const claims = [
  'X-Real-IP: 10.0.0.1',
  'X-Client-IP: 10.0.0.1',
  'True-Client-IP: 10.0.0.1',
  'CF-Connecting-IP: 10.0.0.1',
  'Client-IP: 10.0.0.1',
  'Fastly-Client-IP: 10.0.0.1',
  'X-Cluster-Client-IP: 10.0.0.1',
  'X-Envoy-External-Address: 10.0.0.1',
  'X-Original-Forwarded-For: 10.0.0.1',
  'X-Forwarded: for=10.0.0.1',
  'X-Forwarded-By: 10.0.0.1',
  'X-Forwarded-Server: admin.internal',
  'X-Forwarded-Protocol: https',
  'X-Url-Scheme: https',
  'Front-End-Https: on',
  'X-Original-Uri: /admin',
  'Forwarded: for=10.0.0.1;proto=https',
  'X-Forwarded-Prefix: /admin',
  'X-Forwarded-Ssl: on',
  'X-Forwarded-Scheme: https',
  'X-Forwarded-Uri: /admin',
  'X-Original-URL: /admin',
  'X-Rewrite-URL: /admin',
  'X-Original-Host: admin.internal',
  'X-Forwarded-Client-Cert: By=spiffe://mesh;Hash=00',
  'X-Meshgate-Identity: spiffe://mesh/service/root',
];

describe('from a peer that is not trusted', () => {
  it.for(claims)('drops "%s"', async (line) => {
    expect((await ask(wary, get('/', line))).status).toBe(200);
    expect(upstream.requests[0]!.valuesOf(line.split(':')[0]!.toLowerCase())).toEqual([]);
  });

  it.for(claims)('drops the underscore spelling of "%s"', async (line) => {
    const [name = ''] = line.split(':');
    const spelled = name.replaceAll('-', '_');
    await ask(
      wary,
      get('/', line.replace(name, spelled), line.replace(name, name.replace('-', '_'))),
    );
    expect(names()).not.toContain(spelled.toLowerCase());
    expect(names().filter((each) => each.includes('_'))).toEqual([]);
  });

  it('replaces X-Forwarded-* by what it knows itself', async () => {
    await ask(
      wary,
      get(
        '/',
        'X-Forwarded-For: 10.0.0.1',
        'x-forwarded-for: 10.0.0.2',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Host: admin.internal',
        'X-Forwarded-Port: 443',
      ),
    );
    expect(forwarded()).toEqual({
      'x-forwarded-for': ['127.0.0.1'],
      'x-forwarded-proto': ['http'],
      'x-forwarded-host': ['localhost'],
      'x-forwarded-port': [String(wary.httpPort)],
    });
  });

  it.for(['X_Forwarded_For', 'X-Forwarded_For', 'x_forwarded-FOR', 'X_FORWARDED_FOR'])(
    'drops the spelling %s, which CGI takes for the same',
    async (name) => {
      await ask(wary, get('/', `${name}: 10.0.0.1`));
      expect(
        names().filter((each) => each.replaceAll('_', '-') === 'x-forwarded-for'),
      ).toHaveLength(1);
      expect(upstream.requests[0]!.fields).not.toContain('10.0.0.1');
    },
  );

  it('replaces X-Request-Id, and answers and logs its own', async () => {
    await ask(wary, get('/', 'X-Request-Id: chosen-by-the-client', 'X_Request_Id: and-again'));
    const [id, ...others] = upstream.requests[0]!.valuesOf('x-request-id');
    expect(others).toEqual([]);
    expect(id).toMatch(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(JSON.stringify(upstream.requests[0]!.fields)).not.toMatch(/chosen|again/);
  });

  it('begins a trace of its own', async () => {
    await ask(wary, get('/', `traceparent: ${TRACEPARENT}`, 'tracestate: a=b'));
    const [traceparent, ...others] = upstream.requests[0]!.valuesOf('traceparent');
    expect(others).toEqual([]);
    expect(traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-0[01]$/);
    expect(traceparent).not.toContain(TRACE);
    expect(upstream.requests[0]!.valuesOf('tracestate')).toEqual([]);
  });

  it('does not let the address of a client be chosen by it', async () => {
    const lines = ['X-Forwarded-For: 10.0.0.1', 'X-Real-IP: 10.0.0.1', 'Forwarded: for=10.0.0.1'];
    const { status, body } = await ask(wary, get('/inside', ...lines));
    expect(status).toBe(403);
    const { request_id: id } = JSON.parse(body) as { request_id: string };
    expect(await wary.waitForLog(({ request_id: logged }) => logged === id)).toMatchObject({
      client_ip: '127.0.0.1',
    });
    expect(upstream.requests).toEqual([]);
  });

  it('treats HTTP/2 the same', async () => {
    const session = connect(`http://127.0.0.1:${wary.httpPort}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({
      ':path': '/',
      ':authority': 'localhost',
      'x-forwarded-for': '10.0.0.1',
      'x-real-ip': '10.0.0.1',
      x_forwarded_for: '10.0.0.1',
      traceparent: TRACEPARENT,
    });
    await once(stream.resume(), 'close');
    expect(forwarded()).toMatchObject({
      'x-forwarded-for': ['127.0.0.1'],
      'x-forwarded-proto': ['http'],
    });
    expect(upstream.requests[0]!.fields).not.toContain('10.0.0.1');
    expect(JSON.stringify(upstream.requests[0]!.fields)).not.toContain(TRACE);
  });

  it('says over which version and scheme the client came', async () => {
    await ask(wary, get('/', 'Via: 1.0 edge'), 'https');
    expect(forwarded()).toMatchObject({
      'x-forwarded-proto': ['https'],
      'x-forwarded-port': [String(wary.httpsPort)],
    });
    expect(upstream.requests[0]!.valuesOf('via')).toEqual(['1.0 edge, 1.1 meshgate']);
  });
});

describe('from a trusted proxy', () => {
  it.for(claims)('keeps "%s"', async (line) => {
    await ask(trusting, get('/', line));
    const [name = ''] = line.split(': ');
    expect(upstream.requests[0]!.valuesOf(name.toLowerCase())).toEqual([
      line.slice(name.length + 2),
    ]);
  });

  it.for(claims)('drops even there the underscore spelling of "%s"', async (line) => {
    const [name = ''] = line.split(':');
    await ask(trusting, get('/', line.replace(name, name.replaceAll('-', '_'))));
    expect(names().filter((each) => each.includes('_'))).toEqual([]);
  });

  it('keeps X-Forwarded-* and goes on with the chain', async () => {
    await ask(
      trusting,
      get(
        '/',
        'X-Forwarded-For: 203.0.113.7',
        'X-Forwarded-For: 10.9.0.1',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Host: shop.example.com',
        'X-Forwarded-Port: 443',
      ),
    );
    expect(forwarded()).toEqual({
      'x-forwarded-for': ['203.0.113.7, 10.9.0.1, 127.0.0.1'],
      'x-forwarded-proto': ['https'],
      'x-forwarded-host': ['shop.example.com'],
      'x-forwarded-port': ['443'],
    });
  });

  it('keeps X-Request-Id', async () => {
    await ask(trusting, get('/', 'X-Request-Id: from-the-proxy'));
    expect(upstream.requests[0]!.valuesOf('x-request-id')).toEqual(['from-the-proxy']);
  });

  it('goes on with the trace', async () => {
    await ask(
      trusting,
      get('/', `traceparent: ${TRACEPARENT}`, 'tracestate: a=b', 'tracestate: c=d'),
    );
    const [traceparent = ''] = upstream.requests[0]!.valuesOf('traceparent');
    expect(traceparent).toMatch(new RegExp(`^00-${TRACE}-[\\da-f]{16}-01$`));
    expect(traceparent).not.toContain(SPAN);
    expect(upstream.requests[0]!.valuesOf('tracestate')).toEqual(['a=b, c=d']);
  });

  it.for([
    'traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01',
    `traceparent: 00-${TRACE}-0000000000000000-01`,
    `traceparent: ff-${TRACE}-${SPAN}-01`,
    'traceparent: nonsense',
  ])('begins a new trace where %s is none', async (line) => {
    await ask(trusting, get('/', line, 'tracestate: a=b'));
    const [traceparent = ''] = upstream.requests[0]!.valuesOf('traceparent');
    expect(traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-0[01]$/);
    expect(traceparent).not.toContain(TRACE);
    expect(upstream.requests[0]!.valuesOf('tracestate')).toEqual([]);
  });

  it.for([
    ['8443', 'https', 'https://localhost:8443/here'],
    ['443', 'https', 'https://localhost/here'],
    ['nonsense', 'https', undefined],
    ['', 'http', undefined],
    ['99999', 'http', undefined],
    ['80, 443', 'http', undefined],
  ] as const)(
    'sends the client to where it came from, were it by port "%s"',
    async ([port, scheme, location]) => {
      const lines = [`X-Forwarded-Port: ${port}`, `X-Forwarded-Proto: ${scheme}`];
      const { status, head } = await ask(trusting, get('/moved', ...lines));
      expect(status).toBe(302);
      expect(fieldOf(head, 'location')).toBe(
        location ?? `${scheme}://localhost:${trusting.httpPort}/here`,
      );
    },
  );

  it('takes of X-Forwarded-For the nearest address that nobody vouches for', async () => {
    const expected: (readonly [id: string, ip: string])[] = [];
    for (const [chain, status, ip] of [
      ['10.0.0.1', 200, '10.0.0.1'],
      // What stands beyond the nearest hop that nobody vouches for, anybody may have written.
      ['10.0.0.1, 203.0.113.7', 403, '203.0.113.7'],
      ['10.0.0.1, 203.0.113.7, 10.9.0.1', 403, '203.0.113.7'],
      ['203.0.113.7, 10.0.0.1, 10.9.0.1', 200, '10.0.0.1'],
      ['10.0.0.1, unknown', 403, '127.0.0.1'],
      ['10.0.0.1, ', 403, '127.0.0.1'],
      ['10.0.0.1:4711', 200, '10.0.0.1'],
      ['::ffff:10.0.0.1', 200, '10.0.0.1'],
      ['[2001:db8::1]:4711', 403, '2001:db8::1'],
    ] as const) {
      const id = `chain-${expected.length}`;
      expected.push([id, ip]);
      const lines = [`X-Forwarded-For: ${chain}`, `X-Request-Id: ${id}`];
      expect((await ask(trusting, get('/inside', ...lines))).status).toBe(status);
    }
    for (const [id, ip] of expected) {
      const line = await trusting.waitForLog(({ request_id: logged }) => logged === id);
      expect(line['client_ip']).toBe(ip);
    }
  });
});

function names(): readonly string[] {
  return upstream.requests[0]!.fields.filter((_, at) => at % 2 === 0).map((name) =>
    name.toLowerCase(),
  );
}

function forwarded(): Record<string, readonly string[]> {
  const [request] = upstream.requests;
  return Object.fromEntries(
    ['for', 'proto', 'host', 'port'].map((part) => [
      `x-forwarded-${part}`,
      request!.valuesOf(`x-forwarded-${part}`),
    ]),
  );
}
