/** `/v1/certificates`: what is told of them, and how they are replaced without their keys being seen. */
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../mesh/transport/http1-test-certificates.ts';
import { stopAdminsAfterEach } from '../admin-fixture.ts';
import { askText } from '../ask-text.ts';
import { SOME, startConfigured } from '../configured-admin.ts';

stopAdminsAfterEach();

const authority = await createAuthority();
const api = await authority.issue({ dns: ['api.test', 'www.api.test'] });
const renewed = await authority.issue({ dns: ['api.test'] });
const shop = await authority.issue({ dns: ['shop.test'] });
const secret = api.key.split('\n')[1]!.slice(0, 40);
const PATH = '/v1/certificates/api';

const withCertificates = {
  ...SOME,
  certificates: { api: { ...api, labels: { team: 'web' } }, shop },
};

describe('GET of a certificate', () => {
  it('tells what stands in it, and never the key', async () => {
    const admin = await startConfigured({}, withCertificates);
    const { status, body } = await admin.get(PATH);
    expect(status).toBe(200);
    expect(body).toEqual({
      name: 'api',
      cert: api.cert,
      key: '(hidden)',
      labels: { team: 'web' },
      details: {
        subject: 'CN=Test leaf',
        issuer: 'CN=Test authority',
        dns_names: ['api.test', 'www.api.test'],
        valid_from: expect.stringMatching(/^\d{4}-.*Z$/),
        valid_until: expect.stringMatching(/^\d{4}-.*Z$/),
        serial_number: expect.stringMatching(/^[0-9A-F]+$/),
        fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
      },
    });
  });

  it('tells of one in a file what the node runs, even to who has the rest already', async () => {
    const certificates = { api: { cert: '${file:/run/secrets/api.pem}', key: '${API_KEY}' } };
    let running: string | undefined;
    const admin = await startConfigured(
      { certificateInForce: (name) => (name === 'api' ? running : undefined) },
      { certificates },
    );
    const before = await admin.get(PATH);
    expect(before.body).toEqual({ name: 'api', ...certificates.api });
    running = api.cert;
    const after = await admin.get(PATH, { 'if-none-match': before.headers['etag'] as string });
    expect([after.status, after.body]).toMatchObject([
      200,
      { ...certificates.api, details: { dns_names: ['api.test', 'www.api.test'] } },
    ]);
  });

  it('has no key in lists, versions, differences, files and refusals either', async () => {
    const admin = await startConfigured({}, withCertificates);
    const yaml = await askText(admin, '/v1/config', { accept: 'application/yaml' });
    expect(yaml.text).toMatch(/^ +key: (")?\(hidden\)/m);
    expect(yaml.text).not.toContain(secret);
    const asked = [
      await admin.get('/v1/certificates'),
      await admin.get('/v1/certificates?label=team=web&name=a'),
      await admin.get('/v1/config'),
      await admin.get('/v1/config/versions/1'),
      await admin.post('/v1/config/diff', {}),
      await admin.put('/v1/certificates/other', { cert: shop.cert, key: api.key }),
      await admin.put('/v1/certificates/other', { cert: api.cert + api.key, key: api.key }),
      await admin.post('/v1/config/validate', { certificates: { other: api, twice: api } }),
    ];
    expect(asked.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 422, 422, 200]);
    for (const { body } of asked) expect(JSON.stringify(body)).not.toContain(secret);
    const [all, some] = asked.map(({ body }) => body['items'] as readonly { name: string }[]);
    expect([all!.map(({ name }) => name), some!.map(({ name }) => name)]).toEqual([
      ['api', 'shop'],
      ['api'],
    ]);
  });
});

describe('a change of a certificate', () => {
  it('leaves the key where it is sent back as it was shown', async () => {
    const admin = await startConfigured({}, withCertificates);
    const shown = await admin.get(PATH);
    const same = await admin.put(PATH, shown.body);
    expect([same.status, same.headers['meshgate-version']]).toEqual([200, '1']);
    const patched = await admin.patch(PATH, { serverNames: ['api.test'], labels: null });
    expect([patched.status, patched.body]).toMatchObject([200, { serverNames: ['api.test'] }]);
    expect(admin.store.head()!.document.certificates['api']).toEqual({
      ...api,
      serverNames: ['api.test'],
    });
  });

  it('replaces both, or is refused where it stands wrong', async () => {
    const admin = await startConfigured({}, withCertificates);
    const faultsOf = async (body: object) => {
      const { status, body: problem } = await admin.put(PATH, body);
      return [status, problem['errors']];
    };
    expect(await faultsOf({ ...renewed, key: '(hidden)' })).toEqual([
      422,
      [
        {
          detail: 'the key does not belong to the certificate',
          pointer: '#/key',
          hint: 'the certificate is for CN=Test leaf',
        },
      ],
    ]);
    expect(await faultsOf({ cert: 'x', key: api.key })).toMatchObject([
      422,
      [{ pointer: '#/cert' }],
    ]);
    expect(await faultsOf({ cert: api.cert })).toMatchObject([422, [{ pointer: '#' }]]);
    const taken = await admin.put('/v1/certificates/web', {
      ...renewed,
      serverNames: ['API.test'],
    });
    expect([taken.status, taken.body['errors']]).toMatchObject([
      422,
      [{ pointer: '#/serverNames/0', detail: expect.stringContaining('"api"') }],
    ]);
    expect(admin.store.versions).toHaveLength(1);

    const { headers } = await admin.get(PATH);
    const ifMatch = { 'if-match': headers['etag'] as string };
    const done = await admin.put(PATH, renewed, ifMatch);
    expect([done.status, done.body]).toMatchObject([
      200,
      { key: '(hidden)', details: { dns_names: ['api.test'] } },
    ]);
    expect((await admin.put(PATH, api, ifMatch)).status).toBe(412);
    expect((await admin.remove(PATH, ifMatch)).status).toBe(412);
    expect((await admin.remove(PATH)).status).toBe(204);
    expect((await admin.get(PATH)).status).toBe(404);
  });
});
