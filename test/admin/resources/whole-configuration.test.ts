import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hashDocument } from '../../../src/gateway/config/versions/shared-document.ts';
import { stopAdminsAfterEach } from '../admin-fixture.ts';
import { documentOf } from '../../gateway/config/shared-document-fixture.ts';
import { NOTHING, SECRET, SOME, startConfigured } from '../configured-admin.ts';
import { askText } from '../ask-text.ts';

stopAdminsAfterEach();

const YAML = { 'content-type': 'application/yaml' };
const OTHER = { services: SOME.services, routes: [{ name: 'all', to: 'payments' }] };

describe('GET /v1/config', () => {
  it('is the document, byte for byte the same, in the form that is asked for', async () => {
    const admin = await startConfigured();
    const json = await askText(admin, '/v1/config');
    expect(json.headers).toMatchObject({ etag: '"1"', vary: 'accept', 'meshgate-version': '1' });
    expect(json.headers['content-type']).toMatch(/^application\/json/);
    const yaml = await askText(admin, '/v1/config', { accept: 'application/yaml' });
    expect(yaml.headers).toMatchObject({ etag: '"1.yaml"', 'content-type': 'application/yaml' });
    const { meshgate, ...rest } = parse(yaml.text) as Record<string, unknown>;
    expect([meshgate, rest]).toEqual([1, JSON.parse(json.text)]);
    const { services, routes } = documentOf(SOME);
    // Another order of keys is no other document.
    const reordered = Object.fromEntries(Object.entries(services).reverse());
    admin.store.put(documentOf({ ...SOME, routes, services: reordered }));
    expect((await askText(admin, '/v1/config')).text).toBe(json.text);
    expect((await askText(admin, '/v1/config', { accept: 'application/yaml' })).text).toBe(
      yaml.text,
    );
  });

  it('hides secrets, and comes back as what it was', async () => {
    const admin = await startConfigured();
    for (const accept of ['application/json', 'application/yaml']) {
      const { text } = await askText(admin, '/v1/config', { accept });
      expect(text).not.toContain(SECRET);
      expect(text).toContain('(hidden)');
      const back = await admin.put('/v1/config', text, { 'content-type': accept });
      expect([back.status, back.body['changed'], back.headers['meshgate-version']]).toEqual([
        200,
        false,
        '1',
      ]);
    }
    expect(admin.store.versions.length).toBe(1);
  });

  it('spares who has it already the answer', async () => {
    const admin = await startConfigured();
    expect((await admin.get('/v1/config', { 'if-none-match': '"1"' })).status).toBe(304);
    const yaml = { accept: 'application/yaml', 'if-none-match': '"1"' };
    expect((await askText(admin, '/v1/config', yaml)).status).toBe(200);
  });

  it("is the file's where it owns it", async () => {
    const admin = await startConfigured({ fileDocument: () => documentOf(SOME) }, NOTHING);
    const { status, headers } = await admin.get('/v1/config');
    expect([status, headers['meshgate-config-owner'], headers['meshgate-version']]).toEqual([
      200,
      'file',
      undefined,
    ]);
    const refused = await admin.put('/v1/config', OTHER);
    expect([refused.status, refused.body['code']]).toEqual([409, 'config_owned_by_file']);
  });
});

