/** Tokens of a test's admin API. */
import type { Role } from '../../src/admin/access/principal.ts';
import type { Scope } from '../../src/admin/access/scope.ts';
import type { CreatedToken } from '../../src/admin/resources/tokens.ts';
import { send, type AdminAnswer, type Ask, type TestAdmin } from './admin-fixture.ts';

export async function makeToken(
  admin: TestAdmin,
  body: { readonly name?: string; readonly role?: Role; readonly scope?: Scope },
): Promise<CreatedToken> {
  const answer = await admin.ask('/v1/tokens', {
    method: 'POST',
    body: { name: 'test', role: 'viewer', ...body },
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body as unknown as CreatedToken;
}

export function askWith(
  admin: TestAdmin,
  token: string,
  path: string,
  ask: Ask = {},
): Promise<AdminAnswer> {
  const headers = { authorization: `Bearer ${token}`, ...ask.headers };
  return send(admin.port, path, { ...ask, headers });
}
