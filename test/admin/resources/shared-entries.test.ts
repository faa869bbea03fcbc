import { describe, expect, it } from 'vitest';
import { stopAdminsAfterEach } from '../admin-fixture.ts';
import { documentOf } from '../../gateway/config/shared-document-fixture.ts';
import { NOTHING, SECRET, SOME, startConfigured } from '../configured-admin.ts';

stopAdminsAfterEach();

const SERVICE = { endpoints: [{ address: '127.0.0.1:3009' }] };

describe('PUT of a resource', () => {
  it.each([
    ['services', 'stock', SERVICE],
    ['routes', 'stock', { match: [{ path: '/stock/*' }], to: 'payments' }],
    ['consumers', 'globex', { groups: ['gold'] }],
    ['plugins', 'body-limit', { config: { max: '1MiB' } }],
  ])('makes one of the %s, once', async (kind, name, body) => {
    const admin = await startConfigured();
    const path = `/v1/${kind}/${name}`;
    const made = await admin.put(path, body);
    expect([made.status, made.headers['location'], made.headers['meshgate-version']]).toEqual([
      201,
      path,
      '2',
    ]);
    expect(made.body).toEqual({ name, ...body });
    const again = await admin.put(path, { name, ...body });
    expect([again.status, again.headers['location'], again.headers['meshgate-version']]).toEqual([
      200,
      undefined,
      '2',
    ]);
    expect(again.headers['etag']).toBe(made.headers['etag']);
    const read = await admin.get(path);
    expect([read.status, read.body, read.headers['etag']]).toEqual([
      200,
      made.body,
      made.headers['etag'],
    ]);
    expect(admin.store.versions.map(({ version }) => version)).toEqual([1, 2]);
  });

  it('replaces one whole, in its place, and leaves all else as it was written', async () => {
    const admin = await startConfigured();
    await admin.put('/v1/routes/second', { to: 'payments', match: { path: '/second' } });
    const { status, body } = await admin.put('/v1/routes/orders', { to: 'payments' });
    expect([status, body]).toEqual([200, { name: 'orders', to: 'payments' }]);
    expect(admin.store.head()!.document).toEqual(
      documentOf({
        ...SOME,
        routes: [
          { name: 'orders', to: 'payments' },
          { name: 'second', to: 'payments', match: { path: '/second' } },
        ],
      }),
    );
  });

  it('keeps who made it, and why', async () => {
    const admin = await startConfigured();
    await admin.put('/v1/services/a?message=more%20room', SERVICE);
    await admin.put('/v1/services/b', SERVICE);
    expect(admin.store.versions.slice(1)).toMatchObject([
      { author: 'admin-token', message: 'more room' },
      { author: 'admin-token', message: 'put service b' },
    ]);
    await admin.put('/v1/services/b', {});
    const { body } = await admin.get('/v1/audit?path=/v1/services/b');
    expect(body['items']).toMatchObject([
      { status: 422, code: 'invalid', version: null },
      { status: 201, code: null, version: 3, location: '/v1/services/b' },
    ]);
  });

  it.each([
    ['services', 'stock', { endpoints: [{ address: 'nowhere' }] }, ['#/endpoints/0/address']],
    ['services', 'stock', {}, ['#']],
    [
      'routes',
      'orders',
      { to: [{ service: 'ordres' }], timeout: '5', priorty: 1 },
      ['#/priorty', '#/timeout', '#/to/0/service'],
    ],
    [
      'routes',
      'orders',
      { to: 'orders', plugins: { cors: { origins: 5 } } },
      ['#/plugins/cors/origins'],
    ],
    ['consumers', 'acme', { apiKeys: [{ hash: 'x' }] }, ['#/apiKeys/0/hash']],
    ['plugins', 'cors', { config: { origin: '*' } }, ['#/config/origin']],
    ['plugins', 'cors', { origins: [] }, ['#/origins']],
    ['plugins', 'crs', { config: {} }, ['#/config']],
    ['routes', 'orders', { name: 'other', to: 'orders' }, ['#/name']],
    ['routes', 'orders', [], ['#']],
    ['routes', 'orders', { to: 'orders', plugins: 5 }, ['#/plugins']],
  ])('points at what is wrong with one of the %s: %s %j', async (kind, name, body, pointers) => {
    const admin = await startConfigured();
    const { status, body: problem } = await admin.put(`/v1/${kind}/${name}`, body);
    expect([status, problem['code']]).toEqual([422, 'invalid']);
    const errors = problem['errors'] as { pointer: string; detail: string; resource?: string }[];
    expect([...new Set(errors.map(({ pointer }) => pointer))].sort()).toEqual(pointers);
    expect(errors.every(({ detail, resource }) => detail !== '' && resource === undefined)).toBe(
      true,
    );
    expect(admin.store.versions.length).toBe(1);
  });

  it('names the resource that it would break, where that is another', async () => {
    const admin = await startConfigured();
    const taken = { apiKeys: SOME.consumers[0]!.apiKeys };
    const { status, body } = await admin.put('/v1/consumers/globex', taken);
    expect([status, body['errors']]).toMatchObject([422, [{ pointer: '#/apiKeys/0/hash' }]]);
    const before = await admin.put('/v1/routes/orders', { to: 'orders', listeners: ['htps'] });
    expect(before.body['errors']).toMatchObject([
      { pointer: '#/listeners/0', hint: expect.stringContaining('https') },
    ]);
  });

  it('takes a second use of a plugin by its ordinal, and no third before it', async () => {
    const admin = await startConfigured();
    const settings = { config: { request: { set: { a: 'b' } } } };
    expect((await admin.put('/v1/plugins/headers:2', settings)).status).toBe(422);
    expect((await admin.put('/v1/plugins/headers', settings)).status).toBe(201);
    expect((await admin.put('/v1/plugins/headers:3', settings)).status).toBe(422);
    expect((await admin.put('/v1/plugins/headers:2', { config: {} })).status).toBe(201);
    expect(admin.store.head()!.document.plugins.slice(1)).toEqual([
      { headers: settings.config },
      { headers: {} },
    ]);
    expect((await admin.remove('/v1/plugins/headers:2')).status).toBe(204);
    expect(admin.store.head()!.document.plugins.length).toBe(2);
  });

  it.each([
    ['no JSON', '{"to":', {}, 400, 'bad_request'],
    ['nothing', undefined, {}, 400, 'bad_request'],
    ['a poisoned body', '{"__proto__":{}}', {}, 400, 'bad_request'],
    ['YAML', 'to: orders', { 'content-type': 'application/yaml' }, 415, 'unsupported_media_type'],
    [
      'a patch',
      '{}',
      { 'content-type': 'application/merge-patch+json' },
      415,
      'unsupported_media_type',
    ],
    ['more than 1 MiB', `"${'a'.repeat(1024 * 1024)}"`, {}, 413, 'payload_too_large'],
    ['a body without a bottom', '['.repeat(5_000) + ']'.repeat(5_000), {}, 422, 'invalid'],
  ])('refuses %s', async (_, body, headers, status, code) => {
    const admin = await startConfigured();
    const answer = await admin.put('/v1/routes/orders', body, headers);
    expect([answer.status, answer.body['code']]).toEqual([status, code]);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(admin.store.versions.length).toBe(1);
  });

  it('refuses names that cannot be one', async () => {
    const admin = await startConfigured();
    for (const name of ['a%20b', '.a', 'a:2', 'a'.repeat(129)]) {
      const { status, body } = await admin.put(`/v1/services/${name}`, SERVICE);
      expect([name, status, body['errors']]).toMatchObject([name, 422, [{ parameter: 'name' }]]);
    }
    for (const name of ['__proto__', 'constructor', '404']) {
      expect((await admin.put(`/v1/services/${name}`, SERVICE)).status).toBe(201);
      expect((await admin.get(`/v1/services/${name}`)).body).toEqual({ name, ...SERVICE });
    }
  });
});

