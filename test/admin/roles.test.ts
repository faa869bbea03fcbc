import { describe, expect, it } from 'vitest';
import {
  isProblem,
  send,
  startAdmin,
  stopAdminsAfterEach,
  type AdminAnswer,
  type Ask,
  type TestAdmin,
} from './admin-fixture.ts';
import { askWith, makeToken } from './token-fixture.ts';

stopAdminsAfterEach();

const WEIGHT = '/v1/mesh/services/shop-web/endpoints/a/weight';

async function register(admin: TestAdmin): Promise<void> {
  await admin.register('shop-web', {
    id: 'a',
    host: '10.0.0.1',
    port: 80,
    metadata: { team: 'red' },
  });
  await admin.register('billing', {
    id: 'b',
    host: '10.0.0.2',
    port: 80,
    metadata: { team: 'red' },
  });
  await admin.register('billing', { id: 'c', host: '10.0.0.3', port: 80 });
}

describe('a role', () => {
  it('is needed for each path; the refusal names it', async () => {
    const admin = await startAdmin();
    await register(admin);
    const paths: [string, Ask][] = [
      ['/v1/mesh/services', {}],
      ['/v1/mesh/endpoints', {}],
      ['/v1/mesh/nodes', {}],
      ['/v1/mesh/topology', {}],
      ['/v1/mesh/metrics', {}],
      // Without a role it would be 403, and there is nobody of that name.
      ['/v1/nodes/nobody/tokens', {}],
      ['/v1/tap?status=no', {}],
      [WEIGHT, { method: 'PUT', body: { weight: 1 } }],
      [WEIGHT.replace('weight', 'drain'), { method: 'PUT', body: { drain: false } }],
      ['/v1/tokens', {}],
      ['/v1/tokens', { method: 'POST', body: { name: 'x', role: 'admin' } }],
      ['/v1/tokens/0123456789abcdef', {}],
      ['/v1/tokens/0123456789abcdef', { method: 'DELETE' }],
      ['/v1/audit', {}],
    ];
    const table: unknown[] = [];
    for (const role of ['viewer', 'operator', 'admin'] as const) {
      const { token } = await makeToken(admin, { role });
      const row: number[] = [];
      for (const [path, ask] of paths) {
        const { status, body, headers } = await askWith(admin, token, path, ask);
        row.push(status);
        if (status !== 403) continue;
        expect(isProblem(body)).toBe(true);
        expect(body['detail']).toMatch(/needs the role "(operator|admin)"; .* has the role "/);
        expect(headers['www-authenticate']).toContain('error="insufficient_scope"');
      }
      table.push(row);
    }
    expect(table).toEqual([
      [200, 200, 200, 200, 200, 404, 403, 403, 403, 403, 403, 403, 403, 403],
      [200, 200, 200, 200, 200, 404, 422, 200, 200, 403, 403, 403, 403, 403],
      [200, 200, 200, 200, 200, 404, 422, 200, 200, 200, 201, 404, 404, 200],
    ]);
  });

  it('is the same for HEAD as for GET', async () => {
    const admin = await startAdmin();
    const { token } = await makeToken(admin, {});
    const head = { method: 'HEAD' };
    expect((await askWith(admin, token, '/v1/tokens', head)).status).toBe(403);
    expect((await askWith(admin, token, '/v1/mesh/nodes', head)).status).toBe(200);
  });

  it('leaves nothing to be learnt of paths: what leads nowhere is 404 for all who are known', async () => {
    const admin = await startAdmin();
    const { token } = await makeToken(admin, {});
    expect((await askWith(admin, token, '/v1/nothing')).status).toBe(404);
    expect((await send(admin.port, '/v1/nothing')).status).toBe(401);
  });
});

describe('a scope', () => {
  it('by prefixes hides other services, and refuses to change them', async () => {
    const admin = await startAdmin();
    await register(admin);
    const { token } = await makeToken(admin, {
      role: 'operator',
      scope: { services: { prefixes: ['shop-'] } },
    });
    const ask = (path: string, ask?: Ask): Promise<AdminAnswer> => askWith(admin, token, path, ask);
    expect((await ask('/v1/mesh/services')).body['items']).toMatchObject([{ name: 'shop-web' }]);
    expect((await ask('/v1/mesh/endpoints')).body['items']).toMatchObject([{ id: 'a' }]);
    const put = { method: 'PUT', body: { weight: 3 } };
    expect((await ask(WEIGHT, put)).status).toBe(200);
    for (const path of ['billing/endpoints/b', 'billing/endpoints/none', 'none/endpoints/x']) {
      const { status, body } = await ask(`/v1/mesh/services/${path}/weight`, put);
      expect([status, body['code']]).toEqual([403, 'forbidden']);
    }
    const { overrides } = await admin.registry.read({ service: 'billing', includeDraining: true });
    expect(overrides.size).toBe(0);
  });

  it("by labels is about endpoints' metadata", async () => {
    const admin = await startAdmin();
    await register(admin);
    const { token } = await makeToken(admin, {
      role: 'operator',
      scope: { services: { labels: { team: 'red' } } },
    });
    const { body } = await askWith(admin, token, '/v1/mesh/services');
    expect(body['items']).toMatchObject([
      { name: 'billing', endpoints: { total: 1 } },
      { name: 'shop-web', endpoints: { total: 1 } },
    ]);
    const put = { method: 'PUT', body: { drain: true } };
    const path = '/v1/mesh/services/billing/endpoints';
    expect((await askWith(admin, token, `${path}/b/drain`, put)).status).toBe(200);
    expect((await askWith(admin, token, `${path}/c/drain`, put)).status).toBe(403);
  });

  it('is refused where the whole is asked for', async () => {
    const admin = await startAdmin();
    const { token } = await makeToken(admin, { scope: { services: {} } });
    const { status, body } = await askWith(admin, token, '/v1/mesh/nodes');
    expect([status, body['detail']]).toEqual([
      403,
      'This needs a token without a scope; "test" has one.',
    ]);
  });
});
