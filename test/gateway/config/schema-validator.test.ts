import { Type, type TSchema } from 'typebox';
import { describe, expect, it } from 'vitest';
import {
  createSchemaValidator,
  type SchemaFindings,
} from '../../../src/gateway/config/schema-validator.ts';

const closed = { additionalProperties: false };

function check(schema: TSchema, value: unknown): SchemaFindings {
  return createSchemaValidator(schema, {})(value);
}

const source = Type.Union([
  Type.String({ minLength: 1 }),
  Type.Object({ file: Type.String(), watch: Type.Boolean({ default: true }) }, closed),
  Type.Object({ keys: Type.Array(Type.String(), { minItems: 1 }) }, closed),
]);

describe('a union', () => {
  it.each(['text', { file: 'a' }, { keys: ['a'] }])('accepts %j', (value) => {
    expect(check(source, value).faults).toEqual([]);
  });

  it('names every type where none fits', () => {
    expect(check(source, 5).faults).toEqual([
      { pointer: '', fault: { kind: 'type', expected: ['string', 'object'] } },
    ]);
  });

  it('tells only of the branch that fits the keys best', () => {
    expect(check(source, { keys: [], extra: 1 }).faults).toEqual([
      { pointer: '', fault: { kind: 'unknown-key', key: 'extra', allowed: ['keys'] } },
      { pointer: '/keys', fault: { kind: 'bound', text: 'must not be an empty list' } },
    ]);
  });

  it('lets a constant decide between branches that share it', () => {
    const schema = Type.Union([
      Type.Object({ kind: Type.Literal('a'), x: Type.String() }, closed),
      Type.Object({ kind: Type.Literal('b'), y: Type.String() }, closed),
    ]);
    expect(check(schema, { kind: 'b', x: 1 }).faults).toEqual([
      {
        pointer: '',
        fault: { kind: 'missing', key: 'y', description: undefined },
      },
      { pointer: '', fault: { kind: 'unknown-key', key: 'x', allowed: ['kind', 'y'] } },
    ]);
  });

  it('lists the constants of all branches as one choice', () => {
    const schema = Type.Union([
      Type.Literal('ip'),
      Type.Literal('consumer'),
      Type.Object({ header: Type.String() }, closed),
    ]);
    expect(check(schema, 'consumr').faults).toEqual([
      { pointer: '', fault: { kind: 'not-allowed', allowed: ['ip', 'consumer'] } },
    ]);
  });

  it('fills in the defaults of the branch it takes, and of no other', () => {
    const schema = Type.Union([
      Type.Object({ n: Type.Number(), a: Type.String({ default: 'from a' }) }),
      Type.Object({ n: Type.String(), b: Type.String({ default: 'from b' }) }),
    ]);
    const value = { n: 'x' };
    expect(check(schema, value).faults).toEqual([]);
    expect(value).toEqual({ n: 'x', b: 'from b' });
  });

  it('within a union tells where its own value stands', () => {
    const schema = Type.Object({ of: Type.Union([Type.Array(source), Type.Number()]) });
    expect(check(schema, { of: ['a', { file: 3 }] }).faults).toEqual([
      { pointer: '/of/1/file', fault: { kind: 'type', expected: ['string'] } },
    ]);
  });
});

describe('a list', () => {
  it('of very many faulty items takes no longer for each than one of a few', () => {
    const count = 100_000;
    const list = Array.from({ length: count }, () => ({ file: 3, extra: true }));
    const { faults } = check(Type.Object({ list: Type.Array(source) }), { list });
    expect(faults).toHaveLength(2 * count);
    expect(faults.at(-1)).toMatchObject({ pointer: `/list/${count - 1}/file` });
  });
});

describe('what is write-only', () => {
  it('is told as a secret, within unions too', () => {
    const key = Type.Object({ key: Type.String({ writeOnly: true }) });
    const schema = Type.Object({
      a: Type.String({ writeOnly: true }),
      b: Type.Union([key, Type.Null()]),
    });
    expect(check(schema, { a: 'x', b: { key: 'y' } }).secrets).toEqual(['/a', '/b/key']);
  });
});
