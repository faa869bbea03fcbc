/** TLS towards a service: whom the gateway believes, and as whom it speaks. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createAuthority,
  type CertificatePem,
} from '../../mesh/transport/http1-test-certificates.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { startHttp1Origin, startHttp2Origin, type TestOrigin } from './origins.ts';

let directory: string;
let gateway: TestGateway;
const origins: TestOrigin[] = [];

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshgate-tls-'));
  const [own, other] = await Promise.all([createAuthority(), createAuthority()]);
  const [byAddress, byName, expired, client, stranger] = await Promise.all([
    own.issue({ ip: ['127.0.0.1'] }),
    own.issue({ dns: ['orders.test'] }),
    own.issue({ ip: ['127.0.0.1'] }, { expired: true }),
    own.issue({ dns: ['gateway.test'] }),
    other.issue({ dns: ['gateway.test'] }),
  ]);
  const ca = await file('ca.pem', own.cert);
  const otherCa = await file('other-ca.pem', other.cert);
  const [cert, key] = [await file('cert.pem', client.cert), await file('key.pem', client.key)];
  const strangerCert = await file('stranger-cert.pem', stranger.cert);
  const strangerKey = await file('stranger-key.pem', stranger.key);

  const https = async (server: CertificatePem, options = {}): Promise<object> => {
    const origin = await startHttp1Origin(
      (request, response) => {
        const { servername } = request.socket as TLSSocket & { servername?: string };
        const { subject } = (request.socket as TLSSocket).getPeerCertificate();
        response.end(JSON.stringify({ name: servername, client: subject?.CN }));
      },
      { ...server, ...options },
    );
    origins.push(origin);
    return { protocol: 'https', endpoints: [{ address: origin.address }], retry: { attempts: 0 } };
  };
  const h2 = async (server: CertificatePem, tls = {}): Promise<object> => {
    const origin = await startHttp2Origin(
      (stream) => {
        const socket = stream.session!.socket as TLSSocket;
        stream.respond({ ':status': 200 });
        stream.end(JSON.stringify({ client: socket.getPeerCertificate().subject?.CN }));
      },
      { tls: { ...server, ...tls } },
    );
    origins.push(origin);
    return { protocol: 'h2', endpoints: [{ address: origin.address }], retry: { attempts: 0 } };
  };
  const wantsClient = { requestCert: true, rejectUnauthorized: true, ca: own.cert };
  // Before TLS 1.3 the client hears of a refusal within the handshake, whatever else is under way.
  const judgesAtOnce = { ...wantsClient, maxVersion: 'TLSv1.2' };
  const plain = await startHttp1Origin((_request, response) => response.end('clear'));
  origins.push(plain);

  const services: Record<string, object> = {
    trusted: { ...(await https(byAddress)), tls: { ca } },
    'trusted-h2': { ...(await h2(byAddress)), tls: { ca } },
    named: { ...(await https(byName)), tls: { ca, serverName: 'orders.test' } },
    misnamed: { ...(await https(byName)), tls: { ca } },
    'misnamed-h2': { ...(await h2(byName)), tls: { ca } },
    'unknown-ca': { ...(await https(byAddress)), tls: { ca: otherCa } },
    'public-roots': await https(byAddress),
    expired: { ...(await https(expired)), tls: { ca } },
    unverified: { ...(await https(expired)), tls: { verify: false } },
    'unverified-h2': { ...(await h2(expired)), tls: { verify: false } },
    mutual: { ...(await https(byAddress, wantsClient)), tls: { ca, cert, key } },
    'mutual-h2': { ...(await h2(byAddress, wantsClient)), tls: { ca, cert, key } },
    anonymous: { ...(await https(byAddress, judgesAtOnce)), tls: { ca } },
    'anonymous-1.3': { ...(await https(byAddress, wantsClient)), tls: { ca } },
    stranger: {
      ...(await https(byAddress, judgesAtOnce)),
      tls: { ca, cert: strangerCert, key: strangerKey },
    },
    'no-tls': {
      protocol: 'https',
      endpoints: [{ address: plain.address }],
      retry: { attempts: 0 },
      tls: { ca },
    },
    'no-h2': { ...(await https(byAddress)), protocol: 'h2', tls: { ca } },
  };
  gateway = await startGateway({
    services,
    routes: Object.keys(services).map((name) => ({ name, match: { path: `/${name}` }, to: name })),
  });
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all(origins.map((origin) => origin.close()));
  await rm(directory, { recursive: true, force: true });
});

interface Fetched {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: { readonly code?: string; readonly detail?: string };
}

async function fetchFrom(service: string): Promise<Fetched> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`http://127.0.0.1:${gateway.httpPort}/${service}`, resolve).on('error', reject);
  });
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return {
    status: response.statusCode!,
    headers: response.headers,
    body: JSON.parse(text) as Fetched['body'],
  };
}

describe('a service with TLS', () => {
  it.for(['trusted', 'trusted-h2', 'named', 'unverified', 'unverified-h2', 'mutual', 'mutual-h2'])(
    'that is %s is asked',
    async (service) => {
      expect((await fetchFrom(service)).status).toBe(200);
    },
  );

  it('is asked for the name that the configuration tells', async () => {
    expect((await fetchFrom('named')).body).toMatchObject({ name: 'orders.test' });
  });

  it.for(['mutual', 'mutual-h2'])('(%s) is shown the client certificate', async (service) => {
    expect((await fetchFrom(service)).body).toMatchObject({ client: 'Test leaf' });
  });

  // At a time, for the log is written in batches.
  it.concurrent.for([
    ['misnamed', /localhost|127\.0\.0\.1|altname/i],
    ['misnamed-h2', /localhost|127\.0\.0\.1|altname/i],
    ['unknown-ca', /certificate|issuer/i],
    ['public-roots', /certificate|issuer/i],
    ['expired', /expired/i],
    ['anonymous', /handshake|alert/i],
    ['stranger', /handshake|alert/i],
    ['no-tls', /./],
    ['no-h2', /./],
  ] as const)('that is %s is not, and the log says why', async ([service, why]) => {
    const { status, headers, body } = await fetchFrom(service);
    expect(status).toBe(503);
    expect(body).toMatchObject({ code: 'upstream_connect_failed', source: 'gateway' });
    expect(headers['proxy-status']).toMatch(/^meshgate; error=tls_(?:protocol|certificate|alert)/);
    // What is wrong with the certificate is nothing that a caller should learn.
    expect(body.detail).toBe('No secure connection to the service could be made.');
    const line = await gateway.waitForLog(({ path }) => path === `/${service}`);
    expect(line['reason']).toMatch(why);
  });

  it('that refuses us after the handshake, as TLS 1.3 has it, has not answered', async () => {
    const { status, body } = await fetchFrom('anonymous-1.3');
    expect(status).toBe(503);
    // Its alert may be overtaken by the reset of the connection.
    expect(['upstream_connect_failed', 'upstream_reset']).toContain(body.code);
  });
});
