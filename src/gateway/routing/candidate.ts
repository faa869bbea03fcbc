/** Match entries as they are compared: one candidate for each host that an entry names. */
import { type HostPattern, parseHostPattern } from './host-pattern.ts';
import { type PathPattern, toPathPattern } from './path-pattern.ts';
import { type Requirement, toRequirements } from './requirements.ts';
import type { RouteMatch, RouteSpec } from './route-spec.ts';

export interface CompiledEntry<T> {
  readonly priority: number;
  readonly routeIndex: number;
  readonly path: PathPattern;
  readonly requirements: readonly Requirement[];
  readonly headerCount: number;
  readonly queryCount: number;
  readonly namesMethod: boolean;
  /** The route's name, and which of its entries this is. */
  readonly route: string;
  readonly index: number;
  candidates: readonly Candidate<T>[];
}

/**
 * An entry under one of its hosts, on which its rank depends; the winner is the match itself. What the
 * search reads comes first, and without a step to the entry: of 10,000 routes each is cold, and a step
 * is a miss of the cache.
 */
export interface Candidate<T> extends RouteMatch<T> {
  /** Place among all candidates of the table; the lowest that matches wins. */
  rank: number;
  /** Of the same node of the tree and the next higher rank. */
  next: Candidate<T> | undefined;
  /** The entry's, where there are any. */
  readonly requirements: readonly Requirement[] | undefined;
  readonly host: HostPattern;
  readonly entry: CompiledEntry<T>;
}

/** Throws a TypeError on a path or an expression that a checked configuration would not have. */
export function toCompiledEntry<T>(
  spec: RouteSpec<T>,
  routeIndex: number,
  entryIndex: number,
): CompiledEntry<T> {
  const match = spec.matches[entryIndex]!;
  const path = toPathPattern(match.path);
  const requirements = toRequirements(match);
  const entry: CompiledEntry<T> = {
    priority: spec.priority,
    routeIndex,
    path,
    requirements,
    headerCount: match.headers.length,
    queryCount: match.query.length,
    namesMethod: match.methods.length > 0,
    route: spec.name,
    index: entryIndex,
    candidates: [],
  };
  const hosts = match.hosts.length === 0 ? ['*'] : [...new Set(match.hosts)];
  // Not pushed one by one: a list that grows takes room for 17, and most of 10,000 entries have one.
  entry.candidates = hosts.map((host) => ({
    rank: -1,
    next: undefined,
    requirements: requirements.length === 0 ? undefined : requirements,
    regex: path.regex,
    value: spec.value,
    prefix: path.kind === 'prefix' ? path.value : undefined,
    namesMethod: entry.namesMethod,
    route: spec.name,
    index: entryIndex,
    host: parseHostPattern(host),
    entry,
  }));
  return entry;
}
