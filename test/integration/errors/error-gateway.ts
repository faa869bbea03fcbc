/** A gateway with a route for everything that can go wrong. */
import { hash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { exportJWK, generateKeyPair } from 'jose';
import { createAuthority } from '../../mesh/transport/http1-test-certificates.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../bad-input/recording-upstream.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { SECRET } from './bad-plugins.ts';
import { listen, type TestOrigin } from '../protocols/origins.ts';

/** Credentials, which no answer and no log may ever have in it. */
export const KEY = 'a-key-of-thirty-two-characters-ab';
export const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtYWxsb3J5In0.c2lnbmF0dXJl';

export interface ErrorGateway {
  readonly gateway: TestGateway;
  readonly healthy: RecordingUpstream;
  stop(): Promise<void>;
}

export async function startErrorGateway(): Promise<ErrorGateway> {
  const healthy = await startRecordingUpstream();
  const closed = await listen(createServer());
  await closed.close();
  const { publicKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'one' };
  const leaf = await (await createAuthority()).issue({ ip: ['127.0.0.1'] });
  const origins = {
    resetting: await upstream((socket) => socket.resetAndDestroy()),
    ending: await upstream((socket) => socket.end()),
    garbled: await upstream((socket) => socket.write(`SSH-2.0-${SECRET}\r\n`)),
    silent: await upstream(() => undefined),
    selfSigned: await listen(createTlsServer(leaf)),
    noTls: await upstream((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    mute: await listen(createServer((socket) => void socket.resume())),
  };
  const once = { retry: { attempts: 0 } };
  const service = (origin: { address: string }, more: object = {}): object => ({
    ...once,
    endpoints: [{ address: origin.address, metadata: { version: 'v1' } }],
    ...more,
  });
  const gateway = await startGateway({
    listeners: [
      {
        name: 'http',
        address: '127.0.0.1:0',
        hosts: ['localhost'],
        limits: { body: '64KiB' },
      },
      { name: 'other', address: '127.0.0.1:0', hosts: ['other.example.com'] },
    ],
    services: {
      healthy: service(healthy),
      refusing: service(closed),
      resetting: service(origins.resetting),
      ending: service(origins.ending),
      garbled: service(origins.garbled),
      silent: service(origins.silent, { timeouts: { response: '100ms' } }),
      patient: service(origins.silent),
      'self-signed': service(origins.selfSigned, { protocol: 'https' }),
      'no-tls': service(origins.noTls, { protocol: 'https' }),
      'mute-tls': service(origins.mute, { protocol: 'https', timeouts: { connect: '100ms' } }),
      empty: { ...once, endpoints: [] },
      narrow: service(healthy, { circuitBreaker: { maxRequests: 1 } }),
      crowded: service(healthy, { circuitBreaker: { maxConnections: 1, maxPending: 1 } }),
    },
    routes: [
      ...['healthy', 'refusing', 'resetting', 'ending', 'garbled', 'silent', 'self-signed'].map(to),
      ...['no-tls', 'mute-tls', 'empty', 'narrow', 'crowded'].map(to),
      { ...to('slow'), to: 'patient', timeout: '100ms' },
      { ...to('slow-try'), to: 'patient', retry: { perTryTimeout: '100ms' } },
      { ...to('subset'), to: { service: 'healthy', where: { version: 'v9' } } },
      { ...to('weightless'), to: [{ service: 'healthy', weight: 0 }] },
      guarded('keyed', { 'api-key': {} }),
      guarded('token', { jwt: { issuer: 'https://id.example.com', jwks: { keys: [key] } } }),
      guarded('walled', { 'ip-filter': { deny: ['127.0.0.0/8'] } }),
      guarded('members', { 'api-key': {} }, { acl: { allow: { groups: ['gold'] } } }),
      guarded('limited', { 'rate-limit': { limit: 1, window: '1h', by: 'route' } }),
      guarded('small', { 'body-limit': { max: '1KiB' } }),
      guarded('throwing', { throwing: {} }),
      guarded('hanging', { hanging: {} }),
      guarded('rejecting-answers', { 'rejecting-answers': {} }),
      guarded('vandal', { vandal: {} }),
      guarded('arsonist', { arsonist: {} }),
      guarded('babbling', { babbling: {} }),
      guarded('failing-upload', { mangling: { what: 'request', how: 'fails' } }),
      guarded('stopping-upload', { mangling: { what: 'request', how: 'stops' } }),
      guarded('failing-download', { mangling: { what: 'response', how: 'fails' } }),
      guarded('stopping-download', { mangling: { what: 'response', how: 'stops' } }),
      ...['null', 'body', 'status', 'promise'].map((by) =>
        guarded(`answers-${by}`, { misanswering: { by } }),
      ),
      answered('torn-now', { tearing: { later: false } }),
      answered('torn-later', { tearing: { later: true } }),
    ],
    consumers: [{ name: 'acme', apiKeys: [{ hash: `sha256:${hash('sha256', KEY, 'hex')}` }] }],
  });
  return {
    gateway,
    healthy,
    async stop() {
      await gateway.stop();
      await Promise.all([
        healthy.close(),
        ...Object.values(origins).map((origin) => origin.close()),
      ]);
    },
  };
}

/** An upstream that does something as soon as it is sent a request. */
function upstream(onRequest: (socket: Socket) => unknown): Promise<TestOrigin> {
  return listen(createServer((socket) => socket.once('data', () => onRequest(socket))));
}

function to(name: string): { name: string; match: object; to: string } {
  return { name, match: { path: `/${name}/*` }, to: name };
}

/** By the gateway itself. */
function answered(name: string, ...plugins: readonly object[]): object {
  return { name, match: { path: `/${name}/*` }, respond: { body: 'fine' }, plugins };
}

function guarded(name: string, ...plugins: readonly object[]): object {
  return { ...to(name), to: 'healthy', plugins };
}
