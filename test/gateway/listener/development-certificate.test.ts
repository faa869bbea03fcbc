/** The certificate made for development. */
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDevelopmentCertificate } from '../../../src/gateway/listener/development-certificate.ts';
import { clock, openListener, selfSigned } from './open-listener.ts';
import { handshake, temporaryFolder } from './tls-client.ts';

describe('the development certificate', () => {
  const names = ['localhost', '127.0.0.1', '::1', '*.dev.example'];

  it('is made for 30 days, kept in a file of mode 0600, and used again', async () => {
    const dataDir = join(await temporaryFolder(), 'data');
    const made = await loadDevelopmentCertificate({ names, dataDir, clock });
    expect((made.expiresAtMs - Date.now()) / 86_400_000).toBeCloseTo(30, 1);
    const path = join(dataDir, 'dev-cert');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const again = await loadDevelopmentCertificate({ names, dataDir, clock });
    expect(again.certPem).toBe(made.certPem);
  });

  it('is verified for each of its names', async () => {
    const { port, dataDir } = await openListener({
      protocol: 'https',
      tls: { ...selfSigned, selfSigned: names },
    });
    const ca = await readFile(join(dataDir, 'dev-cert'), 'utf8');
    for (const [host, servername] of [
      ['127.0.0.1', 'localhost'],
      ['127.0.0.1', 'a.dev.example'],
      ['127.0.0.1', ''],
    ] as const) {
      const socket = await handshake(port, { host, servername, ca, rejectUnauthorized: true });
      expect(socket.authorized).toBe(true);
    }
  });

  it('is made anew for other names, before its end, or when its file is broken', async () => {
    const dataDir = await temporaryFolder();
    const first = await loadDevelopmentCertificate({ names, dataDir, clock });
    const renamed = await loadDevelopmentCertificate({ names: ['other.test'], dataDir, clock });
    expect(renamed.certPem).not.toBe(first.certPem);
    const later = { ...clock, now: () => Date.now() + 24 * 86_400_000 };
    const renewed = await loadDevelopmentCertificate({
      names: ['other.test'],
      dataDir,
      clock: later,
    });
    expect(renewed.certPem).not.toBe(renamed.certPem);
    await chmod(join(dataDir, 'dev-cert'), 0o644);
    await writeFile(join(dataDir, 'dev-cert'), 'broken');
    const repaired = await loadDevelopmentCertificate({ names: ['other.test'], dataDir, clock });
    expect(repaired.certPem).toContain('BEGIN CERTIFICATE');
    expect((await stat(join(dataDir, 'dev-cert'))).mode & 0o777).toBe(0o600);
  });

  it('is one for all listeners, whatever names each of them has', async () => {
    const dataDir = await temporaryFolder();
    await loadDevelopmentCertificate({ names, dataDir, clock });
    const both = await loadDevelopmentCertificate({
      names: ['Other.test', '10.0.0.1'],
      dataDir,
      clock,
    });
    const again = await loadDevelopmentCertificate({ names, dataDir, clock });
    expect(again.certPem).toBe(both.certPem);
    expect(again.names).toEqual(names);
    expect(both.names).toEqual(['other.test', '10.0.0.1']);
  });
});
