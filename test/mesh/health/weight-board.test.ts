import { beforeEach, expect, it } from 'vitest';
import { parseFactors, toFactorsValue } from '../../../src/mesh/health/factor-record.ts';
import { WeightBoard, type FactorView } from '../../../src/mesh/health/weight-board.ts';
import { reconcileEndpoints } from '../../../src/mesh/endpoint.ts';
import { endpoint } from '../balancing/endpoints.ts';

let moved: FactorView[];
let board: WeightBoard;
beforeEach(() => {
  moved = [];
  board = new WeightBoard((view) => void moved.push(view));
});

function factors(id: string, factor: number, reason: string) {
  return new Map([[id, { factor, reason }]]);
}

it('multiplies the operator’s weight, and tells of each change once', () => {
  const [a, b] = [endpoint('a', { weight: 3 }), endpoint('b')];
  expect(board.apply([a, b], factors('a', 0.5, 'slow'))).toBe(true);
  expect([a.weight, a.spec.weight, b.weight]).toEqual([1.5, 3, 1]);
  expect(board.views).toEqual([{ endpoint: 'a', factor: 0.5, reason: 'slow' }]);
  expect(board.apply([a, b], factors('a', 0.5, 'slow'))).toBe(false);
  expect(board.apply([a, b], new Map())).toBe(true);
  expect(a.weight).toBe(3);
  expect(moved).toEqual([
    { endpoint: 'a', factor: 0.5, reason: 'slow' },
    { endpoint: 'a', factor: 1, reason: '' },
  ]);
});

it('keeps the factor when an operator sets another weight', () => {
  const a = endpoint('a', { weight: 3 });
  board.apply([a], factors('a', 0.5, 'slow'));
  reconcileEndpoints([a], [{ ...a.spec, weight: 10 }], 0);
  expect(a.weight).toBe(5);
  reconcileEndpoints([a], [{ ...a.spec, weight: 0 }], 0);
  expect(a.weight).toBe(0);
});

it('halves the weight of a suspect, but not below a tenth', () => {
  const [a, b] = [endpoint('a'), endpoint('b')];
  const suspects = new Map([
    ['a', 'put aside by n2'],
    ['b', 'put aside by n2'],
  ]);
  board.apply([a, b], factors('b', 0.15, 'slow'), suspects);
  expect([a.factor, b.factor]).toEqual([0.5, 0.1]);
  expect(board.views.map(({ reason }) => reason)).toEqual([
    'put aside by n2',
    'slow; put aside by n2',
  ]);
});

it('reads factors back, and holds them within their bounds whoever wrote them', () => {
  const written = factors('a', 0.3, 'slow');
  expect(parseFactors(toFactorsValue(written))).toEqual(written);
  expect(
    parseFactors([
      ['a', -5, 'x'],
      ['b', 7, 'x'],
      ['c', 0.2],
      'row',
      [7, 0.5, ''],
      ['d', '0.5', ''],
    ]),
  ).toEqual(
    new Map([
      ['a', { factor: 0.1, reason: 'x' }],
      ['c', { factor: 0.2, reason: '' }],
    ]),
  );
  expect(parseFactors({})).toBeUndefined();
  expect(parseFactors([['a', Number.NaN, '']])).toEqual(new Map());
});