describe('PUT /v1/config', () => {
  it('replaces the whole, as one version', async () => {
    const admin = await startConfigured();
    const { status, body, headers } = await admin.put('/v1/config?message=start%20anew', OTHER);
    expect([status, headers['location'], headers['etag']]).toEqual([
      201,
      '/v1/config/versions/2',
      '"2"',
    ]);
    expect(body).toMatchObject({
      changed: true,
      version: {
        version: 2,
        author: 'admin-token',
        message: 'start anew',
        hash: hashDocument(documentOf(OTHER)),
        pinned: false,
      },
    });
    expect(admin.store.head()!.document).toEqual(documentOf(OTHER));
  });

  it('takes YAML, as a file has it', async () => {
    const admin = await startConfigured({}, NOTHING);
    const text = `
# yaml-language-server: $schema=x
meshgate: 1
services:
  a: &a { endpoints: [{ address: "127.0.0.1:1" }] }
  b: *a
routes: [{ name: r, to: a, match: { path: /x } }]
plugins: { cors: { origins: ["\${ORIGIN:-https://x.test}"] } }
`;
    const { status, body } = await admin.put('/v1/config', text, YAML);
    expect([status, body['warnings']]).toEqual([201, []]);
    expect(admin.store.head()!.document).toEqual({
      services: {
        a: { endpoints: [{ address: '127.0.0.1:1' }] },
        b: { endpoints: [{ address: '127.0.0.1:1' }] },
      },
      routes: [{ name: 'r', to: 'a', match: { path: '/x' } }],
      consumers: [],
      plugins: [{ cors: { origins: ['${ORIGIN:-https://x.test}'] } }],
      certificates: {},
    });
  });

  it('changes nothing where anything is wrong, and tells all of it', async () => {
    const admin = await startConfigured();
    const { status, body } = await admin.put('/v1/config', {
      services: { a: { endpoints: [{ address: 'x' }] } },
      routes: [
        { name: 'r', to: 'nobody' },
        { name: 'r', to: 'a', tiemout: '1s' },
      ],
      plugins: { cors: { origins: 5 } },
    });
    expect([status, body['code']]).toEqual([422, 'invalid']);
    const errors = body['errors'] as { pointer: string; hint?: string }[];
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual([
      '#/plugins/cors/origins',
      '#/routes/0/to',
      '#/routes/1/name',
      '#/routes/1/tiemout',
      '#/services/a/endpoints/0/address',
    ]);
    expect(errors.find(({ pointer }) => pointer === '#/routes/1/tiemout')!.hint).toContain(
      'timeout',
    );
    expect(admin.store.versions.length).toBe(1);
  });

  it('refuses what belongs to each node, and what is no document', async () => {
    const admin = await startConfigured();
    const own = await admin.put('/v1/config', { listeners: [], node: {}, services: {} });
    expect([own.status, own.body['errors']]).toMatchObject([
      422,
      [{ pointer: '#/listeners' }, { pointer: '#/node' }],
    ]);
    for (const body of [[], '"x"', { routes: {} }, { services: [] }]) {
      expect((await admin.put('/v1/config', body)).status).toBe(422);
    }
    const yaml = await admin.put('/v1/config', 'a: [1,\nb: 2', YAML);
    expect([yaml.status, yaml.body['errors']]).toMatchObject([
      400,
      [{ detail: expect.stringMatching(/^line \d+, column \d+: /) }],
    ]);
    const twice = await admin.put('/v1/config', 'services: {}\nservices: {}', YAML);
    expect([twice.status, JSON.stringify(twice.body)]).toEqual([
      400,
      expect.stringContaining('stands here twice'),
    ]);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await admin.put('/v1/config', 'a=b', form)).status).toBe(415);
    expect((await admin.put('/v1/config', '{')).status).toBe(400);
    expect(admin.store.versions.length).toBe(1);
  });

  it('is bound to the version that its author has seen', async () => {
    const admin = await startConfigured();
    const seen = { 'if-match': '"1"' };
    expect((await admin.put('/v1/config', OTHER, seen)).status).toBe(201);
    const late = await admin.put('/v1/config', SOME, seen);
    expect([late.status, late.body['code']]).toEqual([412, 'precondition_failed']);
    expect((await admin.put('/v1/config', SOME, { 'if-match': '"2.yaml"' })).status).toBe(201);
    expect((await admin.put('/v1/config', SOME, { 'if-none-match': '*' })).status).toBe(412);
    const fresh = await startConfigured({}, NOTHING);
    expect((await fresh.put('/v1/config', SOME, { 'if-match': '"0"' })).status).toBe(201);
    const another = await startConfigured({}, NOTHING);
    expect((await another.put('/v1/config', SOME, { 'if-none-match': '*' })).status).toBe(201);
  });

  it('is refused where another writer was there first', async () => {
    const admin = await startConfigured();
    admin.store.beforeWrite = () => {
      admin.store.put(documentOf({ services: SOME.services }));
    };
    expect((await admin.put('/v1/config', OTHER)).status).toBe(412);
    expect(admin.store.head()!.document).toEqual(documentOf({ services: SOME.services }));
  });

  it('finds the secrets of entries that have moved', async () => {
    const admin = await startConfigured();
    const shown = (await admin.get('/v1/config')).body as unknown as typeof SOME;
    const moved = {
      ...shown,
      routes: [
        { name: 'first', to: 'payments' },
        { ...shown.routes[0]!, timeout: '9s' },
      ],
    };
    expect((await admin.put('/v1/config', moved)).status).toBe(201);
    expect(admin.store.head()!.document.routes[1]).toEqual({ ...SOME.routes[0], timeout: '9s' });
    const renamed = {
      ...shown,
      routes: [{ ...shown.routes[0]!, name: 'other' }, shown.routes[0]!],
    };
    const refused = await admin.put('/v1/config', renamed);
    expect([refused.status, refused.body['errors']]).toMatchObject([
      422,
      [{ pointer: '#/routes/0/plugins/0/jwt/secret' }],
    ]);
  });

  it('takes more than a resource may have, and no more than is set', async () => {
    const admin = await startConfigured();
    const body = 'x'.repeat(2 * 1024 * 1024);
    const large = { ...OTHER, routes: [{ name: 'a', respond: { status: 200, body } }] };
    expect((await admin.put('/v1/config', large)).status).toBe(201);
    const tooMuch = `"${'a'.repeat(8 * 1024 * 1024)}"`;
    for (const path of ['/v1/config', '/v1/config/validate', '/v1/config/diff']) {
      const method = path === '/v1/config' ? 'PUT' : 'POST';
      const refused = await admin.ask(path, { method, body: tooMuch });
      expect([refused.status, refused.headers['content-type'], refused.body]).toEqual([
        413,
        expect.stringMatching(/^application\/problem\+json/),
        expect.objectContaining({
          code: 'payload_too_large',
          detail:
            'The body is longer than 8MiB: to have more taken, set `admin: { limits: { body } }` in the configuration file of this node and restart it.',
        }),
      ]);
    }
    const small = await admin.ask('/v1/routes/a', { method: 'PUT', body: tooMuch });
    expect([small.status, small.body['detail']]).toEqual([
      413,
      'The body is longer than 1MiB: no more is taken here.',
    ]);
    const generous = await startConfigured({}, SOME, { maxDocumentBytes: 9 * 1024 * 1024 });
    expect((await generous.put('/v1/config', tooMuch)).status).toBe(422);
  });
});

