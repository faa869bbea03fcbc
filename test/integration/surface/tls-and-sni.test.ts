/** `listeners[].tls`: certificates by SNI, client certificates, versions, and replaced files. */
import { once } from 'node:events';
import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createAuthority,
  type Authority,
  type CertificatePem,
} from '../../mesh/transport/http1-test-certificates.ts';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';
import { createRecordedLog } from './recorded-log.ts';

let gateway: TestGateway;
let authority: Authority;
let client: CertificatePem;
let stranger: CertificatePem;
let folder: string;
const log = createRecordedLog();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshgate-certs-'));
  authority = await createAuthority();
  client = await authority.issue({ dns: ['client.example'] });
  stranger = await (await createAuthority()).issue({ dns: ['client.example'] });
  await writeFile(join(folder, 'ca.pem'), authority.cert);
  const certificate = async (name: string, dns: string[]): Promise<object> => {
    await write(name, await authority.issue({ dns }));
    return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  };
  const api = await certificate('api', ['api.example.com']);
  const wild = await certificate('wild', ['*.example.org']);
  const replaced = await certificate('replaced', ['before.example']);
  const listener = (name: string, tls: object): object => ({
    name,
    address: '127.0.0.1:0',
    protocol: 'https',
    tls,
  });
  const clientCa = join(folder, 'ca.pem');
  const config = {
    listeners: [
      listener('sni', { certificates: [api, wild], selfSigned: ['localhost', '127.0.0.1'] }),
      listener('own', { selfSigned: ['dev.local'] }),
      listener('require', { certificates: [api], clientCa }),
      listener('request', { certificates: [api], clientCa, clientAuth: 'request' }),
      listener('modern', { certificates: [api], minVersion: 1.3 }),
      listener('replaced', { certificates: [replaced] }),
    ],
    routes: [{ name: 'hello', respond: { body: 'hi' } }],
  };
  gateway = await startGateway(config, {}, log);
});
afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true });
});

async function write(name: string, { cert, key }: CertificatePem): Promise<void> {
  // Renamed into place, the key last: nobody reads half a file.
  for (const [suffix, pem] of [
    ['pem', cert],
    ['key', key],
  ] as const) {
    await writeFile(join(folder, `${name}.${suffix}.new`), pem);
    await rename(join(folder, `${name}.${suffix}.new`), join(folder, `${name}.${suffix}`));
  }
}

/** The names of the certificate shown, and how the handshake went. */
async function handshake(
  listener: string,
  options: ConnectionOptions = {},
): Promise<{ names: string; protocol: string; authorized: boolean }> {
  const socket = connect({
    port: gateway.portOf(listener),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ca: authority.cert,
    ...options,
  });
  try {
    await once(socket, 'secureConnect');
    return {
      names: socket.getPeerCertificate().subjectaltname ?? '',
      protocol: socket.getProtocol() ?? '',
      authorized: socket.authorized,
    };
  } finally {
    socket.destroy();
  }
}

describe('certificates', () => {
  it.each([
    ['api.example.com', 'DNS:api.example.com'],
    ['API.Example.COM', 'DNS:api.example.com'],
    ['a.example.org', 'DNS:*.example.org'],
    ['A.EXAMPLE.ORG', 'DNS:*.example.org'],
    ['localhost', 'DNS:localhost, IP Address:127.0.0.1'],
    ['LocalHost', 'DNS:localhost, IP Address:127.0.0.1'],
  ])('are chosen by SNI: %s gets %s', async (servername, names) => {
    expect((await handshake('sni', { servername })).names).toContain(names);
  });

  it.each(['a.b.example.org', 'example.org', 'nobody.test', undefined])(
    'of which none fits, the first is shown: %s',
    async (servername) => {
      const { names } = await handshake('sni', servername === undefined ? {} : { servername });
      expect(names).toBe('DNS:api.example.com');
    },
  );

  it('are shown with what verifies them', async () => {
    expect(await handshake('sni', { servername: 'api.example.com' })).toMatchObject({
      authorized: true,
    });
  });

  it('are made for development where a listener has none', async () => {
    expect((await handshake('own', { servername: 'dev.local' })).names).toContain('DNS:dev.local');
    // Kept between starts, in the data directory beside the configuration, for its owner alone.
    const dataDir = join(gateway.directory, '.meshgate');
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'dev-cert'))).mode & 0o777).toBe(0o600);
  });

  it('tell how long they last', async () => {
    const found = /meshgate_certificate_expiry_seconds\{name="api.example.com"\} (\S+)/.exec(
      await gateway.metrics(),
    );
    expect(Number(found?.[1])).toBeGreaterThan(23 * 3600);
    expect(Number(found?.[1])).toBeLessThanOrEqual(24 * 3600);
  });

  it('are replaced when their files are, with no connection refused', async () => {
    const { names } = await handshake('replaced');
    expect(names).toBe('DNS:before.example');
    await write('replaced', await authority.issue({ dns: ['after.example'] }));
    await until(async () =>
      (await handshake('replaced')).names === 'DNS:after.example' ? true : undefined,
    );
  });

  it('stay as they are where a new file is none', async () => {
    await writeFile(join(folder, 'wild.pem'), 'this is no certificate');
    expect((await log.entry(/certificates cannot be used/)).level).toBe('error');
    const { names } = await handshake('sni', { servername: 'a.example.org' });
    expect(names).toBe('DNS:*.example.org');
  });
});

describe('clientCa', () => {
  const tls = (pair: CertificatePem | undefined): ConnectionOptions =>
    pair === undefined ? {} : { cert: pair.cert, key: pair.key };

  it('requires a certificate of that authority', async () => {
    const port = gateway.portOf('require');
    expect((await ask(port, '/', { tls: tls(client) })).status).toBe(200);
    await expect(ask(port, '/', { tls: tls(undefined) })).rejects.toThrow(
      /alert|ECONNRESET|hang up/i,
    );
    await expect(ask(port, '/', { tls: tls(stranger) })).rejects.toThrow(
      /alert|ECONNRESET|hang up/i,
    );
  });

  it('with clientAuth: request lets in whoever has none', async () => {
    const port = gateway.portOf('request');
    expect((await ask(port, '/', { tls: tls(client) })).status).toBe(200);
    expect((await ask(port, '/', { tls: tls(undefined) })).status).toBe(200);
  });
});

describe('versions and ciphers', () => {
  const upTo = (version: 'TLSv1.1' | 'TLSv1.2', ciphers?: string): ConnectionOptions => ({
    minVersion: version,
    maxVersion: version,
    ...(ciphers !== undefined && { ciphers }),
  });

  it('are TLS 1.2 and 1.3 unless minVersion says 1.3', async () => {
    expect((await handshake('sni')).protocol).toBe('TLSv1.3');
    expect((await handshake('sni', upTo('TLSv1.2'))).protocol).toBe('TLSv1.2');
    await expect(handshake('modern', upTo('TLSv1.2'))).rejects.toThrow(/protocol version/i);
    await expect(handshake('sni', upTo('TLSv1.1', 'ALL:@SECLEVEL=0'))).rejects.toThrow(
      /protocol version/i,
    );
  });

  it('are no CBC, and no key exchange without forward secrecy', async () => {
    for (const cipher of ['ECDHE-ECDSA-AES128-SHA256', 'AES128-GCM-SHA256']) {
      await expect(handshake('sni', upTo('TLSv1.2', cipher))).rejects.toThrow(/handshake failure/i);
    }
  });
});
