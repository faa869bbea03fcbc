/** Whom an access list lets through. */
import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/plugins/acl/verdict.ts';

const acme = { name: 'acme', groups: ['gold', 'eu'] };
const nobody = { name: 'nobody', groups: [] };

describe('an access list', () => {
  it.each([
    ['a listed group', { allow: { groups: ['silver', 'gold'] } }, acme, undefined, 'pass'],
    ['a listed name', { allow: { consumers: ['acme'] } }, acme, undefined, 'pass'],
    [
      'a listed name though no group',
      { allow: { groups: ['x'], consumers: ['acme'] } },
      acme,
      undefined,
      'pass',
    ],
    ['neither', { allow: { groups: ['x'], consumers: ['y'] } }, acme, undefined, 'forbidden'],
    ['no groups at all', { allow: { groups: ['gold'] } }, nobody, undefined, 'forbidden'],
    [
      'a denied group beside an allowed name',
      { allow: { consumers: ['acme'] }, deny: { groups: ['eu'] } },
      acme,
      undefined,
      'forbidden',
    ],
    [
      'a denied name beside an allowed group',
      { allow: { groups: ['gold'] }, deny: { consumers: ['acme'] } },
      acme,
      undefined,
      'forbidden',
    ],
    ['somebody else denied', { deny: { consumers: ['mallory'] } }, acme, undefined, 'pass'],
    [
      'no identity, where only denied are listed',
      { deny: { consumers: ['mallory'] } },
      undefined,
      undefined,
      'unauthenticated',
    ],
    ['no identity', { allow: { groups: ['gold'] } }, undefined, undefined, 'unauthenticated'],
    [
      'claims but no consumer',
      { allow: { groups: ['gold'] } },
      undefined,
      { sub: 'x' },
      'forbidden',
    ],
    ['the claim', { allow: { claims: { role: 'admin' } } }, undefined, { role: 'admin' }, 'pass'],
    [
      "one of the claim's values",
      { allow: { claims: { role: ['a', 'b'] } } },
      undefined,
      { role: 'b' },
      'pass',
    ],
    [
      'the claim in a list',
      { allow: { claims: { roles: 'admin' } } },
      undefined,
      { roles: ['x', 'admin'] },
      'pass',
    ],
    [
      'the claim among the scopes',
      { allow: { claims: { scope: 'read' } } },
      undefined,
      { scope: 'write read' },
      'pass',
    ],
    [
      'a longer scope',
      { allow: { claims: { scope: 'read' } } },
      undefined,
      { scope: 'reader read.all' },
      'forbidden',
    ],
    ['one claim of two', { allow: { claims: { a: 1, b: 2 } } }, undefined, { a: 1 }, 'forbidden'],
    [
      'the group but not the claim',
      { allow: { groups: ['gold'], claims: { a: 1 } } },
      acme,
      { a: 2 },
      'forbidden',
    ],
    [
      'the claim but not the group',
      { allow: { groups: ['x'], claims: { a: 1 } } },
      acme,
      { a: 1 },
      'forbidden',
    ],
    [
      'the group and the claim',
      { allow: { groups: ['gold'], claims: { a: 1 } } },
      acme,
      { a: 1 },
      'pass',
    ],
    ['a consumer without claims', { allow: { claims: { a: 1 } } }, acme, undefined, 'forbidden'],
  ] as const)('sees %s', (_name, config, consumer, claims, verdict) => {
    const lists = structuredClone(config) as Parameters<typeof judge>[0];
    expect(judge(lists, consumer, claims)).toBe(verdict);
  });
});
