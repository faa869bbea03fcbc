/** Reading one parameter of a query. */
import { describe, expect, it } from 'vitest';
import { queryValue } from '../../../src/gateway/routing/query-value.ts';

describe('queryValue', () => {
  it.each([
    ['?a=1', '1'],
    ['a=1', '1'],
    ['?b=2&a=1', '1'],
    ['?a=1&a=2', '1'],
    ['?aa=2&a=1', '1'],
    ['?a', ''],
    ['?a=', ''],
    ['?&&a=1', '1'],
    ['?a=b=c', 'b=c'],
    ['?a=x+y%20z', 'x y z'],
    ['?%61=1', '1'],
    ['?a=%C3%A9', 'é'],
    ['?a=\xc3\xa9', 'é'],
    ['?a=%zz%4', '%zz%4'],
    ['?a=%2', '%2'],
    ['?a=%ff', '\ufffd'],
    ['?a=1;b=2', '1;b=2'],
  ])('reads a from %s', (query, value) => {
    expect(queryValue(query, 'a')).toBe(value);
  });

  it.each(['', '?', '?b=a', '?A=1', '?=a', '?ab', '?b&c=a'])('finds no a in %j', (query) => {
    expect(queryValue(query, 'a')).toBeUndefined();
  });

  it('reads names that escapes spell', () => {
    expect(queryValue('?caf%C3%A9+au=1', 'café au')).toBe('1');
    expect(queryValue('?=1', '')).toBe('1');
  });

  it('says what URLSearchParams says', () => {
    const pieces = ['a', 'b', '=', '&', '+', '%61', '%20', '%', '%C3%A9', '?'];
    let seed = 7;
    const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
    for (let round = 0; round < 5000; round++) {
      let query = '?';
      for (let n = next() * 9; n > 0; n--) query += pieces[Math.floor(next() * pieces.length)];
      for (const name of ['a', 'b', '']) {
        expect({ query, name, value: queryValue(query, name) }).toEqual({
          query,
          name,
          value: new URLSearchParams(query).get(name) ?? undefined,
        });
      }
    }
  });
});
