/** What a gRPC client is told where the gateway itself, and no server, ends its call. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { createServer } from 'node:net';
import { Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startEchoServer, type EchoServer } from '../../mesh/transport/grpc-echo-server.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { EchoClient, failure } from './grpc-client.ts';
import { listen, startHttp2Origin, type TestOrigin } from './origins.ts';

const KEY = 'a-key-of-thirty-two-characters-ab';

let echo: EchoServer;
let resetting: TestOrigin;
let gateway: TestGateway;

beforeAll(async () => {
  echo = await startEchoServer();
  resetting = await startHttp2Origin((stream) => stream.session!.destroy());
  gateway = await startGateway({
    services: {
      echo: { protocol: 'h2c', endpoints: [{ address: echo.address }] },
      slow: {
        protocol: 'h2c',
        endpoints: [{ address: echo.address }],
        timeouts: { response: '1s' },
      },
      down: {
        protocol: 'h2c',
        endpoints: [{ address: await closedAddress() }],
        retry: { attempts: 0 },
      },
      resetting: {
        protocol: 'h2c',
        endpoints: [{ address: resetting.address }],
        retry: { attempts: 0 },
      },
      empty: { protocol: 'h2c', endpoints: [] },
    },
    routes: [
      toRoute('down', 'down'),
      toRoute('slow', 'slow'),
      toRoute('resetting', 'resetting'),
      toRoute('empty', 'empty'),
      toRoute('keyed', 'echo', [{ 'api-key': {} }]),
      toRoute('walled', 'echo', [{ 'ip-filter': { deny: ['127.0.0.0/8'] } }]),
      toRoute('limited', 'echo', [{ 'rate-limit': { limit: 1, window: '1h', by: 'route' } }]),
      toRoute('small', 'echo', [{ 'body-limit': { max: '1KiB' } }]),
      toRoute('open', 'echo'),
    ],
    consumers: [
      {
        name: 'acme',
        apiKeys: [{ hash: `sha256:${createHash('sha256').update(KEY).digest('hex')}` }],
      },
    ],
  });
});

afterAll(async () => {
  await gateway?.stop();
  echo?.stop();
  await resetting?.close();
});

function toRoute(name: string, service: string, plugins: object[] = []): object {
  return {
    name,
    match: { path: `/${name}/*` },
    to: service,
    rewrite: { stripPrefix: `/${name}` },
    plugins,
  };
}

/** Where nobody listens any more. */
async function closedAddress(): Promise<string> {
  const origin = await listen(createServer());
  await origin.close();
  return origin.address;
}

function connect(route: string): EchoClient {
  const client = new EchoClient(
    `localhost:${gateway.httpsPort}`,
    true,
    route === '' ? '' : `/${route}`,
  );
  onTestFinished(() => client.close());
  return client;
}

describe('a gRPC call that the gateway ends', () => {
  it.for([
    ['no route takes it', 'nowhere', status.UNIMPLEMENTED, /route/],
    ['the upstream is down', 'down', status.UNAVAILABLE, /No connection/],
    ['the upstream hangs up', 'resetting', status.UNAVAILABLE, /closed the connection/],
    ['there is no endpoint', 'empty', status.UNAVAILABLE, /endpoint/],
    ['a plugin wants a credential', 'keyed', status.UNAUTHENTICATED, /API key/],
    ['a plugin forbids it', 'walled', status.PERMISSION_DENIED, /./],
  ] as const)('because %s has the code that says so', async ([, route, code, details]) => {
    const error = await failure(connect(route).unary(Buffer.from('x')));
    expect(error.code).toBe(code);
    expect(error.details).toMatch(details);
    expect(error.metadata.get('x-request-id')).toHaveLength(1);
  });

  it('because the upstream is slow has DEADLINE_EXCEEDED, and is cancelled there', async () => {
    const hanging = echo.nextHanging();
    const result = failure(connect('slow').unary(Buffer.from('x'), undefined, {}, 'hang'));
    const call = await hanging;
    await once(call, 'cancelled');
    expect((await result).code).toBe(status.DEADLINE_EXCEEDED);
  });

  it('because it comes too often has RESOURCE_EXHAUSTED and the fields of the limit', async () => {
    const client = connect('limited');
    await client.unary(Buffer.from('x'));
    const error = await failure(client.unary(Buffer.from('x')));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(Number(error.metadata.get('retry-after')[0])).toBeGreaterThan(0);
    expect(error.metadata.get('ratelimit')).toHaveLength(1);
  });

  it('because its message is too large has RESOURCE_EXHAUSTED', async () => {
    const error = await failure(connect('small').unary(Buffer.alloc(4096)));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it('does not end those beside it on the connection', async () => {
    const client = connect('small');
    const other = client.chat();
    other.write(Buffer.from('a'));
    await once(other, 'data');
    await failure(client.unary(Buffer.alloc(4096)));
    other.write(Buffer.from('b'));
    expect(String((await once(other, 'data'))[0])).toBe('B');
    other.end();
    await once(other, 'end');
  });

  it('is a head alone with END_STREAM, as the protocol wants it', async () => {
    const session = connectHttp2(`http://127.0.0.1:${gateway.httpPort}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({
      ':method': 'POST',
      ':path': '/nowhere/test.Echo/Unary',
      'content-type': 'application/grpc+proto',
      te: 'trailers',
    });
    const [headers, flags] = (await once(stream, 'response')) as [Record<string, string>, number];
    expect(headers).toMatchObject({
      ':status': 200,
      'grpc-status': '12',
      'content-type': 'application/grpc',
    });
    expect(flags & 1).toBe(1);
    stream.resume();
    stream.close();
  });
});

describe('a gRPC call that a plugin lets through', () => {
  it('reaches its server', async () => {
    const metadata = new Metadata();
    metadata.set('x-api-key', KEY);
    const { message } = await connect('keyed').unary(Buffer.from('hi'), metadata);
    expect(message.toString()).toBe('hi');
  });
});
