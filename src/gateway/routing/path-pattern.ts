/** The paths that a match entry names: one exactly, those under a prefix, or those an expression meets. */
import { codeAt } from '../../mesh/transport/octets.ts';
import type { PathMatch } from '../config/route-config.ts';
import { canonicalConfiguredPath, PathRefusal } from './canonical-path.ts';
import { createLinearRegex, type LinearRegex } from './linear-regex.ts';

export interface PathPattern {
  readonly kind: PathMatch['kind'];
  /** In normal form; a prefix has no trailing slash, but for `/` itself. */
  readonly value: string;
  /** Set if and only if `kind` is `regex`. */
  readonly regex: LinearRegex | undefined;
}

/** Throws a TypeError on a path without a normal form; a checked configuration has none. */
export function toPathPattern(match: PathMatch): PathPattern {
  if (match.kind === 'regex') {
    return { kind: 'regex', value: match.value, regex: createLinearRegex(match.value) };
  }
  const path = canonicalConfiguredPath(match.value);
  if (path instanceof PathRefusal) throw new TypeError(`${match.value}: ${path.detail}`);
  const value =
    match.kind === 'prefix' && path !== '/' && path.endsWith('/') ? path.slice(0, -1) : path;
  return { kind: match.kind, value, regex: undefined };
}

/** Whether the pattern names the path. A prefix goes by whole segments: `/a` names `/a/b`, not `/ab`. */
export function admitsPath(pattern: PathPattern, path: string): boolean {
  if (pattern.regex !== undefined) return pattern.regex.matches(path);
  if (pattern.kind === 'exact') return path === pattern.value;
  if (!path.startsWith(pattern.value)) return false;
  return (
    pattern.value === '/' ||
    path.length === pattern.value.length ||
    codeAt(path, pattern.value.length) === 0x2f
  );
}

/**
 * Where in a tree of segments the pattern belongs: below it are all the paths it names. An
 * expression belongs at the whole segments of its literal prefix.
 */
export function segmentsOf(pattern: PathPattern): readonly string[] {
  const { kind, value, regex } = pattern;
  if (kind === 'exact') return value.split('/').slice(1);
  if (kind === 'prefix') return value === '/' ? [] : value.split('/').slice(1);
  const literal = regex?.literalPrefix ?? '';
  return literal.startsWith('/') ? literal.split('/').slice(1, -1) : [];
}
