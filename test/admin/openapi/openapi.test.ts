import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { toApiPage } from '../../../config/api-page.ts';
import { toOpenApi } from '../../../config/openapi.ts';
import { stopAdminsAfterEach } from '../admin-fixture.ts';
import { startConfigured } from '../configured-admin.ts';

stopAdminsAfterEach();

const ROOT = new URL('../../../', import.meta.url);

interface Response {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly 'x-role': string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, Response>>;
}

const document = JSON.parse(JSON.stringify(toOpenApi())) as {
  readonly openapi: string;
  readonly security: readonly object[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, object>>>>;
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('the OpenAPI document', () => {
  it('is the one in config/openapi.json; run `npm run generate`', async () => {
    const written = await readFile(new URL('config/openapi.json', ROOT), 'utf8');
    expect(JSON.parse(written)).toEqual(document);
  });

  it('is what docs/api.md is made of; run `npm run generate`', async () => {
    const page = await readFile(new URL('docs/api.md', ROOT), 'utf8');
    expect(page).toBe(toApiPage(toOpenApi()));
    for (const { path } of operations) expect(page).toContain(`\`${path}\``);
  });

  it('is 3.1, and asks for a token everywhere', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.security).toEqual([{ token: [] }]);
  });

  it('has every operation under a name of its own, with who may ask and what may be refused', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining([
        'putRoute',
        'getConfig',
        'listMeshNodes',
        'createToken',
        'listAudit',
      ]),
    );
    for (const { path, method, operation } of operations) {
      const place = `${method} ${path}`;
      const statuses = Object.keys(operation.responses);
      expect([place, operation.tags.length > 0, operation.summary.endsWith('.')]).toEqual([
        place,
        true,
        true,
      ]);
      expect([place, ['viewer', 'operator', 'admin']]).toEqual([
        place,
        expect.arrayContaining([operation['x-role']]),
      ]);
      expect([place, statuses]).toEqual([place, expect.arrayContaining(['401', '421'])]);
      const ofBodies = operation.requestBody === undefined ? [] : ['400', '413', '415', '422'];
      expect([place, statuses]).toEqual([place, expect.arrayContaining(ofBodies)]);
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const given = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect([place, new Set(given.map(({ name }) => name))]).toEqual([place, new Set(named)]);
    }
  });

  it('refers to nothing that it lacks', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, to]) => to!,
    );
    expect(references.length).toBeGreaterThan(100);
    for (const reference of new Set(references)) {
      const [, , group, name] = reference.split('/');
      expect([reference, Object.keys(document.components[group!] ?? {})]).toEqual([
        reference,
        expect.arrayContaining([name]),
      ]);
    }
  });

  it('has schemas of the configuration that are good JSON Schema of 2020-12', () => {
    const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true, password: true } });
    ajv.addSchema(document, 'api');
    for (const name of Object.keys(document.components['schemas']!)) {
      expect(() => ajv.compile({ $ref: `api#/components/schemas/${name}` })).not.toThrow();
    }
  });
});

