import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Problem } from '../../src/admin/problem.ts';
import { CreatedToken, Token } from '../../src/admin/resources/tokens.ts';
import { services } from '../../src/cli/services.ts';
import { createRegistry } from '../../src/mesh/registry/registry.ts';
import { CLOCK, watchSpace, type BackplanePair } from '../contracts/backplane-fixture.ts';
import { runVerb } from '../cli/verb-run.ts';
import { openEmbeddedPair, openRedisPair } from '../redis/open-backplane.ts';
import {
  send,
  startAdmin,
  stopAdminsAfterEach,
  type AdminAnswer,
  type Ask,
  type TestAdmin,
} from './admin-fixture.ts';
import { askWith, makeToken } from './token-fixture.ts';
import { toUnsteady, type UnsteadyBackplane } from './unsteady-backplane.ts';

stopAdminsAfterEach();

const ajv = new Ajv({ strict: false });
const isToken = ajv.compile(Token);
const isCreated = ajv.compile(CreatedToken);
const isProblem = ajv.compile(Problem);

const WEIGHT = '/v1/mesh/services/shop-web/endpoints/a/weight';

function post(admin: TestAdmin, body: unknown, ask: Ask = {}): Promise<AdminAnswer> {
  return admin.ask('/v1/tokens', { method: 'POST', body, ...ask });
}

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

