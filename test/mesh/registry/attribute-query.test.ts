import { describe, expect, it } from 'vitest';
import { compileQuery, type AttributeQuery } from '../../../src/mesh/registry/attribute-query.ts';

const V2 = { version: 'v2.3.1', zone: 'eu-1a', tier: 'gold' };

describe('a query by attributes', () => {
  it.each<[AttributeQuery, boolean]>([
    [{}, true],
    [{ zone: 'eu-1a' }, true],
    [{ zone: 'eu-1b' }, false],
    [{ zone: 'eu-1a', tier: 'gold' }, true],
    [{ zone: 'eu-1a', tier: 'silver' }, false],
    [{ missing: '' }, false],
    [{ zone: { in: ['eu-1b', 'eu-1a'] } }, true],
    [{ zone: { in: [] } }, false],
    [{ missing: { in: ['a'] } }, false],
    [{ zone: { notIn: ['eu-1b'] } }, true],
    [{ zone: { notIn: ['eu-1a'] } }, false],
    [{ missing: { notIn: ['a'] } }, true],
    [{ tier: { exists: true }, missing: { exists: false } }, true],
    [{ tier: { exists: false } }, false],
    [{ constructor: { exists: false } }, true],
    [{ version: { range: '^2.1' } }, true],
    [{ version: { range: '>=2.3.1 <3' } }, true],
    [{ version: { range: '~2.2 || 3.x' } }, false],
    [{ missing: { range: '*' } }, false],
    [{ zone: { range: '>=2' } }, false],
  ])('%j: %s', (query, fits) => {
    expect(compileQuery(query)(V2)).toBe(fits);
  });

  it.each([
    ['v2', '^2', true],
    ['2.1', '>=2.1.0', true],
    ['1.9.9', '^2', false],
    ['2.0.0-rc.1', '^2', false],
    ['2.0.0-rc.1', '^2.0.0-rc', true],
    ['2.0.0-rc.1', '>=1', false],
    ['main', '*', false],
  ])('version %s in %s: %s', (version, range, fits) => {
    expect(compileQuery({ version: { range } })({ version })).toBe(fits);
  });

  it('refuses a range that is none', () => {
    expect(() => compileQuery({ version: { range: 'newest' } })).toThrow(/newest/);
  });
});
