/** How claims are read and compared. */
import { describe, expect, it } from 'vitest';
import { claimMatches, readClaim } from '../../../src/plugins/sdk/plugin.ts';

describe('reading a claim', () => {
  it.each([
    [{ sub: 'a' }, 'sub', 'a'],
    [{ 'https://x.example.com/roles': ['a'] }, 'https://x.example.com/roles', ['a']],
    [{ realm_access: { roles: ['a'] } }, 'realm_access.roles', ['a']],
    [{ 'a.b': 1, a: { b: 2 } }, 'a.b', 1],
    [{ a: 'text' }, 'a.length', undefined],
    [{ a: null }, 'a.b', undefined],
    [{}, 'constructor', undefined],
    [{ a: {} }, 'a.constructor.name', undefined],
    [{}, '__proto__', undefined],
  ])('of %j by %j gives %j', (claims, name, value) => {
    expect(readClaim(claims, name)).toEqual(value);
  });
});

describe('a claim matches', () => {
  it.each([
    [{ role: 'admin' }, 'role', 'admin', true],
    [{ role: 'admin' }, 'role', ['x', 'admin'], true],
    [{ roles: ['x', 'admin'] }, 'roles', 'admin', true],
    [{ scope: 'read write' }, 'scope', 'write', true],
    [{ scp: 'read write' }, 'scp', ['write'], true],
    [{ name: 'alice admin' }, 'name', 'admin', false],
    [{ level: 3 }, 'level', 3, true],
    [{ level: 3 }, 'level', '3', false],
    [{ ok: true }, 'ok', true, true],
    [{}, 'role', 'admin', false],
    [{ role: null }, 'role', 'admin', false],
    [{ roles: [['admin']] }, 'roles', 'admin', false],
  ] as const)('%j, %j, %j: %j', (claims, name, wanted, matches) => {
    expect(claimMatches(claims, name, wanted)).toBe(matches);
  });
});
