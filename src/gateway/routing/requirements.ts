/** What a match entry asks of a request beyond host and path: method, header and query matches. */
import type { FieldMatch, MatchEntry } from '../config/route-config.ts';
import { createLinearRegex, type LinearRegex } from './linear-regex.ts';
import { queryValue } from './query-value.ts';
import type { Routable } from './route-spec.ts';

export interface MethodRequirement {
  readonly on: 'method';
  readonly methods: readonly string[];
}

export interface FieldRequirement {
  readonly on: 'header' | 'query';
  readonly name: string;
  readonly kind: FieldMatch['kind'];
  readonly value: string;
  /** Set if and only if `kind` is `regex`. */
  readonly regex: LinearRegex | undefined;
}

export type Requirement = MethodRequirement | FieldRequirement;

/** Shared, as most entries have none. */
const NONE: readonly Requirement[] = Object.freeze([]);

/** Throws a TypeError on an expression that has no linear form; a checked configuration has none. */
export function toRequirements(entry: MatchEntry): readonly Requirement[] {
  const requirements: Requirement[] = [];
  if (entry.methods.length > 0) requirements.push({ on: 'method', methods: entry.methods });
  for (const match of entry.headers) requirements.push(fieldRequirement('header', match));
  for (const match of entry.query) requirements.push(fieldRequirement('query', match));
  return requirements.length === 0 ? NONE : requirements;
}

/** The first requirement that the request does not meet; undefined where it meets all. */
export function unmetRequirement(
  requirements: readonly Requirement[],
  request: Routable,
): Requirement | undefined {
  for (let i = 0; i < requirements.length; i++) {
    const requirement = requirements[i]!;
    if (!meets(requirement, request)) return requirement;
  }
  return undefined;
}

/** What the request has where the requirement looks: several header lines as one value. */
export function valueFor(requirement: FieldRequirement, request: Routable): string | undefined {
  return requirement.on === 'header'
    ? request.headers.get(requirement.name)
    : queryValue(request.query, requirement.name);
}

function meets(requirement: Requirement, request: Routable): boolean {
  if (requirement.on === 'method') return requirement.methods.includes(request.method);
  const value = valueFor(requirement, request);
  if (value === undefined) return false;
  if (requirement.kind === 'exact') return value === requirement.value;
  return requirement.regex === undefined || requirement.regex.matches(value);
}

function fieldRequirement(on: 'header' | 'query', match: FieldMatch): FieldRequirement {
  const { name, kind, value } = match;
  return { on, name, kind, value, regex: kind === 'regex' ? createLinearRegex(value) : undefined };
}
