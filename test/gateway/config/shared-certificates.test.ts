/** The section `certificates`: what is checked of it, and where its keys are not shown. */
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createConcealer } from '../../../src/gateway/config/concealment.ts';
import { diffConfigs } from '../../../src/gateway/config/diff.ts';
import { diffDocuments } from '../../../src/gateway/config/document-diff.ts';
import { readLastGood, saveLastGood } from '../../../src/gateway/config/last-good.ts';
import type { LoadResult } from '../../../src/gateway/config/load.ts';
import { createAuthority } from '../../mesh/transport/http1-test-certificates.ts';
import { acceptText, createFolder, loadText, type TextOptions } from './config-file.ts';
import { documentOf } from './shared-document-fixture.ts';

const authority = await createAuthority();
const api = await authority.issue({ dns: ['API.test', '*.api.test'] });
const shop = await authority.issue({ dns: ['shop.test'] });
const old = await authority.issue({ dns: ['old.test'] }, { expired: true });
const nameless = await authority.issue({ ip: ['127.0.0.1'] });
const locked = String(
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  }),
);

const textOf = (certificates: object, rest: object = {}): string =>
  JSON.stringify({ meshgate: 1, certificates, ...rest });

/** Each as `path: message`; warnings marked. */
async function faultsOf(certificates: object, options?: TextOptions): Promise<string[]> {
  const result = await loadText(textOf(certificates), options);
  return toFaults(result);
}

function toFaults(result: LoadResult): string[] {
  const issues = result.ok ? result.warnings : result.issues;
  return issues.map(
    ({ severity, path, message }) =>
      `${severity === 'warning' ? 'warning ' : ''}${path}: ${message}`,
  );
}

describe('certificates of all listeners', () => {
  it('are chosen for the names that stand in them, or for others that are given', async () => {
    const { config, warnings } = await acceptText(
      textOf({ api, shop: { ...shop, serverNames: ['SHOP.test'], labels: { team: 'shop' } } }),
    );
    expect(warnings).toEqual([]);
    expect(config.certificates).toEqual([
      { name: 'api', serverNames: ['api.test', '*.api.test'], cert: api.cert, privateKey: api.key },
      { name: 'shop', serverNames: ['shop.test'], cert: shop.cert, privateKey: shop.key },
    ]);
  });

  it('may have their texts in files and variables', async () => {
    const { config, files } = await acceptText(
      textOf({ api: { cert: '${CERT}', key: '${file:api.key}' } }),
      { env: { CERT: api.cert }, files: { 'api.key': api.key } },
    );
    expect(config.certificates[0]!.privateKey).toBe(api.key.trimEnd());
    expect(files.some((file) => file.endsWith('api.key'))).toBe(true);
    expect(config.redactions).toContainEqual({
      path: 'certificates.api.privateKey',
      text: '${file:api.key}',
    });
  });

  it.each([
    ['no PEM', { cert: 'x', key: api.key }, 'cert: the text holds no PEM certificate'],
    [
      'a certificate that is cut off',
      { cert: api.cert.replace(/\n[A-Za-z0-9+/]{20}/, '\n'), key: api.key },
      expect.stringMatching(/^certificates\.a\.cert: the text holds a certificate that cannot be/),
    ],
    [
      'the key of another',
      { ...api, key: shop.key },
      'key: the key does not belong to the certificate',
    ],
    [
      'a key that is none',
      { ...api, key: 'secret-nonsense' },
      expect.stringMatching(/^certificates\.a\.key: the text holds no private key(?!.*nonsense)/),
    ],
    ['a key with a passphrase', { ...api, key: locked }, 'key: the text holds an encrypted key'],
    [
      'a key where everybody sees it',
      { ...api, cert: api.cert + api.key },
      'cert: the text holds a private key',
    ],
    ['no DNS name', nameless, 'cert: the certificate has no DNS name that it could be chosen by'],
    [
      'any name',
      { ...api, serverNames: ['*'] },
      'serverNames[0]: "*" is no name that clients ask for by SNI',
    ],
    [
      'an address for a name',
      { ...api, serverNames: ['127.0.0.1'] },
      'serverNames[0]: "127.0.0.1" is no name that clients ask for by SNI',
    ],
    [
      'a name twice',
      { ...api, serverNames: ['api.test', 'API.test'] },
      'serverNames[1]: the server name "api.test" belongs to this certificate already',
    ],
  ])('are refused with %s', async (_, certificate, fault) => {
    const expected = typeof fault === 'string' ? `certificates.a.${fault}` : (fault as unknown);
    expect(await faultsOf({ a: certificate })).toEqual([expected]);
  });

  it('are refused where two have the same name', async () => {
    expect(await faultsOf({ one: api, two: api })).toEqual([
      'certificates.two.cert: the server name "api.test" belongs to the certificate "one"',
      'certificates.two.cert: the server name "*.api.test" belongs to the certificate "one"',
    ]);
    expect(
      await faultsOf({ one: api, two: { ...api, serverNames: ['x.api.test', 'api.test'] } }),
    ).toEqual([
      'certificates.two.serverNames[1]: the server name "api.test" belongs to the certificate "one"',
    ]);
  });

  it('are refused by a name that no resource could have', async () => {
    expect(await faultsOf({ 'a b': api })).toEqual(['certificates["a b"]: "a b" cannot be a name']);
    // What else is wrong with it is told too.
    expect(await faultsOf({ 'a b': 5, 'c d': { cert: 5, key: '' } })).toEqual([
      'certificates["a b"]: expected a mapping, got 5',
      'certificates["c d"].cert: expected a text, got 5',
      expect.stringContaining('certificates["c d"].key: must not be empty'),
    ]);
  });

  it('whose file is not there are told of once', async () => {
    const faults = await faultsOf({ a: { cert: '${file:none.pem}', key: '${NONE}' } });
    expect(faults).toEqual([
      expect.stringMatching(/^certificates\.a\.cert: the file .* does not exist$/),
      'certificates.a.key: the environment variable NONE is not set',
    ]);
  });

  it('are taken with a warning where clients will refuse them', async () => {
    expect(await faultsOf({ old })).toEqual([
      expect.stringMatching(/^warning certificates\.old\.cert: the certificate of .* expired on/),
    ]);
    expect(await faultsOf({ a: { ...api, serverNames: ['b.api.test', 'a.b.api.test'] } })).toEqual([
      'warning certificates.a.serverNames[1]: the certificate is not for "a.b.api.test"',
    ]);
  });
});

