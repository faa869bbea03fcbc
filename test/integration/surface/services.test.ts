/** `services.<name>`: endpoints, discovery, protocols and TLS towards the service. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../../mesh/transport/http1-test-certificates.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, codeOf } from './client.ts';
import { startOrigin, type Origin, type OriginOptions } from './origin.ts';

let gateway: TestGateway;
let folder: string;
const origins = new Map<string, Origin>();

async function origin(name: string, options: OriginOptions = {}): Promise<string> {
  const started = await startOrigin(name, options);
  origins.set(name, started);
  return started.address;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshgate-services-'));
  const authority = await createAuthority();
  const leaf = await authority.issue({ dns: ['orders.internal'] });
  const client = await authority.issue({ dns: ['gateway.internal'] });
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const ca = await file('ca.pem', authority.cert);
  const cert = await file('client.pem', client.cert);
  const key = await file('client.key', client.key);
  const secret = await file('address', await origin('from-file'));

  const http1 = await origin('http1');
  const services: Record<string, object> = {
    http1: { endpoints: [{ address: http1 }] },
    h2c: { endpoints: [{ address: await origin('h2c', { protocol: 'h2c' }) }], protocol: 'h2c' },
    https: {
      endpoints: [{ address: await origin('https', { protocol: 'https', tls: leaf }) }],
      protocol: 'https',
      tls: { ca, serverName: 'orders.internal' },
    },
    h2: {
      endpoints: [{ address: await origin('h2', { protocol: 'h2', tls: leaf }) }],
      protocol: 'h2',
      tls: { ca, serverName: 'orders.internal' },
    },
    mutual: {
      endpoints: [
        {
          address: await origin('mutual', {
            protocol: 'https',
            tls: { ...leaf, ca: authority.cert },
          }),
        },
      ],
      protocol: 'https',
      tls: { ca, serverName: 'orders.internal', cert, key },
    },
    unverified: {
      endpoints: [{ address: await origin('unverified', { protocol: 'https', tls: leaf }) }],
      protocol: 'https',
      tls: { verify: false },
    },
    'unknown-authority': {
      endpoints: [{ address: await origin('never', { protocol: 'https', tls: leaf }) }],
      protocol: 'https',
      tls: { serverName: 'orders.internal' },
    },
    'other-name': {
      endpoints: [{ address: await origin('never', { protocol: 'https', tls: leaf }) }],
      protocol: 'https',
      tls: { ca, serverName: 'payments.internal' },
    },
    dns: { discover: { dns: { name: 'localhost', type: 'A', port: Number(http1.split(':')[1]) } } },
    empty: { endpoints: [] },
    env: { endpoints: [{ address: '${ORDERS_HOST}:${ORDERS_PORT:-1}' }] },
    default: { endpoints: [{ address: `\${NOT_SET:-${http1}}` }] },
    file: { endpoints: [{ address: `\${file:${secret}}` }] },
  };
  gateway = await startGateway(
    {
      services,
      routes: Object.keys(services).map((name) => ({
        name,
        match: [{ path: `/${name}` }],
        to: name,
      })),
    },
    { ORDERS_HOST: '127.0.0.1', ORDERS_PORT: http1.split(':')[1]! },
  );
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([...origins.values()].map((one) => one.stop()));
  await rm(folder, { recursive: true });
});

describe('protocol', () => {
  it.each(['http1', 'h2c', 'https', 'h2'])(
    '%s carries method, path, fields and body',
    async (name) => {
      const reply = await ask(gateway.httpPort, `/${name}?x=1`, {
        method: 'POST',
        host: 'api.example.com',
        headers: { 'X-Env': 'canary' },
        body: 'the body',
      });
      expect(reply).toMatchObject({ status: 200, body: name });
      const [asked] = origins.get(name)!.asked;
      expect(asked).toMatchObject({ method: 'POST', target: `/${name}?x=1`, body: 'the body' });
      expect(asked!.headers['x-env']).toBe('canary');
      expect(asked!.headers.host ?? asked!.headers[':authority']).toBe('api.example.com');
    },
  );
});

describe('tls', () => {
  it('shows a client certificate where one is given', async () => {
    expect(await ask(gateway.httpPort, '/mutual')).toMatchObject({ status: 200, body: 'mutual' });
  });

  it('takes any certificate with verify: false alone', async () => {
    expect(await ask(gateway.httpPort, '/unverified')).toMatchObject({ status: 200 });
  });

  it.each(['unknown-authority', 'other-name'])(
    'refuses a certificate of an %s, before it sends a byte',
    async (name) => {
      const reply = await ask(gateway.httpPort, `/${name}`, { method: 'POST', body: 'secret' });
      expect(reply.status).toBe(503);
      expect(codeOf(reply)).toBe('upstream_connect_failed');
      expect(reply.headers['proxy-status']).toBe('meshgate; error=tls_certificate_error');
      expect(origins.get('never')!.asked).toEqual([]);
    },
  );
});

describe('endpoints', () => {
  it('answers 503 no_healthy_endpoint where there are none', async () => {
    const reply = await ask(gateway.httpPort, '/empty');
    expect(reply.status).toBe(503);
    expect(codeOf(reply)).toBe('no_healthy_endpoint');
  });

  it('discover.dns finds them by name', async () => {
    expect(await ask(gateway.httpPort, '/dns')).toMatchObject({ status: 200, body: 'http1' });
  });

  it.each([
    ['an environment variable', 'env', 'http1'],
    ['a default in place of one', 'default', 'http1'],
    ['a file', 'file', 'from-file'],
  ])('may come from %s', async (_source, service, body) => {
    expect(await ask(gateway.httpPort, `/${service}`)).toMatchObject({ status: 200, body });
  });

  it('are counted by state', async () => {
    const metrics = await gateway.metrics();
    expect(metrics).toContain('meshgate_endpoints{service="http1",state="healthy"} 1');
    expect(metrics).toContain('meshgate_endpoints{service="empty",state="healthy"} 0');
  });
});
