import { describe, expect, it } from 'vitest';
import type { CreatedToken } from '../../src/admin/resources/tokens.ts';
import { services } from '../../src/cli/services.ts';
import { token } from '../../src/cli/token.ts';
import { parseExpiry, parseScope, toScopeText } from '../../src/cli/token-options.ts';
import { startAdmin, stopAdminsAfterEach } from '../admin/admin-fixture.ts';
import { makeToken } from '../admin/token-fixture.ts';
import { runAdminVerb } from './admin-verbs.ts';
import { runVerb } from './verb-run.ts';

stopAdminsAfterEach();

describe('meshgate token create', () => {
  it('prints the text alone on standard output, and it works', async () => {
    const admin = await startAdmin();
    const { code, stdout, stderr } = await runAdminVerb(admin, token, 'create', 'ci');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^mg_[\w-]{43}\n$/);
    expect(stderr).toMatch(/^token [0-9a-f]{16} "ci" \(viewer\) expires at .*; its text is shown/);
    const env = { MESHGATE_ADMIN: admin.url, MESHGATE_TOKEN: stdout.trim() };
    expect((await runVerb(services, [], '/', env)).code).toBe(0);
    const refused = await runVerb(token, ['list'], '/', env);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      'meshgate token list: This needs the role "admin"; the token "ci" has the role "viewer".\n',
    ]);
  });

  it('takes a role, an expiry and a scope, and prints all as JSON', async () => {
    const admin = await startAdmin();
    const { code, stdout } = await runAdminVerb(
      admin,
      token,
      ...'create shop --role operator --expires never --json'.split(' '),
      ...'--scope services=shop-,cart- --scope routes --label routes:team=red'.split(' '),
    );
    expect(code).toBe(0);
    const made = JSON.parse(stdout) as CreatedToken;
    expect(made).toMatchObject({
      name: 'shop',
      role: 'operator',
      expires_at: null,
      scope: { services: { prefixes: ['shop-', 'cart-'] }, routes: { labels: { team: 'red' } } },
    });
    expect(made.token).toMatch(/^mg_/);
  });

  it.each([
    [[], 'one name'],
    [['a', 'b'], 'one name'],
    [['a', '--role', 'root'], 'a role is viewer, operator, admin, not root'],
    [['a', '--expires', 'soon'], 'not a duration such as 12h or 30d, nor "never": soon'],
    [['a', '--scope', 'gateways=x'], 'a scope is of services, routes, consumers, plugins'],
    [['a', '--scope', 'services=a,'], 'a beginning of names is empty'],
    [['a', '--label', 'services:team'], 'not KIND:KEY=VALUE'],
  ])('ends with 2 for %j', async (argv, message) => {
    const admin = await startAdmin();
    const { code, stdout, stderr } = await runAdminVerb(admin, token, 'create', ...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('meshgate token create NAME');
  });

  it('ends with 1 for what the API refuses, and says where', async () => {
    const admin = await startAdmin();
    const { code, stderr } = await runAdminVerb(admin, token, 'create', 'no name');
    expect(code).toBe(1);
    expect(stderr).toContain('#/name: must match pattern');
  });
});

describe('meshgate token list', () => {
  it('shows a table without texts', async () => {
    const admin = await startAdmin();
    const made = await makeToken(admin, {
      name: 'shop',
      role: 'operator',
      scope: { services: { prefixes: ['shop-'], labels: { a: 'b' } } },
    });
    const { code, stdout } = await runAdminVerb(admin, token, 'list');
    expect(code).toBe(0);
    const [head, line] = stdout.split('\n');
    expect(head).toMatch(/^ID +NAME +ROLE +STATE +EXPIRES +LAST USED +MADE BY +SCOPE$/);
    expect(line).toMatch(
      new RegExp(
        `^${made.id}  shop  operator  active  ${made.expires_at}  - +admin-token  services=shop- services:a=b$`,
      ),
    );
    expect(stdout).not.toContain('mg_');
    const { stdout: json } = await runAdminVerb(admin, token, 'list', '--json');
    expect(JSON.parse(json)).toMatchObject([{ id: made.id, name: 'shop' }]);
  });

  it('says so where there are none', async () => {
    const admin = await startAdmin();
    const { stdout } = await runAdminVerb(admin, token, 'list');
    expect(stdout).toBe('there are no tokens but those in the data directories of nodes\n');
    expect((await runAdminVerb(admin, token, 'list', '--json')).stdout).toBe('[]\n');
  });
});

describe('meshgate token revoke', () => {
  it('takes names and ids, and tells what is not there', async () => {
    const admin = await startAdmin();
    const [a, b] = [await makeToken(admin, { name: 'a' }), await makeToken(admin, { name: 'b' })];
    expect(await runAdminVerb(admin, token, 'revoke', 'a', 'none', b.id)).toEqual({
      code: 1,
      stdout: `a (${a.id}): revoked\nb (${b.id}): revoked\n`,
      stderr: 'meshgate token revoke: none: there is no such token\n',
    });
    const env = { MESHGATE_ADMIN: admin.url, MESHGATE_TOKEN: a.token };
    const { code, stderr } = await runVerb(services, [], '/', env);
    expect([code, stderr.includes('does not know the token')]).toEqual([1, true]);
  });

  it('ends with 2 for a name that several have, and revokes none', async () => {
    const admin = await startAdmin();
    const [one, two] = [
      await makeToken(admin, { name: 'a' }),
      await makeToken(admin, { name: 'a' }),
    ];
    const { code, stdout, stderr } = await runAdminVerb(admin, token, 'revoke', 'a');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('several tokens are named "a"');
    expect([stderr.includes(one.id), stderr.includes(two.id)]).toEqual([true, true]);
    const done = await runAdminVerb(admin, token, 'revoke', one.id, '--json');
    expect(JSON.parse(done.stdout)).toMatchObject([{ id: one.id }]);
  });
});

describe('meshgate token', () => {
  it.each([[[]], [['make']], [['revoke']], [['--json']]])('ends with 2 for %j', async (argv) => {
    const admin = await startAdmin();
    const { code, stderr } = await runAdminVerb(admin, token, ...argv);
    expect(code).toBe(2);
    expect(stderr).toContain('meshgate token revoke NAME|ID…');
  });
});

describe('options of a token', () => {
  it.each([
    ['90m', 5_400],
    ['12h', 43_200],
    ['30d', 2_592_000],
    ['never', null],
  ])('the expiry %s', (text, seconds) => {
    expect(parseExpiry(text)).toEqual({ expires_in_seconds: seconds });
  });

  it('a scope is shown as it is written', () => {
    const parsed = parseScope(['services=a,b', 'plugins', 'routes'], ['routes:x=y=z']);
    expect(parsed).toEqual({
      scope: {
        services: { prefixes: ['a', 'b'] },
        plugins: {},
        routes: { labels: { x: 'y=z' } },
      },
    });
    const { scope } = parsed as { scope: Parameters<typeof toScopeText>[0] };
    expect(toScopeText(scope)).toBe('services=a,b routes:x=y=z plugins');
    expect([toScopeText(null), parseScope()]).toEqual(['-', {}]);
  });
});
