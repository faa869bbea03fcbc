/** The shared part of a configuration as text: YAML out, always the same for the same document; YAML or JSON in. */
import type { ConfigPath } from '../config-path.ts';
import type { Problem } from '../issue.ts';
import { readSourceDocument, type Position } from '../source-document.ts';
import type { Substituter } from '../substitute.ts';
import { parseSharedDocument, SHARED_KEYS, type SharedDocument } from './shared-document.ts';
import { sharedYamlPieces } from './shared-yaml.ts';

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
export const AS_WRITTEN: Substituter = {
  substitute: (text) => ({ value: text, fromOutside: false }),
  files: new Set(),
};

/** A configuration file of the shared part alone. Reading it gives a document of the same hash. */
export function toSharedYaml(document: SharedDocument): string {
  return [...sharedYamlPieces(document)].join('');
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
