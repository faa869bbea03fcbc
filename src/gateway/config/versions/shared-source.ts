/** Puts the shared part of a configuration into the document of a node's file, and tells where its values stood. */
import type { ConfigPath } from '../config-path.ts';
import type { ReportProblem } from '../issue.ts';
import { keyOfCanonical } from '../entry-key.ts';
import { withoutRecalled, type KeyOf, type Lists, type Recollection } from '../entry-memory.ts';
import type { Position, SourceDocument } from '../source-document.ts';
import type { Substituter } from '../substitute.ts';
import { Substitutions } from '../substitutions.ts';
import { fromCanonicalJson, SHARED_KEYS } from './shared-document.ts';
import { createSharedPlaces } from './shared-places.ts';

/** What a node is given to run beside its own file. */
export interface SharedPart {
  /** What issues call it, in place of a file's name, e.g. `version 7`. */
  readonly name: string;
  /** The canonical JSON of a document. */
  readonly json: string;
}

export interface MergedDocument extends SourceDocument {
  /** What has been left out of the value. */
  readonly recalled: Recollection | undefined;
}

type Mapping = Record<string, unknown>;

/**
 * The file's document with the shared part in it, less what `recall` knows of it. A node without listeners has nothing to
 * route, and takes the services alone.
 */
export function mergeSharedPart(
  file: SourceDocument,
  { json }: SharedPart,
  substituter: Substituter,
  report: ReportProblem,
  recall?: (lists: Lists, keyOf: KeyOf) => Recollection,
): MergedDocument {
  const document = fromCanonicalJson(json);
  const substitutions = new Substitutions(substituter, report);
  const walk = createWalker(substitutions);
  const value = file.value as Mapping;
  const keys = hasListeners(value) ? SHARED_KEYS : (['services'] as const);
  const own: Mapping = {};
  for (const key of keys) own[key] = document[key];
  const recalled = recall?.(own, keyOfCanonical);
  const rest = recalled === undefined ? own : withoutRecalled(own, recalled);
  for (const key of keys) value[key] = walk(rest[key], [key]);
  const text = createSharedPlaces(document);
  return {
    value,
    recalled,
    syntaxProblems: file.syntaxProblems,
    substitutions: new Map([...file.substitutions, ...substitutions.values]),
    unresolved: new Set([...file.unresolved, ...substitutions.unresolved]),
    locate(path, at): Position {
      if (!isSharedPath(path)) return file.locate(path, at);
      return text.locate(path, at);
    },
  };
}

export function isSharedPath(path: ConfigPath): boolean {
  return (SHARED_KEYS as readonly unknown[]).includes(path[0]);
}

/** A file of a node proxy that names no listener has none. */
function hasListeners(value: Mapping): boolean {
  const { listeners } = value;
  if (listeners !== undefined) return !Array.isArray(listeners) || listeners.length > 0;
  return value['register'] === undefined && value['outbound'] === undefined;
}

/** Copies plain data, substituting texts as the reader of files does. */
function createWalker(
  substitutions: Substitutions,
): (value: unknown, path: (string | number)[]) => unknown {
  function walk(value: unknown, path: (string | number)[]): unknown {
    if (typeof value === 'string') return substitutions.resolve(value, path);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      return value.map((item: unknown, index) => below(index, item, path));
    }
    // oxlint-disable-next-line unicorn/no-null -- no prototype: `__proto__` is a key like any other
    const result = Object.create(null) as Mapping;
    for (const [key, member] of Object.entries(value)) result[key] = below(key, member, path);
    return result;
  }

  function below(step: string | number, value: unknown, path: (string | number)[]): unknown {
    path.push(step);
    const walked = walk(value, path);
    path.pop();
    return walked;
  }

  return walk;
}