describe('POST /v1/config/validate', () => {
  it('says everything that is wrong, and changes nothing', async () => {
    const admin = await startConfigured();
    const good = await admin.post('/v1/config/validate', OTHER);
    expect([good.status, good.body]).toEqual([200, { valid: true, errors: [], warnings: [] }]);
    const bad = await admin.post('/v1/config/validate', {
      routes: [{ name: 'r', to: 'x', prio: 1 }],
    });
    expect([bad.status, bad.body['valid']]).toEqual([200, false]);
    expect((bad.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)).toEqual([
      '#/routes/0/to',
      '#/routes/0/prio',
    ]);
    const shadowed = await admin.post('/v1/config/validate', {
      ...OTHER,
      routes: [
        { name: 'a', to: 'orders', match: { path: '/x' } },
        { name: 'b', to: 'orders', match: { path: '/x' } },
      ],
    });
    expect(shadowed.body).toMatchObject({
      valid: true,
      errors: [],
      warnings: [{ pointer: expect.stringMatching('^#/routes/1') }],
    });
    expect(admin.store.writes).toBe(0);
  });

  it('takes what is shown hidden for what it stands for', async () => {
    const admin = await startConfigured();
    const { body } = await admin.get('/v1/config');
    expect((await admin.post('/v1/config/validate', body)).body['valid']).toBe(true);
    admin.store.put(documentOf(OTHER));
    const { body: verdict } = await admin.post('/v1/config/validate', body);
    expect(verdict).toMatchObject({
      valid: false,
      errors: [
        { pointer: '#/routes/0/plugins/0/jwt/secret' },
        { pointer: '#/consumers/0/apiKeys/0/hash' },
      ],
    });
  });
});

describe('POST /v1/config/diff', () => {
  it('says what would change, without a secret', async () => {
    const admin = await startConfigured();
    const [route] = SOME.routes;
    const { status, body } = await admin.post('/v1/config/diff', {
      ...SOME,
      services: { ...SOME.services, stock: { endpoints: [] } },
      routes: [
        { ...route, plugins: [{ jwt: { issuer: 'https://id.test', secret: 'another secret' } }] },
      ],
      consumers: [],
    });
    expect([status, body['changes']]).toEqual([
      200,
      [
        { kind: 'added', path: 'services.stock', after: { endpoints: [] } },
        {
          kind: 'changed',
          path: 'routes.orders.plugins[0].jwt.secret',
          before: '(hidden)',
          after: '(hidden)',
        },
        {
          kind: 'removed',
          path: 'consumers.acme',
          before: { name: 'acme', apiKeys: [{ hash: 'sha256:0a0a0a0a…' }] },
        },
      ],
    ]);
    expect(JSON.stringify(body)).not.toContain('another secret');
    expect(admin.store.writes).toBe(0);
  });

  it('compares with a version', async () => {
    const admin = await startConfigured();
    admin.store.put(documentOf(OTHER));
    const same = await admin.post('/v1/config/diff?against=2', OTHER);
    expect(same.body['changes']).toEqual([]);
    const { body } = await admin.post('/v1/config/diff?against=1', OTHER);
    expect((body['changes'] as { path: string }[]).map(({ path }) => path)).toEqual([
      'routes.all',
      'routes.orders',
      'plugins.cors',
      'consumers.acme',
    ]);
    expect((await admin.post('/v1/config/diff?against=9', OTHER)).status).toBe(404);
  });
});
