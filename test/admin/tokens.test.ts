import { Ajv } from 'ajv';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CreatedToken, Token } from '../../src/admin/resources/tokens.ts';
import { services } from '../../src/cli/services.ts';
import { createRegistry } from '../../src/mesh/registry/registry.ts';
import { CLOCK, watchSpace, type BackplanePair } from '../contracts/backplane-fixture.ts';
import { runVerb } from '../cli/verb-run.ts';
import { EACH_BACKPLANE, usePair } from '../redis/each-backplane.ts';
import {
  isProblem,
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

function post(admin: TestAdmin, body: unknown, ask: Ask = {}): Promise<AdminAnswer> {
  return admin.ask('/v1/tokens', { method: 'POST', body, ...ask });
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
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 404]);
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

describe.each(EACH_BACKPLANE)('two nodes on %s', (_, open) => {
  const pair = usePair(open);

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