describe('POST /v1/tokens', () => {
  it('makes a token, shows its text once, and says where it is', async () => {
    const admin = await startAdmin();
    const before = Date.now();
    const { status, headers, body } = await post(admin, { name: 'ci', role: 'operator' });
    expect([status, isCreated(body)]).toEqual([201, true]);
    expect(headers['location']).toBe(`/v1/tokens/${body['id'] as string}`);
    expect(body).toMatchObject({
      name: 'ci',
      role: 'operator',
      scope: null,
      state: 'active',
      created_by: 'admin-token',
      last_used_at: null,
    });
    expect(body['token']).toMatch(/^mg_[\w-]{43}$/);
    const days = (Date.parse(body['expires_at'] as string) - before) / 86_400_000;
    expect(Math.round(days)).toBe(90);

    const found = await admin.ask(headers['location'] as string);
    expect([found.status, isToken(found.body)]).toEqual([200, true]);
    const list = await admin.ask('/v1/tokens');
    expect(JSON.stringify([found.body, list.body])).not.toContain('mg_');
  });

  it('makes one that never expires for null, and another for each that asks', async () => {
    const admin = await startAdmin();
    const body = { name: 'ci', role: 'viewer', expires_in_seconds: null };
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(admin, body)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
    expect(answers[0]!.body['expires_at']).toBeNull();
    expect(new Set(answers.map((answer) => answer.body['id'])).size).toBe(8);
    const { body: list } = await admin.ask('/v1/tokens');
    expect((list['items'] as unknown[]).length).toBe(8);
  });

  it.each<[string, unknown, string[]]>([
    ['nothing', {}, ['#/name', '#/role']],
    ['an odd name', { name: 'a b', role: 'viewer' }, ['#/name']],
    ['the name of the local token', { name: 'admin-token', role: 'viewer' }, ['#/name']],
    ['an unknown role', { name: 'a', role: 'root' }, ['#/role']],
    ['a scope of nothing', { name: 'a', role: 'viewer', scope: {} }, ['#/scope']],
    ['an unknown kind', { name: 'a', role: 'viewer', scope: { x: {} } }, ['#/scope/x']],
    [
      'an empty prefix',
      { name: 'a', role: 'viewer', scope: { services: { prefixes: [''] } } },
      ['#/scope/services/prefixes/0'],
    ],
    ['a bound admin', { name: 'a', role: 'admin', scope: { services: {} } }, ['#/scope']],
    ['a moment', { name: 'a', role: 'viewer', expires_in_seconds: 1 }, ['#/expires_in_seconds']],
    ['its own text', { name: 'a', role: 'viewer', token: 'mg_1' }, ['#/token']],
  ])('refuses %s with 422, and points at it', async (_, body, pointers) => {
    const admin = await startAdmin();
    const answer = await post(admin, body);
    expect([answer.status, isProblem(answer.body)]).toEqual([422, true]);
    const errors = answer.body['errors'] as { pointer: string }[];
    expect(errors.map(({ pointer }) => pointer)).toEqual(pointers);
    expect((await admin.ask('/v1/tokens')).body['items']).toEqual([]);
  });

  it.each<[number, Ask]>([
    [400, { body: '{' }],
    [415, { body: 'name=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    [413, { body: `"${'a'.repeat(65_536)}"` }],
  ])('refuses a bad body with %i', async (status, ask) => {
    const admin = await startAdmin();
    expect((await post(admin, undefined, ask)).status).toBe(status);
  });
});

describe('GET /v1/tokens', () => {
  it('is read by pages and by filters', async () => {
    const admin = await startAdmin();
    for (const name of ['ci-1', 'ci-2', 'human']) await makeToken(admin, { name });
    await makeToken(admin, { name: 'ci-3', role: 'operator' });
    const names = async (query: string): Promise<string[]> => {
      const { body } = await admin.ask(`/v1/tokens?${query}`);
      return (body['items'] as Token[]).map(({ name }) => name).toSorted();
    };
    expect(await names('name=ci-')).toEqual(['ci-1', 'ci-2', 'ci-3']);
    expect(await names('name=ci-&role=viewer')).toEqual(['ci-1', 'ci-2']);
    const first = await admin.ask('/v1/tokens?page_size=3');
    const cursor = first.body['next_cursor'] as string;
    expect(await names(`page_size=3&cursor=${cursor}`)).toHaveLength(1);
    expect((await admin.ask('/v1/tokens?cursor=!')).status).toBe(422);
  });

  it('shows when a token was last used', async () => {
    const admin = await startAdmin();
    const made = await makeToken(admin, {});
    const before = Date.now();
    await askWith(admin, made.token, '/v1/mesh/services');
    const { body } = await admin.ask(`/v1/tokens/${made.id}`);
    expect(Date.parse(body['last_used_at'] as string)).toBeGreaterThanOrEqual(before);
  });

  it('answers from memory in an outage, and says how old it is; nothing can be made or revoked', async () => {
    let unsteady: UnsteadyBackplane | undefined;
    const admin = await startAdmin({}, (own) => (unsteady = toUnsteady(own, 3_000)).port);
    const made = await makeToken(admin, {});
    unsteady!.isAway = true;
    const { status, body } = await admin.ask('/v1/tokens');
    expect([status, body['staleness_seconds']]).toEqual([200, 3]);
    expect(body['items']).toMatchObject([{ id: made.id }]);
    const refused = [
      await post(admin, { name: 'a', role: 'viewer' }),
      await admin.ask(`/v1/tokens/${made.id}`, { method: 'DELETE' }),
    ];
    expect(refused.map((answer) => [answer.status, answer.body['code']])).toEqual([
      [503, 'backplane_unavailable'],
      [503, 'backplane_unavailable'],
    ]);
    expect((await askWith(admin, made.token, '/openapi-or-not')).status).toBe(404);
  });
});

describe('DELETE /v1/tokens/{id}', () => {
  it('revokes the token at once; the second time it is gone', async () => {
    const admin = await startAdmin();
    const made = await makeToken(admin, {});
    expect((await askWith(admin, made.token, '/v1/mesh/nodes')).status).toBe(200);
    const answers = await Promise.all(
      [1, 2].map(() => admin.ask(`/v1/tokens/${made.id}`, { method: 'DELETE' })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 404]);
    const refused = await askWith(admin, made.token, '/v1/mesh/nodes');
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="meshgate", error="invalid_token"',
    ]);
    expect((await admin.ask(`/v1/tokens/${made.id}`)).status).toBe(404);
    expect((await admin.ask('/v1/tokens')).body['items']).toEqual([]);
  });

  it('is 404 for one that never was, and 422 for what is no id', async () => {
    const admin = await startAdmin();
    const ask = (id: string): Promise<AdminAnswer> =>
      admin.ask(`/v1/tokens/${id}`, { method: 'DELETE' });
    expect((await ask('0123456789abcdef')).status).toBe(404);
    expect((await ask('local')).status).toBe(422);
  });
});

describe('a token that has expired', () => {
  it('is refused with 401, and told so', async () => {
    let aheadMs = 0;
    const admin = await startAdmin({ clock: { ...CLOCK, now: () => Date.now() + aheadMs } });
    const made = await makeToken(admin, { name: 'short' });
    aheadMs = 91 * 86_400_000;
    const { status, body } = await askWith(admin, made.token, '/v1/mesh/nodes');
    expect([status, body['code']]).toEqual([401, 'token_expired']);
    expect((await admin.ask(`/v1/tokens/${made.id}`)).body['state']).toBe('expired');
    const env = { MESHGATE_ADMIN: admin.url, MESHGATE_TOKEN: made.token };
    const { code, stderr } = await runVerb(services, [], '/', env);
    expect([code, stderr]).toEqual([1, expect.stringContaining('the token has expired')]);
  });
});

