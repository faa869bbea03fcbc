/** The shared part of a configuration as text: YAML out, always the same for the same document; YAML or JSON in. */
import { Document, isScalar, Scalar, visit } from 'yaml';
import type { Json } from '../../../mesh/backplane/backplane.ts';
import type { ConfigPath } from '../config-path.ts';
import type { Problem } from '../issue.ts';
import { readSourceDocument, type Position } from '../source-document.ts';
import type { Substituter } from '../substitute.ts';
import {
  parseSharedDocument,
  SHARED_KEYS,
  sortedEntries,
  type JsonObject,
  type SharedDocument,
} from './shared-document.ts';

/** Where in a text something is wrong. */
export interface TextProblem extends Position {
  readonly path: ConfigPath;
  readonly message: string;
}

export type ParsedText =
  | { readonly ok: true; readonly document: SharedDocument }
  | { readonly ok: false; readonly problems: readonly TextProblem[] };

export interface ParseOptions {
  /** It is the file of a node: what is not shared is passed over. Default false: it is refused. */
  readonly isNodeFile?: boolean;
}

/** What a text may be substituted by is for each node to say: here it stays as it is written. */
const AS_WRITTEN: Substituter = {
  substitute: (text) => ({ value: text, fromOutside: false }),
  files: new Set(),
};

/**
 * A configuration file of the shared part alone; empty parts are left out. Reading it gives a
 * document of the same hash.
 */
export function toSharedYaml(document: SharedDocument): string {
  const content: Record<string, Json> = { meshgate: 1 };
  for (const key of SHARED_KEYS) {
    const part: Json = document[key];
    if (Object.keys(part).length > 0) content[key] = toSorted(part);
  }
  const yaml = new Document(content, { aliasDuplicateObjects: false, version: '1.2' });
  visit(yaml, {
    Pair(_, { key }) {
      // Unquoted it would merge what it names.
      if (isScalar(key) && key.value === '<<') key.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return yaml.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** All that is wrong with its syntax, or else with its outer shape. */
export function parseSharedText(
  text: string,
  { isNodeFile = false }: ParseOptions = {},
): ParsedText {
  const problems: Problem[] = [];
  const source = readSourceDocument(text, AS_WRITTEN, (path, message, { at = 'value' } = {}) => {
    problems.push({ severity: 'error', path, at, message });
  });
  if (source.syntaxProblems.length > 0) {
    return { ok: false, problems: source.syntaxProblems.map((one) => ({ ...one, path: [] })) };
  }
  const value = isNodeFile ? sharedPartOf(source.value) : (source.value ?? {});
  const parsed = parseSharedDocument(value);
  if (!parsed.ok) {
    for (const { path, message } of parsed.problems) {
      problems.push({ severity: 'error', path, at: 'key', message });
    }
  }
  if (parsed.ok && problems.length === 0) return parsed;
  return {
    ok: false,
    problems: problems.map(({ path, at, message }) => {
      return { ...source.locate(path, at), path, message };
    }),
  };
}

function sharedPartOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const keys: readonly string[] = SHARED_KEYS;
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)));
}

function toSorted(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => toSorted(item as Json));
  const entries = sortedEntries(value as JsonObject);
  return Object.fromEntries(entries.map(([key, member]) => [key, toSorted(member)]));
}
