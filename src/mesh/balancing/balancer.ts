/** All balancing of one service: its endpoints, and a load set for each metadata subset in use. */
import type { Endpoint } from '../endpoint.ts';
import { createLoadSet, type LoadSet, type Where } from './load-set.ts';
import {
  balancingPolicies,
  isHashing,
  type AnyPolicyOptions,
  type PolicyName,
} from './policies.ts';
import { applyWeights, type SlowStart } from './slow-start.ts';

/** How the requests to a service are spread. */
export interface BalancingRules {
  readonly policy: PolicyName;
  /** For the hashing policies; undefined: no bound. */
  readonly hashBalanceFactor?: number | undefined;
  /** Undefined: none. Not for the hashing policies, whose keys would move with every step. */
  readonly slowStart?: SlowStart | undefined;
  /** Prefer the node's own zone, where it is known. Not for the hashing policies. */
  readonly zoneAware?: boolean;
}

export interface BalancerOptions extends BalancingRules, AnyPolicyOptions {
  /** Where this node is. */
  readonly zone?: string | undefined;
}

export interface Balancer {
  readonly endpoints: readonly Endpoint[];
  /** An endpoint is in slow start: `refresh` wants to be called again soon. */
  readonly isWarming: boolean;
  /** Replaces the list of endpoints in every subset. */
  update(endpoints: readonly Endpoint[]): void;
  /** To be called after a change of an endpoint's weight, draining, healthy or ejected. */
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
  const { policy, monotonic, random } = options;
  const createPolicy = balancingPolicies[policy];
  const isSteady = isHashing(policy);
  const slowStart = isSteady ? undefined : options.slowStart;
  const zone = isSteady || options.zoneAware !== true ? undefined : options.zone;
  const subsets = new Map<string, LoadSet>();
  let endpoints: readonly Endpoint[] = [];
  let isWarming = false;

  function refresh(): void {
    isWarming = applyWeights(endpoints, slowStart, monotonic());
    for (const subset of subsets.values()) subset.update(endpoints);
  }

  return {
    get endpoints() {
      return endpoints;
    },
    get isWarming() {
      return isWarming;
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
      const subset = createLoadSet(where, () => createPolicy(options), random, zone);
      subset.update(endpoints);
      subsets.set(key, subset);
      return subset;
    },
  };
}