describe('a role', () => {
  it('is needed for each path; the refusal names it', async () => {
    const admin = await startAdmin();
    await register(admin);
    const paths: [string, Ask][] = [
      ['/v1/mesh/services', {}],
      ['/v1/mesh/endpoints', {}],
      ['/v1/mesh/nodes', {}],
      ['/v1/mesh/topology', {}],
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
      [200, 200, 200, 200, 403, 403, 403, 403, 403, 403, 403],
      [200, 200, 200, 200, 200, 200, 403, 403, 403, 403, 403],
      [200, 200, 200, 200, 200, 200, 200, 201, 404, 404, 200],
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

describe('bad tokens from one address', () => {
  /** Its time stands still. */
  const open = (): Promise<TestAdmin> =>
    startAdmin({ clock: { now: Date.now, monotonic: () => 1_000 } });

  function guess(admin: TestAdmin, i: number, ask: Ask = {}): Promise<AdminAnswer> {
    const token = `mg_${String(i).padStart(43, 'x')}`;
    return askWith(admin, token, '/v1/tokens', ask);
  }

  it('are answered with 429 and when to come again from the tenth on', async () => {
    const admin = await open();
    const statuses: number[] = [];
    for (let i = 0; i < 10; i++) statuses.push((await guess(admin, i)).status);
    expect(statuses).toEqual(Array(10).fill(401));
    const { status, headers, body } = await guess(admin, 10);
    expect([status, headers['retry-after'], body['code'], isProblem(body)]).toEqual([
      429,
      '1',
      'rate_limited',
      true,
    ]);
  });

  it('leave the way to tokens that were used from there, and tell nothing of others', async () => {
    const admin = await open();
    const [used, unused] = [await makeToken(admin, {}), await makeToken(admin, {})];
    expect((await askWith(admin, used.token, '/v1/mesh/nodes')).status).toBe(200);
    for (let i = 0; i < 11; i++) await guess(admin, i);
    expect((await askWith(admin, used.token, '/v1/mesh/nodes')).status).toBe(200);
    const [good, bad] = [await askWith(admin, unused.token, '/v1/tokens'), await guess(admin, 12)];
    expect([good.status, good.body['detail']]).toEqual([429, bad.body['detail']]);
  });

  it('shut out nobody elsewhere', async () => {
    const admin = await open();
    const made = await makeToken(admin, {});
    for (let i = 0; i < 10; i++) await guess(admin, i, { localAddress: '127.0.0.2' });
    expect((await guess(admin, 10, { localAddress: '127.0.0.2' })).status).toBe(429);
    expect((await askWith(admin, made.token, '/v1/mesh/nodes')).status).toBe(200);
  });

  it('do not make those wait who have none', async () => {
    const admin = await open();
    for (let i = 0; i < 11; i++) await guess(admin, i);
    expect((await send(admin.port, '/v1/tokens')).status).toBe(401);
  });
});

describe.each([
  ['the embedded backplane', openEmbeddedPair],
  ['Redis', () => openRedisPair('single')],
])('two nodes on %s', (_, open) => {
  let pair: BackplanePair;
  beforeAll(async () => {
    pair = await open();
  }, 60_000);
  afterAll(() => pair.close());

  it('take the same tokens, and refuse them once they are revoked on one', async () => {
    const start = (backplane: BackplanePair['here']): Promise<TestAdmin> =>
      startAdmin({ backplane, registry: createRegistry(backplane) });
    const [here, there] = [await start(pair.here), await start(pair.there)];
    onTestFinished(async () => {
      watching.stop();
      await here.stop();
      await there.stop();
    });
    // Added after the other node's own, which is therefore told first.
    const watching = watchSpace(pair.there, 'admin-tokens');
    const until = async (id: string, isRevoked: boolean): Promise<void> => {
      await watching.until(({ records }) => {
        const value = records('doc').get(id)?.value as { revoked?: object } | undefined;
        return value !== undefined && (value.revoked !== undefined) === isRevoked;
      });
    };
    const made = await makeToken(here, {});
    await until(made.id, false);
    expect((await askWith(there, made.token, '/v1/mesh/nodes')).status).toBe(200);
    expect((await here.ask(`/v1/tokens/${made.id}`, { method: 'DELETE' })).status).toBe(204);
    await until(made.id, true);
    expect((await askWith(there, made.token, '/v1/mesh/nodes')).status).toBe(401);
    // The first token of a node is its own.
    expect((await askWith(there, here.token, '/v1/mesh/nodes')).status).toBe(401);
  });
});
