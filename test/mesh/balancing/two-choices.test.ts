import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { pickOfTwo } from '../../../src/mesh/balancing/two-choices.ts';
import { endpoint, seeded, sequence } from './endpoints.ts';

const list = ['a', 'b', 'c', 'd'].map((id) => endpoint(id));
const [a, b, c, d] = list as [Endpoint, Endpoint, Endpoint, Endpoint];
const even = () => 0;

/** The pair that these two draws lead to; the first drawn wins on ties. */
function drawn(first: number, second: number, exclude: readonly Endpoint[] = []): string {
  let pair = '';
  pickOfTwo(list, exclude, sequence(first, second), even, (winner, other) => {
    pair = `${winner.id}${other?.id ?? ''}`;
  });
  return pair;
}

describe('pickOfTwo', () => {
  it('draws a of n and b of n − 1, and moves b past a', () => {
    expect(drawn(0, 0)).toBe('ab');
    expect(drawn(0, 0.99)).toBe('ad');
    expect(drawn(0.99, 0)).toBe('da');
    expect(drawn(0.99, 0.99)).toBe('dc');
    // a = 1, b = rand(3) = 1 ≥ a, so b is 2.
    expect(drawn(0.25, 0.34)).toBe('bc');
    expect(drawn(0.25, 0.33)).toBe('ba');
  });

  it('draws every ordered pair as often', () => {
    const random = seeded(7);
    const counts = new Map<string, number>();
    for (let i = 0; i < 12_000; i += 1) {
      pickOfTwo(list, [], random, even, (winner, other) => {
        const pair = `${winner.id}${other?.id}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      });
    }
    expect(counts.size).toBe(12);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it('takes the lower load, and the first drawn on ties', () => {
    const load = (one: Endpoint) => (one === a ? 2 : 1);
    expect(pickOfTwo([a, b], [], sequence(0, 0), load)).toBe(b);
    expect(pickOfTwo([a, b], [], sequence(0.5, 0), load)).toBe(b);
    expect(pickOfTwo([b, c], [], sequence(0, 0), load)).toBe(b);
    expect(pickOfTwo([b, c], [], sequence(0.5, 0), load)).toBe(c);
  });

  it('draws among those that are not excluded', () => {
    expect(drawn(0, 0, [a])).toBe('bc');
    expect(drawn(0.99, 0.99, [b, d])).toBe('ca');
    expect(pickOfTwo(list, [a, b, d], sequence(), even)).toBe(c);
    expect(pickOfTwo(list, list, sequence(), even)).toBeUndefined();
  });

  it('takes the only one without drawing, and nothing of nothing', () => {
    expect(pickOfTwo([a], [], sequence(), even)).toBe(a);
    expect(pickOfTwo([], [], sequence(), even)).toBeUndefined();
  });
});
