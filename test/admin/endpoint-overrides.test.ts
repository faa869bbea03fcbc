import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { MeshEndpoint } from '../../src/admin/views/mesh-services.ts';
import { Problem } from '../../src/admin/problem.ts';
import { createRegistry } from '../../src/mesh/registry/registry.ts';
import { CLOCK, SILENT } from '../contracts/backplane-fixture.ts';
import { openRedisPair } from '../redis/open-backplane.ts';
import {
  startAdmin,
  stopAdminsAfterEach,
  type AdminAnswer,
  type TestAdmin,
} from './admin-fixture.ts';

stopAdminsAfterEach();

const ajv = new Ajv({ strict: false });
const isEndpoint = ajv.compile(MeshEndpoint);
const isProblem = ajv.compile(Problem);

async function open(): Promise<TestAdmin> {
  const admin = await startAdmin();
  await admin.register('orders', { id: '[::1]:80', host: '::1', port: 80, weight: 2 });
  await admin.register('orders', { id: 'eu/1 ä', host: '10.0.0.2', port: 80 });
  return admin;
}

function put(
  admin: TestAdmin,
  what: 'weight' | 'drain',
  body: unknown,
  id = '[::1]:80',
  service = 'orders',
): Promise<AdminAnswer> {
  const path = `/v1/mesh/services/${service}/endpoints/${encodeURIComponent(id)}/${what}`;
  return admin.ask(path, { method: 'PUT', body });
}

async function overrideOf(admin: TestAdmin, id = '[::1]:80'): Promise<unknown> {
  const { overrides } = await admin.registry.read({ service: 'orders', includeDraining: true });
  return overrides.get(id);
}

