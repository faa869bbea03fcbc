/** A policy over a table that is made of its endpoints: ring-hash and maglev differ in the table alone. */
import type { Endpoint } from '../endpoint.ts';
import { chooseByHash, isSameTable, type HashTable } from './hash-choice.ts';
import type { BalancingPolicy, ExplainedPick, PolicyOptions } from './policy.ts';

export interface HashPolicyOptions extends PolicyOptions {
  /** At least 1: how far over its part of the load an endpoint may go; undefined is any. */
  readonly hashBalanceFactor?: number | undefined;
}

const REASON = {
  own: 'the endpoint of its key',
  next: 'the endpoint of its key is out or too busy; the next one',
  random: 'the request has no key, so any',
} as const;

export function createHashPolicy(
  name: string,
  createTable: (endpoints: readonly Endpoint[]) => HashTable,
  { random, hashBalanceFactor }: HashPolicyOptions,
): BalancingPolicy {
  let endpoints: readonly Endpoint[] = [];
  let made: readonly { readonly endpoint: Endpoint; readonly weight: number }[] = [];
  let table = createTable(endpoints);

  return {
    update(next) {
      endpoints = next;
      // Most updates are of others' health; a table is dear.
      if (isSameTable(made, next)) return;
      made = next.map((endpoint) => ({ endpoint, weight: endpoint.effectiveWeight }));
      table = createTable(next);
    },
    pick(hint) {
      return chooseByHash(table, endpoints, hint, random, hashBalanceFactor);
    },
    explain(hint): ExplainedPick | undefined {
      let reason: string = REASON.own;
      const note = (how: keyof typeof REASON): void => void (reason = REASON[how]);
      const endpoint = chooseByHash(table, endpoints, hint, random, hashBalanceFactor, note);
      return endpoint && { endpoint, reason: `${name}: ${reason}` };
    },
  };
}
