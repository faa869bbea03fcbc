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
  readonly hasMethod: boolean;
  readonly headerCount: number;
  readonly queryCount: number;
  readonly match: RouteMatch<T>;
  readonly candidates: readonly Candidate<T>[];
}

/** An entry under one of its hosts, on which its rank depends. */
export interface Candidate<T> {
  /** Place among all candidates of the table; the lowest that matches wins. */
  rank: number;
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
  const candidates: Candidate<T>[] = [];
  const entry: CompiledEntry<T> = {
    priority: spec.priority,
    routeIndex,
    path,
    requirements: toRequirements(match),
    hasMethod: match.methods.length > 0,
    headerCount: match.headers.length,
    queryCount: match.query.length,
    match: Object.freeze({
      value: spec.value,
      entry: Object.freeze({
        route: spec.name,
        index: entryIndex,
        namesMethod: match.methods.length > 0,
        prefix: path.kind === 'prefix' ? path.value : undefined,
        regex: path.regex,
      }),
    }),
    candidates,
  };
  const hosts = match.hosts.length === 0 ? ['*'] : new Set(match.hosts);
  for (const host of hosts) candidates.push({ rank: -1, host: parseHostPattern(host), entry });
  return entry;
}
