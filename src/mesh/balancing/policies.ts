/** The balancing policies by the name they have in the configuration. */
import type { HashPolicyOptions } from './hash-policy.ts';
import { createLeastRequest } from './least-request.ts';
import { createMaglev } from './maglev.ts';
import { createPeakEwma, type PeakEwmaOptions } from './peak-ewma.ts';
import type { BalancingPolicy } from './policy.ts';
import { createRandom } from './random.ts';
import { createRingHash } from './ring-hash.ts';
import { createRoundRobin } from './round-robin.ts';

export type PolicyName =
  | 'round-robin'
  | 'random'
  | 'least-request'
  | 'peak-ewma'
  | 'ring-hash'
  | 'maglev';

/** What any of them may ask for. */
export type AnyPolicyOptions = PeakEwmaOptions & HashPolicyOptions;

export const balancingPolicies: Readonly<
  Record<PolicyName, (options: AnyPolicyOptions) => BalancingPolicy>
> = {
  'round-robin': createRoundRobin,
  random: createRandom,
  'least-request': createLeastRequest,
  'peak-ewma': createPeakEwma,
  'ring-hash': createRingHash,
  maglev: createMaglev,
};

/** Whether a policy sends equal keys to equal endpoints: it wants all of them, at steady weights. */
export function isHashing(policy: PolicyName): boolean {
  return policy === 'ring-hash' || policy === 'maglev';
}
