/** The balancing policies by the name they have in the configuration. */
import { createLeastRequest } from './least-request.ts';
import type { PolicyFactory } from './policy.ts';
import { createRandom } from './random.ts';
import { createRoundRobin } from './round-robin.ts';

export type PolicyName = 'round-robin' | 'random' | 'least-request';

export const balancingPolicies: Readonly<Record<PolicyName, PolicyFactory>> = {
  'round-robin': createRoundRobin,
  random: createRandom,
  'least-request': createLeastRequest,
};
