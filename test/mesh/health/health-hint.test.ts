import { expect, it } from 'vitest';
import { parseHint, toHintValue } from '../../../src/mesh/health/health-hint.ts';

it('is read back as it was written', () => {
  const hint = {
    node: 'n',
    ejected: new Set(['a', '__proto__']),
    failing: new Map([['b', 'status 503']]),
  };
  expect(parseHint('orders@n', JSON.parse(JSON.stringify(toHintValue(hint))))).toEqual({
    ...hint,
    from: 'orders@n',
  });
});

it('is none where there is nothing to say', () => {
  expect(toHintValue({ node: 'n', ejected: new Set(), failing: new Map() })).toBeUndefined();
});

it.each([null, [], 'x', {}, { node: 'n' }, { node: 'n', ejected: [], failing: {} }])(
  'is not %j',
  (value) => {
    expect(parseHint('orders@n', value)).toBeUndefined();
  },
);

it('passes over what is no endpoint in it', () => {
  const value = { node: 'n', ejected: ['a', 7, null], failing: [['b', 'x'], ['c'], 7, ['d', 1]] };
  expect(parseHint('orders@n', value)).toEqual({
    node: 'n',
    from: 'orders@n',
    ejected: new Set(['a']),
    failing: new Map([['b', 'x']]),
  });
});
