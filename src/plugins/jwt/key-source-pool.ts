/** One key source for all plugin instances that ask for the same keys. */
import type { KeySource } from './key-source.ts';

interface Shared {
  readonly source: KeySource;
  holders: number;
}

export interface KeySourceLease {
  readonly source: KeySource;
  /** Call once; the last to let go forgets the keys. */
  readonly release: () => void;
}

/**
 * By the capability that loads them, which the composition root made: two gateways in one process
 * share nothing, and nothing outlives its gateway. Sharing is what keeps a hundred routes from
 * fetching a hundred times, and a configuration reload from forgetting the keys just when the
 * issuer is down: the new instance takes hold before the old one lets go.
 */
const pools = new WeakMap<object, Map<string, Shared>>();

/** The source that others hold under the same name for this capability, or a new one. */
export function leaseKeySource(
  capability: object,
  name: string,
  create: () => KeySource,
): KeySourceLease {
  let pool = pools.get(capability);
  if (pool === undefined) pools.set(capability, (pool = new Map()));
  let shared = pool.get(name);
  if (shared === undefined) pool.set(name, (shared = { source: create(), holders: 0 }));
  shared.holders += 1;
  const { source } = shared;
  return {
    source,
    release() {
      shared.holders -= 1;
      if (shared.holders === 0) pool.delete(name);
    },
  };
}
