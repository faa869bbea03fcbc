import { describe, expect, it } from 'vitest';
import { startAdmin, stopAdminsAfterEach } from './admin-fixture.ts';
import { startConfigured } from './configured-admin.ts';
import { makeToken } from './token-fixture.ts';

stopAdminsAfterEach();

describe('a path that is asked by a method that it has not', () => {
  it.each([
    ['POST', '/v1/routes', 'GET, HEAD'],
    ['PUT', '/v1/tokens', 'GET, HEAD, POST'],
    ['GET', '/v1/config/rollback', 'POST'],
    ['POST', '/v1/routes/orders?message=x', 'DELETE, GET, HEAD, PATCH, PUT'],
    ['OPTIONS', '/v1/mesh/services/a/endpoints/b%2Fc/weight', 'PUT'],
  ])('answers %s %s with 405 and those that it has', async (method, path, allow) => {
    const admin = await startConfigured();
    const { status, headers, body } = await admin.ask(path, { method });
    expect([status, body['code'], headers['allow']]).toEqual([405, 'method_not_allowed', allow]);
    expect(body['detail']).toContain(allow);
  });

  it('tells it only to who is known, and of no path that there is not', async () => {
    const admin = await startAdmin();
    const stranger = { method: 'PUT', headers: { authorization: 'Bearer no' } };
    expect((await admin.ask('/v1/mesh/nodes', stranger)).status).toBe(401);
    for (const path of ['/v1/mesh', '/v1/mesh/nodes/', '/v1//nodes', '/v2']) {
      const { status, headers } = await admin.ask(path, { method: 'PUT' });
      expect([status, headers['allow']]).toEqual([404, undefined]);
    }
  });
});

describe('an empty body', () => {
  const headers = { 'content-type': 'application/json' };

  it('is none, where none is asked for', async () => {
    const admin = await startAdmin();
    const { id } = await makeToken(admin, {});
    const path = `/v1/tokens/${id}`;
    expect((await admin.ask(path, { method: 'DELETE', headers })).status).toBe(204);
  });

  it('is missed where one is', async () => {
    const admin = await startAdmin();
    const { status, body } = await admin.ask('/v1/tokens', { method: 'POST', headers });
    expect([status, body['detail']]).toEqual([400, 'A body is required.']);
  });
});