describe('PATCH of a resource', () => {
  it('changes what it names, and takes out what it says is null', async () => {
    const admin = await startConfigured();
    const { status, body } = await admin.patch('/v1/routes/orders', {
      labels: { team: null, tier: 'silver' },
      timeout: '5s',
    });
    expect([status, body]).toMatchObject([
      200,
      { name: 'orders', to: 'orders', timeout: '5s', labels: { tier: 'silver' } },
    ]);
    expect(admin.store.head()!.document.routes).toEqual([
      { ...SOME.routes[0], timeout: '5s', labels: { tier: 'silver' } },
    ]);
    const same = await admin.patch('/v1/routes/orders', { timeout: '5s' });
    expect([same.status, admin.store.versions.length]).toEqual([200, 2]);
  });

  it('changes the settings of a plugin', async () => {
    const admin = await startConfigured();
    const { body } = await admin.patch('/v1/plugins/cors', { config: { maxAge: '10m' } });
    expect(body['config']).toEqual({ origins: ['https://app.test'], maxAge: '10m' });
  });

  it('points at what is wrong with it, or that it left wrong', async () => {
    const admin = await startConfigured();
    const wrong = await admin.patch('/v1/routes/orders', { timeout: 5 });
    expect([wrong.status, wrong.body['errors']]).toMatchObject([422, [{ pointer: '#/timeout' }]]);
    const left = await admin.patch('/v1/routes/orders', { name: 'another' });
    expect([left.status, left.body['errors']]).toMatchObject([422, [{ pointer: '#/name' }]]);
    for (const patch of [[], '"x"', 5]) {
      expect((await admin.patch('/v1/routes/orders', patch)).status).toBe(422);
    }
  });

  it('is for what is there, and says what it takes', async () => {
    const admin = await startConfigured();
    expect((await admin.patch('/v1/routes/nobody', {})).status).toBe(404);
    const { status, headers } = await admin.patch(
      '/v1/routes/orders',
      {},
      {
        'content-type': 'application/json',
      },
    );
    expect([status, headers['accept-patch']]).toEqual([415, 'application/merge-patch+json']);
  });
});