describe('answers of the API', () => {
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true, password: true } });
  ajv.addSchema(document, 'api');

  function expectDescribed(
    path: string,
    method: string,
    answer: { status: number; body: object },
  ): void {
    const { responses } = document.paths[path]![method]!;
    const response = responses[answer.status];
    expect([path, method, answer.status, response !== undefined]).toEqual([
      path,
      method,
      answer.status,
      true,
    ]);
    const { content } =
      response!.$ref === undefined
        ? response!
        : (document.components['responses']![response!.$ref.split('/').at(-1)!] as Response);
    const [type] = Object.keys(content ?? {});
    const pointer =
      response!.$ref ??
      `#/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/${method}/responses/${answer.status}`;
    const place = `api${pointer}/content/${type?.replaceAll('/', '~1')}/schema`;
    // Without a body there is nothing to send.
    const validate = ajv.compile(type === undefined ? { const: {} } : { $ref: place });
    validate(answer.body);
    expect([path, validate.errors]).toEqual([path, null]);
  }

  it('are what the document says', async () => {
    const admin = await startConfigured({
      rollout: async (version) => [
        { node: 'a', state: 'applied', version, at: '2026-01-01T00:00:00Z' },
      ],
      explain: async () => ({
        listener: 'http',
        routes: [{ route: 'a', match: 0, won: true, reason: 'b' }],
        plugins: [{ plugin: 'cors', stage: 'edge', answer: undefined }],
        targets: [],
        forward: undefined,
        answer: { status: 404, code: 'no_route', reason: 'none' },
      }),
    });
    const service = { endpoints: [{ address: '127.0.0.1:1' }] };
    for (const kind of ['services', 'routes', 'consumers', 'plugins']) {
      expectDescribed(`/v1/${kind}`, 'get', await admin.get(`/v1/${kind}`));
      const one = `/v1/${kind}/{name}`;
      expectDescribed(one, 'get', await admin.get(`/v1/${kind}/nobody`));
      expectDescribed(one, 'put', await admin.put(`/v1/${kind}/a`, 5));
      expectDescribed(one, 'patch', await admin.patch(`/v1/${kind}/nobody`, {}));
    }
    expectDescribed('/v1/services/{name}', 'put', await admin.put('/v1/services/a', service));
    expectDescribed('/v1/services/{name}', 'put', await admin.put('/v1/services/a', service));
    expectDescribed('/v1/services/{name}', 'delete', await admin.remove('/v1/services/orders'));
    expectDescribed('/v1/services/{name}', 'delete', await admin.remove('/v1/services/a'));
    expectDescribed('/v1/routes/{name}', 'get', await admin.get('/v1/routes/orders'));
    expectDescribed(
      '/v1/consumers/{name}',
      'patch',
      await admin.patch('/v1/consumers/acme', { groups: ['a'] }),
    );
    expectDescribed('/v1/plugins/{name}', 'get', await admin.get('/v1/plugins/cors'));
    expectDescribed('/v1/status', 'get', await admin.get('/v1/status'));
    expectDescribed('/v1/config', 'get', await admin.get('/v1/config'));
    expectDescribed('/v1/config', 'get', await admin.get('/v1/config', { authorization: '' }));
    expectDescribed(
      '/v1/config',
      'put',
      await admin.put('/v1/config', { services: { a: service } }),
    );
    expectDescribed('/v1/config', 'put', await admin.put('/v1/config', {}, { 'if-match': '"1"' }));
    expectDescribed(
      '/v1/config/validate',
      'post',
      await admin.post('/v1/config/validate', { routes: [{}] }),
    );
    expectDescribed('/v1/config/diff', 'post', await admin.post('/v1/config/diff', {}));
    expectDescribed('/v1/config/versions', 'get', await admin.get('/v1/config/versions'));
    expectDescribed(
      '/v1/config/versions/{version}',
      'get',
      await admin.get('/v1/config/versions/2'),
    );
    expectDescribed(
      '/v1/config/versions/{version}/pin',
      'put',
      await admin.put('/v1/config/versions/1/pin', { pinned: true }),
    );
    expectDescribed(
      '/v1/config/rollback',
      'post',
      await admin.post('/v1/config/rollback', { version: 1 }),
    );
    expectDescribed(
      '/v1/explain',
      'post',
      await admin.post('/v1/explain', { method: 'GET', url: 'http://a/' }),
    );
    expectDescribed('/v1/tokens', 'get', await admin.get('/v1/tokens'));
    expectDescribed('/v1/audit', 'get', await admin.get('/v1/audit'));
    expectDescribed('/v1/mesh/services', 'get', await admin.get('/v1/mesh/services'));
  });

  it('are described by the server itself', async () => {
    const admin = await startConfigured();
    const { status, body } = await admin.get('/openapi.json');
    expect([status, body]).toEqual([200, document]);
    expect((await admin.get('/openapi.json', { authorization: 'Bearer x' })).status).toBe(401);
  });
});
