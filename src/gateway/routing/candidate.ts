/** Match entries as they are compared: one candidate for each host that an entry names. */
import { type HostPattern, parseHostPattern } from './host-pattern.ts';
import type { LinearRegex } from './linear-regex.ts';
import { type PathPattern, toPathPattern } from './path-pattern.ts';
import { type Requirement, toRequirements } from './requirements.ts';
import type { RouteMatch, RouteSpec } from './route-spec.ts';

export interface CompiledEntry {
  readonly priority: number;
  readonly path: PathPattern;
  readonly requirements: readonly Requirement[];
  readonly headerCount: number;
  readonly queryCount: number;
  readonly namesMethod: boolean;
  /** Without one that stands there twice; at least one. */
  readonly hosts: readonly HostPattern[];
  /** Place in the file among all entries: higher comes later. There is room between two of them. */
  readonly order: number;
  /** The route's name, and which of its entries this is. */
  readonly route: string;
  readonly index: number;
}

/** An entry under one of its hosts, on which its rank depends. */
export interface HostedEntry {
  readonly host: HostPattern;
  readonly entry: CompiledEntry;
}

/** A route whose entries have their place among those of all others; the same in all tables that have it. */
export interface PlacedRoute<T> {
  readonly value: T;
  readonly entries: readonly CompiledEntry[];
}

/**
 * The winner is the match itself. What the search reads comes first, and without a step to the entry:
 * of 10,000 routes each is cold, and a step is a miss of the cache.
 */
export class Candidate<T> implements RouteMatch<T>, HostedEntry {
  /** First what decides most: of two candidates the lower tier wins, and of equal ones the lower order. */
  readonly tier: number;
  readonly order: number;
  /** Of the same node of the tree, and the next to win. Changed only before anybody reads it. */
  next: Candidate<T> | undefined;
  /** The entry's, where there are any. */
  readonly requirements: readonly Requirement[] | undefined;
  readonly regex: LinearRegex | undefined;
  readonly value: T;
  readonly prefix: string | undefined;
  readonly namesMethod: boolean;
  readonly route: string;
  readonly index: number;
  readonly host: HostPattern;
  readonly entry: CompiledEntry;

  constructor(value: T, { host, entry }: HostedEntry, tier: number) {
    const { path, requirements } = entry;
    this.tier = tier;
    this.order = entry.order;
    this.next = undefined;
    this.requirements = requirements.length === 0 ? undefined : requirements;
    this.regex = path.regex;
    this.value = value;
    this.prefix = path.kind === 'prefix' ? path.value : undefined;
    this.namesMethod = entry.namesMethod;
    this.route = entry.route;
    this.index = entry.index;
    this.host = host;
    this.entry = entry;
  }
}

/**
 * `order`: of the first entry; the others follow one by one. Throws a TypeError on a path or an
 * expression that a checked configuration would not have.
 */
export function placeRoute<T>(spec: RouteSpec<T>, order: number): PlacedRoute<T> {
  const { value, matches } = spec;
  return { value, entries: matches.map((_, index) => toCompiledEntry(spec, index, order + index)) };
}

function toCompiledEntry<T>(spec: RouteSpec<T>, index: number, order: number): CompiledEntry {
  const match = spec.matches[index]!;
  const path = toPathPattern(match.path);
  const hosts = match.hosts.length === 0 ? ['*'] : [...new Set(match.hosts)];
  return {
    priority: spec.priority,
    path,
    requirements: toRequirements(match),
    headerCount: match.headers.length,
    queryCount: match.query.length,
    namesMethod: match.methods.length > 0,
    hosts: hosts.map(parseHostPattern),
    order,
    route: spec.name,
    index,
  };
}