describe('PUT …/weight', () => {
  it('sets the weight for every node, and takes it back with null', async () => {
    const admin = await open();
    for (const weight of [5, 0, 0.25, 1_000_000]) {
      const { status, body } = await put(admin, 'weight', { weight });
      expect(isEndpoint(body)).toBe(true);
      expect([status, body['weight'], body['registered_weight'], body['operator_weight']]).toEqual([
        200,
        weight,
        2,
        weight,
      ]);
      expect(await overrideOf(admin)).toEqual({ weight, drain: false });
    }
    const { status, body } = await put(admin, 'weight', { weight: null });
    expect([status, body['weight'], body['operator_weight']]).toEqual([200, 2, null]);
    expect(await overrideOf(admin)).toBeUndefined();
  });

  it('twice is as once', async () => {
    const admin = await open();
    const answers = [
      await put(admin, 'weight', { weight: 3 }),
      await put(admin, 'weight', { weight: 3 }),
    ];
    expect(answers[0]!.body).toEqual(answers[1]!.body);
  });

  it('takes an id of any characters', async () => {
    const admin = await open();
    const { status, body } = await put(admin, 'weight', { weight: 7 }, 'eu/1 ä');
    expect([status, body['id']]).toEqual([200, 'eu/1 ä']);
    expect(await overrideOf(admin, 'eu/1 ä')).toEqual({ weight: 7, drain: false });
  });

  it('leaves a drain as it is, and a drain the weight', async () => {
    const admin = await open();
    await put(admin, 'drain', { drain: true });
    const { body } = await put(admin, 'weight', { weight: 4 });
    expect(body).toMatchObject({ operator_drain: true, operator_weight: 4 });
    await put(admin, 'drain', { drain: false });
    expect(await overrideOf(admin)).toEqual({ weight: 4, drain: false });
  });

  it.each<[string, unknown, object[]]>([
    ['nothing', {}, [{ pointer: '#/weight', detail: 'is missing' }]],
    ['a text', { weight: '5' }, [{ pointer: '#/weight', detail: 'must be number,null' }]],
    ['less than none', { weight: -1 }, [{ pointer: '#/weight', detail: 'must be >= 0' }]],
    ['too much', { weight: 1e7 }, [{ pointer: '#/weight', detail: 'must be <= 1000000' }]],
    [
      'two mistakes',
      { wieght: 5, 'a/b': 1 },
      [
        { pointer: '#/weight', detail: 'is missing' },
        { pointer: '#/wieght', detail: 'is not known here' },
        { pointer: '#/a~1b', detail: 'is not known here' },
      ],
    ],
    ['a list', [5], [{ pointer: '#', detail: 'must be object' }]],
  ])('refuses %s, and points at it', async (_, body, errors) => {
    const admin = await open();
    const answer = await put(admin, 'weight', body);
    expect(isProblem(answer.body)).toBe(true);
    expect([answer.status, answer.body['code']]).toEqual([422, 'invalid']);
    expect(answer.body['errors']).toEqual(errors);
    expect(await overrideOf(admin)).toBeUndefined();
  });

  it.each<[string, number, string, { body?: string; headers?: Record<string, string> }]>([
    ['no JSON', 400, 'bad_request', { body: '{"weight":' }],
    ['an empty body', 400, 'bad_request', { body: '' }],
    ['a poisoned body', 400, 'bad_request', { body: '{"weight":1,"__proto__":{"a":1}}' }],
    [
      'a form',
      415,
      'unsupported_media_type',
      { body: 'weight=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
    [
      'plain text',
      415,
      'unsupported_media_type',
      { body: '{"weight":1}', headers: { 'content-type': 'text/plain' } },
    ],
    ['more than 64 KiB', 413, 'payload_too_large', { body: `"${'a'.repeat(65_536)}"` }],
  ])('refuses %s with %i', async (_, status, code, ask) => {
    const admin = await open();
    const path = '/v1/mesh/services/orders/endpoints/%5B::1%5D:80/weight';
    const answer = await admin.ask(path, { method: 'PUT', ...ask });
    expect(isProblem(answer.body)).toBe(true);
    expect([answer.status, answer.body['code']]).toEqual([status, code]);
    expect(await overrideOf(admin)).toBeUndefined();
  });

  it('is 404 for what the mesh does not know, and leaves nothing behind', async () => {
    const admin = await open();
    const unknown = await put(admin, 'weight', { weight: 1 }, 'nobody');
    expect([unknown.status, unknown.body['detail']]).toEqual([
      404,
      'The service "orders" has no endpoint "nobody".',
    ]);
    const elsewhere = await put(admin, 'weight', { weight: 1 }, '[::1]:80', 'payments');
    expect(elsewhere.status).toBe(404);
    expect(elsewhere.body['detail']).toContain('"payments"');
    expect(await overrideOf(admin, 'nobody')).toBeUndefined();
    const odd = await put(admin, 'weight', { weight: 1 }, '[::1]:80', 'no%20name');
    expect([odd.status, odd.body['errors']]).toMatchObject([422, [{ parameter: 'service' }]]);
  });

  it('of one that is no longer registered can be taken back', async () => {
    const admin = await open();
    await admin.registry.override('orders', 'gone', { weight: 3, drain: true });
    expect((await put(admin, 'weight', { weight: null }, 'gone')).status).toBe(200);
    const { status, body } = await put(admin, 'drain', { drain: false }, 'gone');
    expect([status, body['state']]).toEqual([200, 'absent']);
    expect((await put(admin, 'drain', { drain: false }, 'gone')).status).toBe(404);
  });
});

describe('PUT …/drain', () => {
  it('drains the endpoint for every node, and takes it into use again', async () => {
    const admin = await open();
    const drained = await put(admin, 'drain', { drain: true });
    expect([drained.status, drained.body['state'], drained.body['operator_drain']]).toEqual([
      200,
      'draining',
      true,
    ]);
    expect((await admin.registry.query({ service: 'orders' })).map(({ id }) => id)).toEqual([
      'eu/1 ä',
    ]);
    const undone = await put(admin, 'drain', { drain: false });
    expect([undone.status, undone.body['state']]).toEqual([200, 'healthy']);
    expect((await admin.registry.query({ service: 'orders' })).length).toBe(2);
  });

  it.each([{ drain: 'true' }, { drain: null }, { drain: 1 }, {}])('refuses %j', async (body) => {
    const admin = await open();
    const { status, body: problem } = await put(admin, 'drain', body);
    expect([status, problem['errors']]).toMatchObject([422, [{ pointer: '#/drain' }]]);
  });
});

describe('on Redis', () => {
  it('a decision made at one node is in force at the other', async () => {
    const pair = await openRedisPair('single');
    const seen: (number | undefined)[] = [];
    const reached = Promise.withResolvers<void>();
    const stop = createRegistry(pair.there).watch({ service: 'orders' }, ({ overrides }) => {
      seen.push(overrides.get('a')?.weight);
      if (seen.at(-1) === 9) reached.resolve();
    });
    const admin = await startAdmin({
      backplane: pair.here,
      registry: createRegistry(pair.here),
      clock: CLOCK,
      log: SILENT,
    });
    await pair.here.change('svc:orders', [
      { type: 'put', kind: 'inst', id: 'a', value: { host: '10.0.0.1', port: 80 } },
    ]);
    expect((await put(admin, 'weight', { weight: 9 }, 'a')).status).toBe(200);
    await reached.promise;
    stop();
    await admin.stop();
    await pair.close();
  });
});
