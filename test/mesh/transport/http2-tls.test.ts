import { createSecureServer } from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { createHttp2Upstream } from '../../../src/mesh/transport/http2-upstream.ts';
import { describeUpstream } from '../../contracts/upstream.ts';
import { LIMITS } from '../../contracts/upstream-origin.ts';
import { listen } from './http1-origins.ts';
import { createAuthority } from './http1-test-certificates.ts';
import type { Authority, CertificatePem } from './http1-test-certificates.ts';
import { createHttp2Origin, createStreamOrigin } from './http2-origins.ts';
import { sendTo, upstreamFixtures } from './http2-test-upstream.ts';

let authority: Authority;
let leaf: CertificatePem;

beforeAll(async () => {
  authority = await createAuthority();
  leaf = await authority.issue({ dns: ['orders.test', '*.mesh.test'], ip: ['127.0.0.1'] });
});

describeUpstream('h2', {
  createOrigin: (handler) => createHttp2Origin(handler, { tls: leaf }),
  createUpstream: (target, limits) =>
    createHttp2Upstream(
      { ...target, tls: { ca: authority.cert, verify: true } },
      { ...LIMITS, ...limits },
    ),
});

describe('an h2 upstream', () => {
  const upstreamTo = upstreamFixtures();

  it('asks for the configured name by SNI, and for https', async () => {
    const origin = await createStreamOrigin(
      (stream, headers) => {
        const { servername } = stream.session!.socket as TLSSocket;
        stream.respond({ ':status': 200, 'x-name': `${servername} ${headers[':scheme']}` });
        stream.end();
      },
      { tls: leaf },
    );
    const tls = { ca: authority.cert, serverName: 'a.mesh.test' };
    const sink = await sendTo(upstreamTo(origin, {}, { tls })).ended();
    expect(sink.values('x-name')).toEqual(['a.mesh.test https']);
  });

  it.each([
    ['knows no ALPN', undefined],
    ['offers HTTP/1.1 alone', ['http/1.1']],
  ])('fails with tls, saying so, where the upstream %s', async (_, alpnProtocols) => {
    const server = createTlsServer({
      ...leaf,
      ...(alpnProtocols !== undefined && { ALPNProtocols: alpnProtocols }),
    });
    server.on('secureConnection', (socket) => socket.on('error', () => {}));
    server.on('tlsClientError', () => {});
    const upstream = upstreamTo(await listen(server, 'h2'), {}, { tls: { ca: authority.cert } });
    const error = await sendTo(upstream).failed();
    expect(error).toMatchObject({ failure: 'tls', sent: false });
    expect(error.message).toContain('did not negotiate HTTP/2');
    expect(upstream.connections).toBe(0);
  });

  it.each([
    ['an unknown authority', {}],
    ['a name that the certificate lacks', { serverName: 'other.test' }],
  ])('fails with tls, sending nothing, on %s', async (what, tls) => {
    const origin = await createHttp2Origin(({ response }) => response.end(), { tls: leaf });
    const ca = what.includes('name') ? { ca: authority.cert } : {};
    const error = await sendTo(upstreamTo(origin, {}, { tls: { ...ca, ...tls } })).failed();
    expect(error).toMatchObject({ failure: 'tls', sent: false });
  });

  it('verifies nothing where it is told not to', async () => {
    const origin = await createHttp2Origin(({ response }) => response.end(), { tls: leaf });
    const sink = await sendTo(upstreamTo(origin, {}, { tls: { verify: false } })).ended();
    expect(sink.status).toBe(200);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'fails with tls where its certificate is missing (%s)',
    async (version) => {
      const server = createSecureServer({
        ...leaf,
        requestCert: true,
        rejectUnauthorized: true,
        ca: authority.cert,
        maxVersion: version,
      });
      server.on('sessionError', () => {});
      const upstream = upstreamTo(await listen(server, 'h2'), {}, { tls: { ca: authority.cert } });
      expect(await sendTo(upstream).failed()).toMatchObject({ failure: 'tls', sent: false });
    },
  );

  it('fails with connect-timeout where the handshake does not end', async () => {
    const server = createTcpServer((socket) => socket.on('error', () => {}).resume());
    const upstream = upstreamTo(await listen(server, 'h2'), { connectTimeoutMs: 100 });
    const facts = { failure: 'connect-timeout', sent: false };
    expect(await sendTo(upstream).failed()).toMatchObject(facts);
  });

  it('hears that a quiet peer lives', async () => {
    const origin = await createStreamOrigin(
      (stream) => {
        let pings = 0;
        stream.session!.on('ping', () => {
          if (++pings < 3) return;
          stream.respond({ ':status': 200 });
          stream.end();
        });
      },
      { tls: leaf },
    );
    const upstream = upstreamTo(
      origin,
      {},
      {
        tls: { ca: authority.cert },
        liveness: { pingAfterMs: 40, pingTimeoutMs: 10_000 },
      },
    );
    const sink = await sendTo(upstream).ended();
    expect(sink.status).toBe(200);
  });
});