describe('DELETE of a resource', () => {
  it('takes it out, once', async () => {
    const admin = await startConfigured();
    for (const path of [
      '/v1/routes/orders',
      '/v1/services/orders',
      '/v1/consumers/acme',
      '/v1/plugins/cors',
    ]) {
      expect((await admin.remove(path)).status).toBe(204);
      expect((await admin.remove(path)).status).toBe(404);
      expect((await admin.get(path)).status).toBe(404);
    }
    const { services, routes, consumers, plugins } = admin.store.head()!.document;
    expect([Object.keys(services), routes, consumers, plugins]).toEqual([['payments'], [], [], []]);
  });

  it('of a service that routes name is refused, and says which', async () => {
    const admin = await startConfigured();
    await admin.put('/v1/routes/split', {
      match: { path: '/split' },
      to: [{ service: 'payments' }, { service: 'orders' }],
      mirror: [{ service: 'orders' }],
    });
    const { status, body } = await admin.remove('/v1/services/orders');
    expect([status, body['code']]).toEqual([409, 'in_use']);
    const places = (body['errors'] as { resource: string; pointer: string }[]).map(
      ({ resource, pointer }) => resource + pointer,
    );
    expect(places).toEqual([
      '/v1/routes/orders#/to',
      '/v1/routes/split#/to/1/service',
      '/v1/routes/split#/mirror/0/service',
    ]);
    expect(admin.store.head()!.version).toBe(2);
  });

  it('of a consumer that a plugin names is refused, and says where', async () => {
    const admin = await startConfigured();
    await admin.put('/v1/consumers/zoe', { groups: [] });
    const allow = { consumers: ['zoe'] };
    const put = await admin.put('/v1/plugins/acl', { config: { allow } });
    expect(put.status).toBe(201);
    const { status, body } = await admin.remove('/v1/consumers/zoe');
    expect([status, body['errors']]).toEqual([
      422,
      [
        expect.objectContaining({
          detail: 'there is no consumer "zoe"',
          resource: '/v1/plugins/acl',
        }),
      ],
    ]);
  });
});