describe('a listener without a certificate of its own', () => {
  const listeners = [{ name: 'a', address: '127.0.0.1:0', protocol: 'https', tls: {} }];

  it('is right where there are some for all', async () => {
    expect(toFaults(await loadText(textOf({ api }, { listeners })))).toEqual([]);
  });

  it('is warned of while nodes share none yet', async () => {
    const result = await loadText(JSON.stringify({ meshgate: 1, listeners }));
    expect(result.ok).toBe(true);
    expect(toFaults(result)).toEqual([
      'warning listeners[0].tls: there is no certificate yet: no handshake succeeds',
    ]);
  });

  it('is refused where the file has all there is', async () => {
    const result = await loadText(JSON.stringify({ meshgate: 1, listeners, routes: [] }));
    expect(result.ok).toBe(false);
    expect(toFaults(result)).toEqual(['listeners[0].tls: there is no certificate']);
  });
});

describe('the private key', () => {
  const secret = api.key.split('\n')[1]!.slice(0, 40);

  it('is shown in no difference, and kept in no file in clear', async () => {
    const rest = { dataDir: '/var/lib/meshgate' };
    const before = await acceptText(textOf({ shop }, rest));
    const after = await acceptText(textOf({ api, shop }, rest));
    const changes = diffConfigs(before.config, after.config);
    expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(['added certificates.api']);
    expect(JSON.stringify(changes)).not.toContain(secret);

    const dataDir = await createFolder();
    await saveLastGood(dataDir, after);
    expect(await readFile(join(dataDir, 'last-good.json'), 'utf8')).not.toContain(secret);
    const kept = await readLastGood(dataDir);
    expect(diffConfigs(kept!.config, after.config)).toEqual([]);
  });

  it('is hidden in documents, wherever it stands', async () => {
    const concealer = createConcealer(new Map());
    const reference = '${file:/run/secrets/api.key}';
    const [before, after] = await Promise.all(
      [{}, { api, both: { cert: api.cert + api.key, key: reference } }].map((certificates) =>
        concealer.document(documentOf({ certificates })),
      ),
    );
    expect(after!.shown.certificates).toEqual({
      api: { cert: api.cert, key: '(hidden)' },
      both: { cert: '(hidden)', key: reference },
    });
    const changes = diffDocuments(before!, after!);
    expect(changes).toHaveLength(2);
    expect(JSON.stringify(changes)).not.toContain(secret);
  });
});
