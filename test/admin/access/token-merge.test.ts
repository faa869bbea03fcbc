import { describe, expect, it } from 'vitest';
import { mergeTokens, type TokenBook } from '../../../src/admin/access/token-merge.ts';
import {
  parseTokenRecord,
  toRevoked,
  toTokenValue,
  type TokenRecord,
} from '../../../src/admin/access/token-record.ts';

const NOW = 1_000_000_000_000;
const DAY = 24 * 3_600_000;

function record(id: string, more: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id,
    name: `name of ${id}`,
    role: 'viewer',
    scope: undefined,
    digest: 'ab'.repeat(32),
    createdAtMs: NOW - DAY,
    createdBy: 'admin-token',
    expiresAtMs: undefined,
    revoked: undefined,
    ...more,
  };
}

const revoked = (id: string): TokenRecord => toRevoked(record(id), NOW, 'root');

function book(fleet: string | undefined, ...records: TokenRecord[]): TokenBook {
  return { fleet, tokens: new Map(records.map((one) => [one.id, one])) };
}

function merge(known: TokenBook, told: TokenBook, isContinuous: boolean, owed: string[] = []) {
  const at = { isContinuous, owed: new Set(owed), nowMs: NOW };
  const merged = mergeTokens(known, told, at);
  return {
    fleet: merged.book.fleet,
    tokens: [...merged.book.tokens.values()].map(
      ({ id, revoked }) => `${id}${revoked === undefined ? '' : ' revoked'}`,
    ),
    owed: merged.owed.map(({ id }) => id),
  };
}

describe('what the backplane tells of tokens', () => {
  it('is in force where nothing was known', () => {
    expect(merge(book(undefined), book('f', record('a'), revoked('b')), false)).toEqual({
      fleet: 'f',
      tokens: ['a', 'b revoked'],
      owed: [],
    });
  });

  it('takes a revocation over from others', () => {
    for (const isContinuous of [true, false]) {
      const merged = merge(book('f', record('a')), book('f', revoked('a')), isContinuous);
      expect(merged).toMatchObject({ tokens: ['a revoked'], owed: [] });
    }
  });

  it('never brings a revoked one back, and is told so', () => {
    for (const isContinuous of [true, false]) {
      const merged = merge(book('f', revoked('a')), book('f', record('a')), isContinuous);
      expect(merged).toMatchObject({ tokens: ['a revoked'], owed: ['a'] });
    }
  });

  it('forgets what was forgotten on purpose', () => {
    const merged = merge(book('f', record('a'), record('b')), book('f', record('b')), true);
    expect(merged).toMatchObject({ tokens: ['b'], owed: [] });
  });

  it('is given back what an emptied store has lost, revocations among it', () => {
    const merged = merge(book('f', record('a'), revoked('b')), book(undefined), false);
    expect(merged).toEqual({ fleet: 'f', tokens: ['a', 'b revoked'], owed: ['a', 'b'] });
  });

  it('is still owed what could not be given back', () => {
    const merged = merge(book('f', record('a')), book('f', record('b')), true, ['a']);
    expect(merged).toMatchObject({ tokens: ['b', 'a'], owed: ['a'] });
  });

  it("of another fleet replaces all: this one's tokens never get in there", () => {
    const merged = merge(book('f', record('a')), book('g', record('b')), false);
    expect(merged).toEqual({ fleet: 'g', tokens: ['b'], owed: [] });
  });

  it('is not given what has long expired', () => {
    const old = record('a', { expiresAtMs: NOW - 8 * DAY });
    const expired = record('b', { expiresAtMs: NOW - 6 * DAY });
    const merged = merge(book('f', old, expired), book(undefined), false);
    expect(merged).toMatchObject({ tokens: ['b'], owed: ['b'] });
  });
});

describe('a stored token', () => {
  it.each([
    record('a'),
    record('a', { scope: { services: { prefixes: ['x'] } }, expiresAtMs: NOW }),
    revoked('a'),
  ])('is read as it was written', (one) => {
    expect(parseTokenRecord('a', JSON.parse(JSON.stringify(toTokenValue(one))))).toEqual(one);
  });

  it.each<[string, object]>([
    ['a role', { role: 'owner' }],
    ['a kind of a scope', { scope: { gateways: {} } }],
    ['a rule of a scope', { scope: { services: { regex: '.*' } } }],
    ['a digest', { digest: 'sha512:…' }],
    ['no digest, though it lives', { digest: undefined }],
    ['an expiry', { expires_at: 'soon' }],
  ])('with %s that is not understood is none', (_, more) => {
    const value = { ...toTokenValue(record('a')), ...more };
    expect(parseTokenRecord('a', JSON.parse(JSON.stringify(value)))).toBeUndefined();
  });
});