describe('conditions', () => {
  it('let a change through to what its author has seen alone', async () => {
    const admin = await startConfigured();
    const { headers } = await admin.get('/v1/services/payments');
    const seen = { 'if-match': String(headers['etag']) };
    expect((await admin.put('/v1/services/payments', SERVICE, seen)).status).toBe(200);
    for (const late of [
      await admin.put('/v1/services/payments', { ...SERVICE, protocol: 'h2c' }, seen),
      await admin.patch('/v1/services/payments', { protocol: 'h2c' }, seen),
      await admin.remove('/v1/services/payments', seen),
    ]) {
      expect([late.status, late.body['code']]).toEqual([412, 'precondition_failed']);
    }
    expect(admin.store.versions.length).toBe(2);
    const newest = await admin.get('/v1/services/payments');
    const tag = String(newest.headers['etag']);
    const weak = { 'if-match': `W/${tag}` };
    expect((await admin.remove('/v1/services/payments', weak)).status).toBe(412);
    const one = { 'if-match': `"x", ${tag}` };
    expect((await admin.remove('/v1/services/payments', one)).status).toBe(204);
    expect((await admin.put('/v1/services/payments', SERVICE, { 'if-match': '*' })).status).toBe(
      412,
    );
  });

  it('hold for a resource while others change', async () => {
    const admin = await startConfigured();
    const { headers } = await admin.get('/v1/services/payments');
    await admin.put('/v1/services/another', SERVICE);
    const seen = { 'if-match': String(headers['etag']) };
    expect((await admin.put('/v1/services/payments', SERVICE, seen)).status).toBe(200);
  });

  it('let something be made only where there is nothing', async () => {
    const admin = await startConfigured();
    const none = { 'if-none-match': '*' };
    expect((await admin.put('/v1/services/stock', SERVICE, none)).status).toBe(201);
    expect((await admin.put('/v1/services/stock', SERVICE, none)).status).toBe(412);
  });

  it('spare who has it already the answer', async () => {
    const admin = await startConfigured();
    const { headers } = await admin.get('/v1/routes/orders');
    const tag = String(headers['etag']);
    expect(tag).toMatch(/^"[0-9a-f]{32}"$/);
    const known = await admin.get('/v1/routes/orders', { 'if-none-match': `W/${tag}` });
    expect([known.status, known.body, known.headers['etag']]).toEqual([304, {}, tag]);
    expect((await admin.get('/v1/routes/orders', { 'if-none-match': '"x"' })).status).toBe(200);
  });
});

describe('secrets', () => {
  const HIDDEN = { jwt: { issuer: 'https://id.test', secret: '(hidden)' } };

  it('are in no answer', async () => {
    const admin = await startConfigured();
    const answers = [
      await admin.get('/v1/routes/orders'),
      await admin.get('/v1/routes'),
      await admin.patch('/v1/routes/orders', { timeout: '1s' }),
      await admin.put('/v1/plugins/jwt', { config: { secret: SECRET } }),
      await admin.get('/v1/plugins'),
      await admin.get('/v1/consumers/acme'),
    ];
    for (const { status, body } of answers) {
      expect(status).toBeLessThan(300);
      expect(JSON.stringify(body)).not.toContain(SECRET);
      expect(JSON.stringify(body)).not.toContain('0a0a0a0a0a');
    }
    expect(answers[0]!.body['plugins']).toEqual([HIDDEN]);
    expect(answers[5]!.body['apiKeys']).toEqual([{ hash: 'sha256:0a0a0a0a…' }]);
  });

  it('stay what they are when they are sent back hidden', async () => {
    const admin = await startConfigured();
    const { body, headers } = await admin.get('/v1/routes/orders');
    const same = await admin.put('/v1/routes/orders', body);
    expect([same.status, same.headers['etag'], admin.store.versions.length]).toEqual([
      200,
      headers['etag'],
      1,
    ]);
    const plugins = [{ cors: { origins: ['*'] } }, { jwt: { ...HIDDEN.jwt, audience: 'shop' } }];
    expect((await admin.put('/v1/routes/orders', { ...body, plugins })).status).toBe(200);
    expect((await admin.patch('/v1/routes/orders', { timeout: '1s', plugins })).status).toBe(200);
    const [route] = admin.store.head()!.document.routes;
    expect(route).toMatchObject({
      timeout: '1s',
      plugins: [plugins[0], { jwt: { audience: 'shop', secret: SECRET } }],
    });
    const keys = [{ hash: `sha256:${'0b'.repeat(32)}` }, { hash: 'sha256:0a0a0a0a…' }];
    expect((await admin.put('/v1/consumers/acme', { apiKeys: keys })).status).toBe(200);
    expect(admin.store.head()!.document.consumers).toEqual([
      { name: 'acme', apiKeys: [keys[0], { hash: `sha256:${'0a'.repeat(32)}` }] },
    ]);
  });

  it('are not taken from elsewhere', async () => {
    const admin = await startConfigured();
    const body = { to: 'orders', match: { path: '/x' }, plugins: [HIDDEN] };
    const { status, body: problem } = await admin.put('/v1/routes/another', body);
    expect([status, problem['errors']]).toMatchObject([
      422,
      [{ pointer: '#/plugins/0/jwt/secret', hint: 'give the value itself' }],
    ]);
    expect((await admin.put('/v1/plugins/jwt', { config: HIDDEN.jwt })).status).toBe(422);
  });

  it('change the entity tag', async () => {
    const admin = await startConfigured();
    const { headers, body } = await admin.get('/v1/routes/orders');
    const plugins = [{ jwt: { ...HIDDEN.jwt, secret: `${SECRET}!` } }];
    const changed = await admin.put('/v1/routes/orders', { ...body, plugins });
    expect([changed.status, changed.body]).toEqual([200, body]);
    expect(changed.headers['etag']).not.toBe(headers['etag']);
  });
});

