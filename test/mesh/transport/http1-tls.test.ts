import { createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions, TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttp1Upstream } from '../../../src/mesh/transport/http1-upstream.ts';
import type {
  Upstream,
  UpstreamLimits,
  UpstreamTls,
} from '../../../src/mesh/transport/upstream.ts';
import { describeUpstream } from '../../contracts/upstream.ts';
import { LIMITS } from '../../contracts/upstream-origin.ts';
import type { Origin } from '../../contracts/upstream-origin.ts';
import { createNodeOrigin, listen } from './http1-origins.ts';
import { createAuthority } from './http1-test-certificates.ts';
import type { Authority, CertificatePem } from './http1-test-certificates.ts';
import { fetchOnce, record } from './http1-test-upstream.ts';

let authority: Authority;
let leaf: CertificatePem;

beforeAll(async () => {
  authority = await createAuthority();
  leaf = await authority.issue({ dns: ['orders.test', '*.mesh.test'], ip: ['127.0.0.1'] });
});

describeUpstream('https', {
  createOrigin: (handler) => createNodeOrigin(handler, leaf),
  createUpstream: (target, limits) =>
    createHttp1Upstream(
      { ...target, tls: { ca: authority.cert, verify: true } },
      { ...LIMITS, ...limits },
    ),
});

describe('an https upstream', () => {
  const opened: { origin: Origin; upstream: Upstream }[] = [];

  afterEach(async () => {
    for (const { origin, upstream } of opened.splice(0)) {
      upstream.destroy();
      await origin.close();
    }
  });

  async function open(
    pending: Promise<Origin>,
    tls: Partial<UpstreamTls>,
    limits: Partial<UpstreamLimits> = {},
  ): Promise<Upstream> {
    const origin = await pending;
    const target = { ...origin.target, tls: { verify: true, ...tls } };
    const upstream = createHttp1Upstream(target, { ...LIMITS, ...limits });
    opened.push({ origin, upstream });
    return upstream;
  }

  /** Answers each request with what was agreed in the handshake. */
  function describingOrigin(options: TlsOptions): Promise<Origin> {
    const server = createTlsServer(options, (socket: TLSSocket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        const body = JSON.stringify({
          servername: socket.servername,
          alpn: socket.alpnProtocol,
          resumed: socket.isSessionReused(),
          client: socket.authorized,
        });
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      });
    });
    server.on('tlsClientError', () => {});
    return listen(server, 'https');
  }

  it('asks for the configured name by SNI and for http/1.1 by ALPN', async () => {
    const origin = describingOrigin({ ...leaf, ALPNProtocols: ['h2', 'http/1.1'] });
    const upstream = await open(origin, { ca: authority.cert, serverName: 'a.mesh.test' });
    expect(JSON.parse((await fetchOnce(upstream)).text)).toMatchObject({
      servername: 'a.mesh.test',
      alpn: 'http/1.1',
    });
  });

  it('sends no SNI for an address, and verifies the address', async () => {
    const upstream = await open(describingOrigin(leaf), { ca: authority.cert });
    expect(JSON.parse((await fetchOnce(upstream)).text)).toMatchObject({ servername: false });
  });

  it('presents its own certificate where the upstream asks for one', async () => {
    const client = await authority.issue({ dns: ['gateway.test'] });
    const origin = describingOrigin({ ...leaf, requestCert: true, ca: authority.cert });
    const upstream = await open(origin, { ca: authority.cert, ...client });
    expect(JSON.parse((await fetchOnce(upstream)).text)).toMatchObject({ client: true });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'fails with tls where its certificate is missing (%s)',
    async (version) => {
      const origin = describingOrigin({
        ...leaf,
        requestCert: true,
        rejectUnauthorized: true,
        ca: authority.cert,
        maxVersion: version,
      });
      const upstream = await open(origin, { ca: authority.cert });
      expect(await record(upstream).failed()).toMatchObject({ failure: 'tls', answered: false });
    },
  );

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'resumes its session on a new connection (%s)',
    async (version) => {
      const upstream = await open(
        describingOrigin({ ...leaf, maxVersion: version }),
        { ca: authority.cert },
        // Each connection is too old to be used again.
        { keepAliveMs: 0 },
      );
      const resumed: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        resumed.push(JSON.parse((await fetchOnce(upstream)).text).resumed);
      }
      expect(resumed).toEqual([false, true, true]);
    },
  );

  const REFUSALS: readonly [
    string,
    () => Promise<Partial<UpstreamTls>>,
    () => Promise<TlsOptions>,
  ][] = [
    ['an unknown authority', async () => ({}), async () => leaf],
    [
      'a name that the certificate lacks',
      async () => ({ ca: authority.cert, serverName: 'other.test' }),
      async () => leaf,
    ],
    [
      'an address that the certificate lacks',
      async () => ({ ca: authority.cert }),
      () => authority.issue({ dns: ['orders.test'] }),
    ],
    [
      'an expired certificate',
      async () => ({ ca: authority.cert }),
      () => authority.issue({ ip: ['127.0.0.1'] }, { expired: true }),
    ],
    [
      'TLS 1.1',
      async () => ({ ca: authority.cert }),
      async () => ({
        ...leaf,
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT:@SECLEVEL=0',
      }),
    ],
  ];

  it.each(REFUSALS)('fails with tls, sending nothing, on %s', async (_, tls, options) => {
    const upstream = await open(describingOrigin(await options()), await tls());
    expect(await record(upstream).failed()).toMatchObject({ failure: 'tls', sent: false });
    expect(upstream.connections).toBe(0);
  });

  it('verifies nothing where it is told not to', async () => {
    const upstream = await open(describingOrigin(leaf), {
      verify: false,
      serverName: 'other.test',
    });
    expect((await fetchOnce(upstream)).status).toBe(200);
  });

  it('fails with tls where the upstream speaks no TLS', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const upstream = await open(listen(server, 'https'), { ca: authority.cert });
    expect(await record(upstream).failed()).toMatchObject({ failure: 'tls', sent: false });
  });

  it('fails with tls where the upstream hangs up amid the handshake', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end());
    });
    const upstream = await open(listen(server, 'https'), { ca: authority.cert });
    expect(await record(upstream).failed()).toMatchObject({ failure: 'tls', sent: false });
  });

  it('fails with connect-timeout where the handshake does not end', async () => {
    const server = createTcpServer((socket) => socket.on('error', () => {}).resume());
    const upstream = await open(
      listen(server, 'https'),
      { ca: authority.cert },
      { connectTimeoutMs: 150 },
    );
    const facts = { failure: 'connect-timeout', sent: false };
    expect(await record(upstream).failed()).toMatchObject(facts);
  });

  it('fails each try with tls where its certificate cannot be read', async () => {
    const upstream = await open(describingOrigin(leaf), { cert: 'no PEM', key: 'no PEM' });
    const errors = [await record(upstream).failed(), await record(upstream).failed()];
    expect(errors.map(({ failure, sent }) => [failure, sent])).toEqual([
      ['tls', false],
      ['tls', false],
    ]);
  });
});
