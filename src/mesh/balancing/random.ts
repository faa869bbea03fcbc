/** random: each endpoint by lot, in proportion to its weight. */
import type { Endpoint } from '../endpoint.ts';
import type { BalancingPolicy, PolicyFactory } from './policy.ts';
import { createWeightedChoice } from './weighted-choice.ts';

const weightOf = (endpoint: Endpoint): number => endpoint.effectiveWeight;

export const createRandom: PolicyFactory = ({ random }): BalancingPolicy => {
  let endpoints: readonly Endpoint[] = [];
  let lots = createWeightedChoice(endpoints, weightOf);

  /** Only retries exclude, so a walk over the list is good enough. */
  function chooseWithout(exclude: readonly Endpoint[]): Endpoint | undefined {
    let total = 0;
    for (const endpoint of endpoints) {
      if (!exclude.includes(endpoint)) total += endpoint.effectiveWeight;
    }
    if (total === 0) return undefined;
    let lot = random() * total;
    let last: Endpoint | undefined;
    for (const endpoint of endpoints) {
      if (endpoint.effectiveWeight === 0 || exclude.includes(endpoint)) continue;
      last = endpoint;
      lot -= endpoint.effectiveWeight;
      if (lot < 0) return endpoint;
    }
    return last;
  }

  function choose(exclude: readonly Endpoint[]): Endpoint | undefined {
    return exclude.length === 0 ? lots.choose(random) : chooseWithout(exclude);
  }

  return {
    update(next) {
      endpoints = next;
      lots = createWeightedChoice(next, weightOf);
    },
    pick({ exclude }) {
      return choose(exclude);
    },
    explain({ exclude }) {
      const endpoint = choose(exclude);
      if (endpoint === undefined) return undefined;
      return {
        endpoint,
        reason: `random: drawn among ${endpoints.length}, weight ${endpoint.effectiveWeight}`,
      };
    },
  };
};