describe('several writers', () => {
  it('of different resources all get their way', async () => {
    const admin = await startConfigured();
    const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
    const answers = await Promise.all(
      names.map((name) => admin.put(`/v1/services/${name}`, SERVICE)),
    );
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 201));
    expect(Object.keys(admin.store.head()!.document.services).sort()).toEqual(
      [...names, 'orders', 'payments'].sort(),
    );
    expect(admin.store.head()!.version).toBe(21);
  });

  it('are tried again where another node changed something else meanwhile', async () => {
    const admin = await startConfigured();
    admin.store.beforeWrite = () => {
      admin.store.put(documentOf({ ...SOME, consumers: [] }));
    };
    const { headers } = await admin.get('/v1/services/payments');
    const seen = { 'if-match': String(headers['etag']) };
    const { status, headers: fields } = await admin.put('/v1/services/payments', SERVICE, seen);
    expect([status, fields['meshgate-version']]).toEqual([200, '3']);
    const { consumers, services } = admin.store.head()!.document;
    expect([consumers, services['payments']]).toEqual([[], SERVICE]);
  });

  it.each(['put', 'patch', 'remove'] as const)(
    'of the same resource: the later %s is refused with 412, and nothing is lost',
    async (verb) => {
      const admin = await startConfigured();
      const theirs = {
        ...SOME,
        services: { ...SOME.services, payments: { ...SERVICE, protocol: 'h2c' } },
      };
      admin.store.beforeWrite = () => {
        admin.store.put(documentOf(theirs));
      };
      const path = '/v1/services/payments';
      const { status, body } =
        verb === 'remove' ? await admin.remove(path) : await admin[verb](path, SERVICE);
      expect([status, body['code']]).toEqual([412, 'precondition_failed']);
      expect(admin.store.head()!.document).toEqual(documentOf(theirs));
    },
  );
});

describe('where the file owns the configuration', () => {
  it('what it has is shown, and changes are refused', async () => {
    const admin = await startConfigured({ fileDocument: () => documentOf(SOME) }, NOTHING);
    const read = await admin.get('/v1/routes/orders');
    expect([read.status, read.body['to'], read.headers['meshgate-config-owner']]).toEqual([
      200,
      'orders',
      'file',
    ]);
    for (const refused of [
      await admin.put('/v1/services/stock', SERVICE),
      await admin.patch('/v1/services/orders', SERVICE),
      await admin.remove('/v1/services/payments'),
    ]) {
      expect([refused.status, refused.body['code']]).toEqual([409, 'config_owned_by_file']);
    }
    expect(admin.store.writes).toBe(0);
  });
});

