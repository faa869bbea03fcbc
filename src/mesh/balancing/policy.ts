/** What every balancing policy is: it holds its endpoints and its own state, and picks one at a time. */
import type { Endpoint } from '../endpoint.ts';

/** What a pick may look at beside the endpoints. One object may serve every try of a request. */
export interface PickHint {
  /** Endpoints this request has already tried; empty on the first try. */
  readonly exclude: readonly Endpoint[];
  /** Of the request's key, 53 bits; undefined where it has none. For the hashing policies. */
  readonly hash?: number | undefined;
  /** The endpoint that a session keeps to, as long as it may be chosen. */
  readonly pinned?: Endpoint | undefined;
}

/** For a first try that has nothing to say. */
export const NO_HINT: PickHint = Object.freeze({ exclude: Object.freeze([]) });

export interface ExplainedPick {
  readonly endpoint: Endpoint;
  /** One sentence for people. */
  readonly reason: string;
}

/**
 * A policy over one list of endpoints. Who may be picked at all is decided outside
 * (see load-set.ts): a policy picks among all it was given, but for the excluded.
 * `pick` allocates nothing.
 */
export interface BalancingPolicy {
  /**
   * Replaces the list, or tells of other effective weights. Endpoints that stay keep their
   * place in the policy's state. All of them weigh more than 0.
   */
  update(endpoints: readonly Endpoint[]): void;
  /** Undefined where the list is empty or all of it is excluded. */
  pick(hint: PickHint): Endpoint | undefined;
  /** Decides as `pick` would, and changes nothing. Policies that draw lots draw anew. */
  explain(hint: PickHint): ExplainedPick | undefined;
}

export interface PolicyOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** least-request: how strongly load counts against unequal weights; default 1. */
  readonly activeRequestBias?: number;
}

export type PolicyFactory = (options: PolicyOptions) => BalancingPolicy;
