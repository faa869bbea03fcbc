/** All balancing of one service: its endpoints, and a load set for each metadata subset in use. */
import type { Endpoint } from '../endpoint.ts';
import { createLoadSet, type LoadSet, type Where } from './load-set.ts';
import { balancingPolicies, type PolicyName } from './policies.ts';
import type { PolicyOptions } from './policy.ts';

export interface BalancerOptions extends PolicyOptions {
  readonly policy: PolicyName;
}

export interface Balancer {
  readonly endpoints: readonly Endpoint[];
  /** Replaces the list of endpoints in every subset. */
  update(endpoints: readonly Endpoint[]): void;
  /** To be called after a change of an endpoint's weight, draining or healthy. */
  refresh(): void;
  /**
   * The load set for a target; the same one for equal metadata, so that turns go on through
   * a reload and are shared by routes. Ask when compiling, not per request.
   */
  subset(where?: Where): LoadSet;
}

const EVERYTHING: Where = {};

function toKey(where: Where): string {
  return JSON.stringify(Object.entries(where).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function createBalancer(options: BalancerOptions): Balancer {
  const createPolicy = balancingPolicies[options.policy];
  const subsets = new Map<string, LoadSet>();
  let endpoints: readonly Endpoint[] = [];

  function refresh(): void {
    for (const subset of subsets.values()) subset.update(endpoints);
  }

  return {
    get endpoints() {
      return endpoints;
    },
    update(next) {
      endpoints = next;
      refresh();
    },
    refresh,
    subset(where = EVERYTHING) {
      const key = toKey(where);
      const known = subsets.get(key);
      if (known !== undefined) return known;
      const subset = createLoadSet(where, () => createPolicy(options), options.random);
      subset.update(endpoints);
      subsets.set(key, subset);
      return subset;
    },
  };
}