describe('without the backplane', () => {
  it('what is known is shown with its age, and changes are refused', async () => {
    const admin = await startConfigured();
    admin.store.outageMs = 12_340;
    const read = await admin.get('/v1/routes/orders');
    expect([read.status, read.headers['meshgate-staleness']]).toEqual([200, '12.3']);
    const listed = await admin.get('/v1/routes');
    expect(listed.body['staleness_seconds']).toBe(12.3);
    for (const refused of [
      await admin.put('/v1/services/stock', SERVICE),
      await admin.patch('/v1/services/orders', SERVICE),
      await admin.remove('/v1/services/payments'),
    ]) {
      expect([refused.status, refused.body['code'], refused.headers['retry-after']]).toEqual([
        503,
        'backplane_unavailable',
        '1',
      ]);
      expect(refused.body['detail']).toContain('nobody answers');
    }
    admin.store.outageMs = 0;
    expect((await admin.put('/v1/services/stock', SERVICE)).status).toBe(201);
    expect(admin.store.versions.length).toBe(2);
  });

  it('since the start, nothing is made up', async () => {
    const admin = await startConfigured({}, NOTHING);
    admin.store.outageMs = 1;
    expect((await admin.get('/v1/routes')).status).toBe(503);
    expect((await admin.get('/v1/routes/orders')).status).toBe(503);
    expect((await admin.put('/v1/services/stock', SERVICE)).status).toBe(503);
  });
});

describe('tokens with a scope', () => {
  it('see and change what is theirs, by name and by label', async () => {
    const admin = await startConfigured();
    const made = await admin.post('/v1/tokens', {
      name: 'shop',
      role: 'operator',
      scope: { services: { prefixes: ['shop-'] }, routes: { labels: { team: 'shop' } } },
    });
    expect(made.status).toBe(201);
    const own = { authorization: `Bearer ${String(made.body['token'])}` };
    expect((await admin.put('/v1/services/shop-a', SERVICE, own)).status).toBe(201);
    expect(admin.store.head()!.author).toBe('shop');
    expect((await admin.put('/v1/services/a', SERVICE, own)).status).toBe(403);
    expect((await admin.remove('/v1/services/payments', own)).status).toBe(403);
    expect((await admin.get('/v1/services/payments', own)).status).toBe(403);
    const { body } = await admin.get('/v1/services', own);
    expect((body['items'] as { name: string }[]).map(({ name }) => name)).toEqual(['shop-a']);
    expect((await admin.patch('/v1/routes/orders', { timeout: '1s' }, own)).status).toBe(200);
    // A label may neither be given away nor taken.
    expect((await admin.patch('/v1/routes/orders', { labels: null }, own)).status).toBe(403);
    const route = { to: 'orders', match: { path: '/x' } };
    expect((await admin.put('/v1/routes/x', route, own)).status).toBe(403);
    expect(
      (await admin.put('/v1/routes/x', { ...route, labels: { team: 'shop' } }, own)).status,
    ).toBe(201);
    expect((await admin.get('/v1/config', own)).status).toBe(403);
    expect((await admin.get('/v1/consumers/acme', own)).status).toBe(403);
  });

  it('are not told whether there is what they are not for', async () => {
    const admin = await startConfigured();
    const made = await admin.post('/v1/tokens', {
      name: 'shop',
      role: 'operator',
      scope: { services: { prefixes: ['shop-'] }, routes: { labels: { team: 'shop' } } },
    });
    const own = { authorization: `Bearer ${String(made.body['token'])}` };
    for (const path of ['/v1/services/payments', '/v1/services/nobody', '/v1/routes/nobody']) {
      const answers = [
        await admin.patch(path, {}, own),
        await admin.put(path, {}, { ...own, 'if-match': '"other"' }),
        await admin.put(path, { name: 'wrong' }, own),
        await admin.put(path, { labels: 5, to: '(hidden)' }, own),
        await admin.remove(path, own),
        await admin.get(path, own),
      ];
      expect([path, answers.map(({ status }) => status)]).toEqual([path, answers.map(() => 403)]);
    }
  });
});
