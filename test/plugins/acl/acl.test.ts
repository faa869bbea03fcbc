/** The answers of `acl`, and the lists that it refuses. */
import { describe, expect, it } from 'vitest';
import { acl } from '../../../src/plugins/acl/acl.ts';
import { configure, createTestContext, createTestExchange } from '../fixtures.ts';

const create = (config: object) => acl.create(configure(acl, config), createTestContext());
const consumer = { name: 'acme', groups: ['gold'] };

describe('acl', () => {
  it('stands where authentication is done', () => {
    expect(acl.stage).toBe('authorize');
  });

  it('lets a listed caller through', () => {
    const hooks = create({ allow: { groups: ['gold'] } });
    expect(hooks.onRequest!(createTestExchange({ consumer }))).toBeUndefined();
  });

  it('answers 403 to a caller that is not listed', () => {
    const hooks = create({ allow: { groups: ['silver'] } });
    const result = hooks.onRequest!(createTestExchange({ consumer }));
    expect(result).toMatchObject({ status: 403, code: 'forbidden' });
  });

  it('answers 401 with a challenge to an unknown caller', () => {
    const hooks = create({ allow: { groups: ['gold'] }, challenge: 'ApiKey realm="orders"' });
    expect(hooks.onRequest!(createTestExchange())).toMatchObject({
      status: 401,
      code: 'unauthenticated',
      headers: ['www-authenticate', 'ApiKey realm="orders"'],
    });
  });

  it.each([
    [{}],
    [{ allow: {} }],
    [{ allow: { groups: ['gold'] }, deny: {} }],
    [{ allow: { groups: [] } }],
    [{ allow: { claims: {} } }],
    [{ allow: { claims: { role: [] } } }],
    [{ allow: { group: ['gold'] } }],
    [{ deny: { claims: { role: 'x' } } }],
  ])('refuses %j, which does not list anybody', (config) => {
    expect(() => create(config)).toThrow(/lists nobody|must NOT have/);
  });
});
