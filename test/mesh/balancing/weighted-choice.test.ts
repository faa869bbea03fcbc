import { describe, expect, it } from 'vitest';
import { createWeightedChoice } from '../../../src/mesh/balancing/weighted-choice.ts';
import { seeded, sequence } from './endpoints.ts';

function targets(...weights: number[]) {
  return createWeightedChoice(
    weights.map((weight, index) => ({ weight, index })),
    ({ weight }) => weight,
  );
}

describe('createWeightedChoice', () => {
  it('splits 90/10 exactly at the border', () => {
    const choice = targets(90, 10);
    expect(choice.choose(() => 0)?.index).toBe(0);
    expect(choice.choose(() => 0.8999)?.index).toBe(0);
    expect(choice.choose(() => 0.9)?.index).toBe(1);
    expect(choice.choose(() => 1 - 2 ** -53)?.index).toBe(1);
  });

  it('keeps 90/10 over many requests', () => {
    const choice = targets(90, 10);
    const random = seeded(11);
    let second = 0;
    for (let i = 0; i < 10_000; i += 1) second += choice.choose(random)?.index ?? 0;
    expect(Math.abs(second - 1_000)).toBeLessThan(120);
  });

  it('never chooses weight 0, wherever it stands', () => {
    const choice = targets(0, 1, 0, 1, 0);
    const seen = [0, 0.49, 0.5, 1 - 2 ** -53].map((lot) => choice.choose(() => lot)?.index);
    expect(seen).toEqual([1, 1, 3, 3]);
  });

  it('chooses nothing where every weight is 0, or there is no item', () => {
    expect(targets(0, 0).choose(sequence())).toBeUndefined();
    expect(targets().choose(sequence())).toBeUndefined();
  });

  it('draws no lot for a single choice', () => {
    expect(targets(0, 3).choose(sequence())?.index).toBe(1);
  });
});
