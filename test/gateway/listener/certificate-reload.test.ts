/** Certificates of a listener: chosen by name, reloaded, refused with the reason. */
import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCertificateStore } from '../../../src/gateway/listener/certificate-store.ts';
import { createListener } from '../../../src/gateway/listener/listener.ts';
import { FakeDoor } from '../exchange/fake-door.ts';
import { createAuthority, writePem, type Authority, type Pem } from './certificates.ts';
import { clock, createLog, openListener, selfSigned, toConfig } from './open-listener.ts';
import { get, handshake, temporaryFolder } from './tls-client.ts';

describe('certificates of a listener', () => {
  let authority: Authority;
  let exact: Pem;
  let wildcard: Pem;

  beforeAll(async () => {
    authority = await createAuthority();
    exact = await authority.issue('exact', ['api.example.com']);
    wildcard = await authority.issue('wildcard', ['*.example.com', 'example.org']);
  });

  async function subjectFor(port: number, servername?: string): Promise<string> {
    const socket = await handshake(port, servername === undefined ? {} : { servername });
    const { CN } = socket.getPeerCertificate().subject as { CN: string };
    socket.destroy();
    return CN;
  }

  /** With one certificate, of files. */
  async function loadStore() {
    const folder = await temporaryFolder();
    const paths = await writePem(folder, 'a', exact);
    const log = createLog();
    const store = await loadCertificateStore({
      tls: { ...selfSigned, selfSigned: [], certificates: [paths] },
      dataDir: folder,
      clock,
      log,
    });
    return { store, paths, log };
  }

  it('are chosen by name, without regard to case', async () => {
    const folder = await temporaryFolder();
    const { port, listener } = await openListener({
      protocol: 'https',
      tls: {
        ...selfSigned,
        certificates: [
          await writePem(folder, 'exact', exact),
          await writePem(folder, 'wildcard', wildcard),
        ],
      },
    });
    expect(await subjectFor(port, 'api.example.com')).toBe('exact');
    expect(await subjectFor(port, 'API.EXAMPLE.COM')).toBe('exact');
    expect(await subjectFor(port, 'www.Example.com')).toBe('wildcard');
    expect(await subjectFor(port, 'example.org')).toBe('wildcard');
    expect(await subjectFor(port, 'localhost')).toBe('localhost');
    expect(await subjectFor(port, 'a.b.example.com')).toBe('exact');
    expect(await subjectFor(port)).toBe('exact');
    expect(listener.certificates.map(({ name }) => name)).toEqual([
      'api.example.com',
      '*.example.com',
      'localhost',
    ]);
    const days = (listener.certificates[0]!.expiresAtMs - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(4.9);
    expect(days).toBeLessThan(5);
  });

  it('are reloaded when their files change, while a bad file changes nothing', async () => {
    const { store, paths, log } = await loadStore();
    let changes = 0;
    store.onChange = () => void changes++;
    await store.check();
    expect(changes).toBe(0);
    const before = store.choose('api.example.com');

    await writeFile(paths.cert, 'not a certificate');
    await store.check();
    await store.check();
    expect(store.choose('api.example.com')).toBe(before);
    const errors = log.lines.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    // Once: an error with its cause would be written with the text of both.
    expect(errors[0]!.fields).toEqual({
      reason: expect.stringMatching(
        /^Certificate \S+a.pem with key \S+a.key: it is not a certificate/,
      ),
    });

    // The certificate is new and the key still the old one.
    await writeFile(paths.cert, wildcard.cert);
    await store.check();
    expect(store.choose('api.example.com')).toBe(before);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);

    await writeFile(paths.key, wildcard.key);
    await store.check();
    expect(changes).toBe(1);
    expect(store.choose('api.example.com')).not.toBe(before);
    expect(store.expiries[0]!.name).toBe('*.example.com');
    expect(store.choose('example.org')).toBeDefined();
  });

  it('are taken although they have expired, with a warning', async () => {
    const { store, paths, log } = await loadStore();
    const expired = await authority.issue('old', ['api.example.com'], -0.5);
    await writeFile(paths.cert, expired.cert);
    await writeFile(paths.key, expired.key);
    await store.check();
    expect(store.expiries[0]!.expiresAtMs).toBeLessThan(Date.now());
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'Certificates reloaded'],
      [
        'warn',
        expect.stringMatching(
          /^the certificate of CN=old expired on \S+Z \(renew it; clients refuse it\)$/,
        ),
      ],
    ]);
  });

  it('are in use for new connections after a reload, while old ones go on', async () => {
    const folder = await temporaryFolder();
    const tls = {
      ...selfSigned,
      selfSigned: [],
      certificates: [await writePem(folder, 'a', exact)],
    };
    const { port, listener, options } = await openListener({ protocol: 'https', tls });
    const old = await handshake(port);
    const certificates = [await writePem(folder, 'b', wildcard)];
    await listener.update({
      ...options,
      config: { ...options.config, tls: { ...tls, certificates } },
    });
    expect(await subjectFor(port)).toBe('wildcard');
    expect(await get(old)).toMatch(/^HTTP\/1.1 200 /);
    await writeFile(certificates[0]!.cert, exact.cert);
    await writeFile(certificates[0]!.key, exact.key);
    await expect.poll(() => subjectFor(port), { timeout: 15_000, interval: 200 }).toBe('exact');
  });

  it('that cannot be used refuse an update and leave what is', async () => {
    const folder = await temporaryFolder();
    const tls = { ...selfSigned, certificates: [await writePem(folder, 'a', exact)] };
    const { port, listener, options } = await openListener({ protocol: 'https', tls });
    await expect(
      listener.update({
        ...options,
        config: {
          ...options.config,
          hosts: ['changed'],
          tls: { ...tls, certificates: [{ cert: tls.certificates[0]!.cert, key: '/none' }] },
        },
      }),
    ).rejects.toThrow('/none');
    expect(listener.facts.hosts).toEqual([]);
    expect(await subjectFor(port)).toBe('exact');
  });

  it('that cannot be used keep a listener from starting, with the reason', async () => {
    const folder = await temporaryFolder();
    const good = await writePem(folder, 'a', exact);
    const other = await writePem(folder, 'b', wildcard);
    const listener = createListener(
      {
        config: toConfig({
          name: 'edge',
          protocol: 'https',
          tls: { ...selfSigned, certificates: [{ cert: good.cert, key: other.key }] },
        }),
        dataDir: folder,
        trusts: () => false,
      },
      { door: new FakeDoor(), log: createLog(), clock },
    );
    await expect(listener.start()).rejects.toThrow(/"edge".*a\.pem.*key is not/);
  });
});
