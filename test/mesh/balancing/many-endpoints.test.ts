import { expect, it } from 'vitest';
import { createRoundRobin } from '../../../src/mesh/balancing/round-robin.ts';
import { NO_HINT } from '../../../src/mesh/balancing/policy.ts';
import { endpoint, sequence, tally } from './endpoints.ts';

const COUNT = 10_000;

it('round-robin gives each of very many its turn', () => {
  const policy = createRoundRobin({ random: sequence() });
  const endpoints = Array.from({ length: COUNT }, (_, i) => endpoint(String(i)));
  policy.update(endpoints);
  expect(new Set(Object.values(tally(policy, COUNT * 3)))).toEqual(new Set([3]));
  expect(policy.explain(NO_HINT)?.endpoint).toBe(policy.pick(NO_HINT));
  expect(policy.pick({ exclude: endpoints.slice(1) })).toBe(endpoints[0]);
});

it('round-robin follows weights among very many', () => {
  const policy = createRoundRobin({ random: sequence() });
  policy.update(
    Array.from({ length: 100 }, (_, i) => endpoint(String(i), { weight: 1 + (i % 2) })),
  );
  expect(new Set(Object.values(tally(policy, 1500)))).toEqual(new Set([10, 20]));
});
