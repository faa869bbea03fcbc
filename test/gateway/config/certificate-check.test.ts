import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../mesh/transport/http1-test-certificates.ts';
import { issuesOf, loadText } from './config-file.ts';

const authority = await createAuthority();
const good = await authority.issue({ dns: ['a.test'] });
const other = await authority.issue({ dns: ['b.test'] });
const old = await authority.issue({ dns: ['c.test'] }, { expired: true });
const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'x',
});

const files = {
  'good.pem': good.cert,
  'good.key': good.key,
  'chain.pem': good.cert + authority.cert,
  'other.key': other.key,
  'old.pem': old.cert,
  'old.key': old.key,
  'locked.key': String(encrypted),
  'ca.pem': authority.cert,
  'text.pem': 'hello',
};

function listener(tls: string): string {
  return `meshgate: 1\nlisteners: [{ name: a, protocol: https, tls: { ${tls} } }]\n`;
}

describe('certificates of a configuration', () => {
  it.each(['good.pem', 'chain.pem'])('%s with its key is accepted', async (cert) => {
    const text = listener(`certificates: [{ cert: ${cert}, key: good.key }], clientCa: ca.pem`);
    expect(await loadText(text, { files })).toMatchObject({ ok: true, warnings: [] });
  });

  it('are refused with the key of another', async () => {
    const text = listener('certificates: [{ cert: good.pem, key: other.key }]');
    expect(await issuesOf(text, { files })).toEqual([
      '2:86 listeners[0].tls.certificates[0].key: the key does not belong to the certificate (the certificate is for CN=Test leaf)',
    ]);
  });

  it('that have expired are a warning, and no more', async () => {
    const text = listener('certificates: [{ cert: old.pem, key: old.key }]');
    const result = await loadText(text, { files });
    expect(result).toMatchObject({
      ok: true,
      warnings: [{ severity: 'warning', path: 'listeners[0].tls.certificates[0].cert' }],
    });
  });

  it('that are not valid yet are a warning', async () => {
    const text = listener('certificates: [{ cert: good.pem, key: good.key }]');
    const result = await loadText(text, { files, now: () => 0 });
    expect(result).toMatchObject({
      ok: true,
      warnings: [{ message: expect.stringContaining('is not valid before') }],
    });
  });

  it.each([
    ['cert: none.pem, key: good.key', 'cert', /^the file .*none\.pem does not exist$/],
    ['cert: text.pem, key: good.key', 'cert', /text\.pem holds no PEM certificate$/],
    ['cert: good.pem, key: text.pem', 'key', /text\.pem holds no private key that can be read/],
    ['cert: good.pem, key: locked.key', 'key', /locked\.key holds an encrypted key$/],
  ])('are refused: %s', async (pair, member, message) => {
    const result = await loadText(listener(`certificates: [{ ${pair} }]`), { files });
    expect(result).toMatchObject({
      ok: false,
      issues: [
        {
          path: `listeners[0].tls.certificates[0].${member}`,
          message: expect.stringMatching(message),
        },
      ],
    });
  });

  it('of services are looked into as well', async () => {
    const text = `meshgate: 1\nservices: { s: { endpoints: [], protocol: h2, tls: { ca: text.pem, cert: good.pem, key: other.key } } }\n`;
    const result = await loadText(text, { files });
    expect(result).toMatchObject({
      issues: [{ path: 'services.s.tls.ca' }, { path: 'services.s.tls.key' }],
    });
  });
});
