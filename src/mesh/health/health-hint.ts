/** What a node says at once: which endpoints it put aside, and which fail the checks it does for all. */
import type { Json } from '../backplane/backplane.ts';

export interface HealthHint {
  /** Whose word it is: the node's name, and that of the record. */
  readonly node: string;
  readonly from: string;
  /** Ids of endpoints that the node put aside by what it saw itself. */
  readonly ejected: ReadonlySet<string>;
  /** Ids of endpoints that fail the node's checks, and what these say; for people. */
  readonly failing: ReadonlyMap<string, string>;
}

/** Undefined where there is nothing to say. */
export function toHintValue({
  node,
  ejected,
  failing,
}: Omit<HealthHint, 'from'>): Json | undefined {
  if (ejected.size === 0 && failing.size === 0) return undefined;
  return { node, ejected: [...ejected], failing: [...failing] };
}

/** Undefined for what is no hint. */
export function parseHint(from: string, value: unknown): HealthHint | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { node, ejected, failing } = value as Record<string, unknown>;
  if (typeof node !== 'string' || !Array.isArray(ejected) || !Array.isArray(failing)) {
    return undefined;
  }
  return {
    node,
    from,
    ejected: new Set(ejected.filter((id) => typeof id === 'string')),
    failing: new Map(failing.filter(isTextPair)),
  };
}

function isTextPair(pair: unknown): pair is [string, string] {
  return Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string');
}
