/** Certificates that https listeners share, by real handshakes: who gets which, and when. */
import { once } from 'node:events';
import { beforeAll, describe, expect, it } from 'vitest';
import { SharedCertificates } from '../../../src/gateway/listener/shared-certificates.ts';
import { createAuthority, writePem, type Authority, type Pem } from './certificates.ts';
import { openListener, selfSigned } from './open-listener.ts';
import { get, handshake, temporaryFolder } from './tls-client.ts';

let authority: Authority;
let own: Pem;
let exact: Pem;
let wildcard: Pem;
let renewed: Pem;

beforeAll(async () => {
  authority = await createAuthority();
  own = await authority.issue('own', ['own.example.com', '*.own.example.com']);
  exact = await authority.issue('exact', ['api.example.com', 'x.own.example.com']);
  wildcard = await authority.issue('wildcard', ['*.example.com', 'localhost']);
  renewed = await authority.issue('renewed', ['api.example.com']);
});

function sharing(certificates: Readonly<Record<string, readonly [Pem, readonly string[]]>>) {
  return Object.entries(certificates).map(([name, [pem, serverNames]]) => ({
    name,
    serverNames,
    cert: pem.cert,
    privateKey: pem.key,
  }));
}

async function subjectFor(port: number, servername: string): Promise<string> {
  const socket = await handshake(port, { servername });
  const { CN } = socket.getPeerCertificate().subject as { CN: string };
  socket.destroy();
  return CN;
}

const NONE = { ...selfSigned, selfSigned: [] };

describe('certificates that listeners share', () => {
  it('come after the listener’s own, and before what is made for development', async () => {
    const folder = await temporaryFolder();
    const certificates = new SharedCertificates();
    certificates.replace(
      sharing({
        exact: [exact, ['api.example.com', 'x.own.example.com']],
        wildcard: [wildcard, ['*.example.com', 'localhost']],
      }),
    );
    const { port } = await openListener({
      protocol: 'https',
      tls: {
        ...selfSigned,
        selfSigned: ['localhost', 'made.test'],
        certificates: [await writePem(folder, 'own', own)],
      },
      certificates,
    });
    expect(await subjectFor(port, 'own.example.com')).toBe('own');
    // A wildcard of its own goes before an exact name of another.
    expect(await subjectFor(port, 'x.own.example.com')).toBe('own');
    expect(await subjectFor(port, 'API.Example.com')).toBe('exact');
    expect(await subjectFor(port, 'www.example.com')).toBe('wildcard');
    expect(await subjectFor(port, 'LOCALHOST')).toBe('wildcard');
    expect(await subjectFor(port, 'made.test')).toBe('localhost');
    // No certificate fits: the first of its own.
    expect(await subjectFor(port, 'a.b.example.com')).toBe('own');
  });

  it('are others from one handshake to the next, while open connections go on', async () => {
    const certificates = new SharedCertificates();
    const { port } = await openListener({ protocol: 'https', tls: selfSigned, certificates });
    expect(await subjectFor(port, 'api.example.com')).toBe('localhost');

    certificates.replace(sharing({ api: [exact, ['api.example.com']] }));
    const open = await handshake(port, { servername: 'api.example.com' });
    expect((open.getPeerCertificate().subject as { CN: string }).CN).toBe('exact');

    certificates.replace(sharing({ api: [renewed, ['api.example.com']] }));
    expect(await subjectFor(port, 'api.example.com')).toBe('renewed');
    expect(certificates.expiries.map(({ name }) => name)).toEqual(['api.example.com']);

    certificates.replace([]);
    expect(await subjectFor(port, 'api.example.com')).toBe('localhost');
    expect(certificates.expiries).toEqual([]);
    expect(await get(open)).toMatch(/^HTTP\/1.1 200 /);
  });

  it('are all that a listener without its own has: without one that fits no handshake ends', async () => {
    const certificates = new SharedCertificates();
    const { port, listener } = await openListener({ protocol: 'https', tls: NONE, certificates });
    await expect(handshake(port, { servername: 'api.example.com' })).rejects.toThrow(/handshake/);
    certificates.replace(sharing({ api: [exact, ['api.example.com']] }));
    expect(await subjectFor(port, 'api.example.com')).toBe('exact');
    await expect(handshake(port, { servername: 'other.test' })).rejects.toThrow(/handshake/);
    await expect(handshake(port)).rejects.toThrow(/handshake/);
    await expect.poll(() => listener.counts.tlsFailures).toBe(3);
  });

  it('are served by the terms of each listener', async () => {
    const folder = await temporaryFolder();
    const { cert: clientCa } = await writePem(folder, 'ca', { cert: authority.cert, key: '' });
    const client = await authority.issue('client', ['client.test']);
    const certificates = new SharedCertificates();
    certificates.replace(sharing({ api: [exact, ['api.example.com']] }));
    const open = { protocol: 'https', certificates } as const;
    const lax = await openListener({ ...open, tls: NONE });
    const strict = await openListener({
      ...open,
      tls: { ...NONE, minVersion: '1.3', clientCa, clientAuth: 'require' },
    });
    const servername = 'api.example.com';
    const old = await handshake(lax.port, { servername, maxVersion: 'TLSv1.2' });
    expect(old.getProtocol()).toBe('TLSv1.2');
    await expect(handshake(strict.port, { servername, maxVersion: 'TLSv1.2' })).rejects.toThrow(
      /protocol version/,
    );
    const stranger = await handshake(strict.port, { servername });
    const [error] = (await once(stranger, 'error')) as [Error];
    expect(error.message).toMatch(/certificate required/);
    expect(await get(await handshake(strict.port, { servername, ...client }))).toMatch(/ 200 /);
  });

  it('that OpenSSL cannot use leave the default, and the listener at work', async () => {
    const certificates = new SharedCertificates();
    const broken = { cert: exact.cert, key: 'none' };
    certificates.replace(sharing({ api: [broken, ['api.example.com']] }));
    const { port } = await openListener({ protocol: 'https', tls: selfSigned, certificates });
    expect(await subjectFor(port, 'api.example.com')).toBe('localhost');
    expect(await subjectFor(port, 'localhost')).toBe('localhost');
  });
});
