/** Where a space lives in Redis: all its keys in one slot of a cluster, by its hash tag. */
import type { RecordKind } from '../backplane.ts';
import { assertSpace } from '../names.ts';

export interface SpaceKeys {
  readonly epoch: string;
  /** The number of the last change. */
  readonly revision: string;
  /** Stream of the last changes, each under its revision. */
  readonly log: string;
  /** Channel on which changes are published; a shard channel in a cluster. */
  readonly channel: string;
  /** Hash id → record with its generation. */
  readonly records: (kind: RecordKind) => string;
  /** Sorted set id → end of its lease by the server's clock. */
  readonly leases: (kind: RecordKind) => string;
  readonly reports: string;
  readonly reportEnds: string;
}

const NAMESPACE = /^[\w.-]{1,64}$/;

/** Throws a TypeError for a namespace that is none: letters, digits, `.`, `_` and `-`. */
export function assertNamespace(namespace: string): void {
  if (!NAMESPACE.test(namespace)) {
    throw new TypeError(`not a namespace: ${JSON.stringify(namespace)}`);
  }
}

export function keysOf(namespace: string, space: string): SpaceKeys {
  assertSpace(space);
  const prefix = `${namespace}:{${space}}:`;
  return {
    epoch: `${prefix}epoch`,
    revision: `${prefix}rev`,
    log: `${prefix}log`,
    channel: `${prefix}feed`,
    records: (kind) => prefix + kind,
    leases: (kind) => (kind === 'inst' ? `${prefix}hb` : `${prefix}hb:${kind}`),
    reports: `${prefix}rep`,
    reportEnds: `${prefix}rep:end`,
  };
}

export function turnKey(namespace: string, name: string): string {
  return `${namespace}:turn:${name}`;
}
