/** least-request: fewest requests in flight, by two choices, or by a weighted schedule where weights differ. */
import type { Endpoint } from '../endpoint.ts';
import { createEarliestDeadline } from './earliest-deadline.ts';
import type { BalancingPolicy, ExplainedPick, PolicyFactory } from './policy.ts';
import { pickOfTwo } from './two-choices.ts';

const activeOf = (endpoint: Endpoint): number => endpoint.active;

/**
 * As in Envoy: with equal weights the power of two choices on requests in flight; with
 * unequal ones earliest deadline first with weight / (active + 1)^bias.
 */
export const createLeastRequest: PolicyFactory = ({
  random,
  activeRequestBias: bias = 1,
}): BalancingPolicy => {
  let endpoints: readonly Endpoint[] = [];
  let equal = true;
  const effectiveWeight = ({ effectiveWeight: weight, active }: Endpoint): number =>
    weight / (bias === 1 ? active + 1 : (active + 1) ** bias);
  const schedule = createEarliestDeadline(effectiveWeight);

  function explainTwo(exclude: readonly Endpoint[]): ExplainedPick | undefined {
    let reason = '';
    const endpoint = pickOfTwo(endpoints, exclude, random, activeOf, (winner, second) => {
      reason =
        second === undefined
          ? 'least-request: the only one'
          : `least-request: of two drawn, ${winner.active} in flight against ${second.active} at ${second.id}`;
    });
    return endpoint && { endpoint, reason };
  }

  return {
    update(next) {
      endpoints = next;
      equal = next.every(({ effectiveWeight }) => effectiveWeight === next[0]?.effectiveWeight);
      schedule.update(equal ? [] : next);
    },
    pick({ exclude }) {
      return equal ? pickOfTwo(endpoints, exclude, random, activeOf) : schedule.pick(exclude);
    },
    explain({ exclude }) {
      if (equal) return explainTwo(exclude);
      const endpoint = schedule.peek(exclude);
      if (endpoint === undefined) return undefined;
      return {
        endpoint,
        reason: `least-request: next by weight ${endpoint.effectiveWeight} and ${endpoint.active} in flight`,
      };
    },
  };
};
