/** Reads YAML or JSON into plain data that remembers where each value stood. */
import type { Document, YAMLError } from 'yaml';
import type { ConfigPath } from './config-path.ts';
import type { ReportProblem } from './issue.ts';
import { readJsonDocument } from './json-document.ts';
import type { ItemTexts, KnownItems } from './known-items.ts';
import { tooDeepOffset } from './source-depth.ts';
import { AS_WRITTEN, type Substituter } from './substitute.ts';
import type { SubstitutedValue } from './substitutions.ts';
import { MAX_DEPTH, TOO_DEEP, TreeReader, Unreadable } from './tree-reader.ts';
import { unquotedReferencesOf } from './unquoted-reference.ts';
import { itemTextsOf, readUnknown } from './yaml-changes.ts';
import { listTextsOf, type ListText } from './yaml-items.ts';
import { parseYamlTree } from './yaml-tree.ts';

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface SyntaxProblem extends Position {
  readonly message: string;
}

export interface SourceDocument {
  /** Objects have no prototype, so that any key is safe. Undefined where the syntax is wrong. */
  readonly value: unknown;
  readonly syntaxProblems: readonly SyntaxProblem[];
  /** By JSON pointer. */
  readonly substitutions: ReadonlyMap<string, SubstitutedValue>;
  /** JSON pointers of texts whose substitution failed. */
  readonly unresolved: ReadonlySet<string>;
  /** Of the long lists in it, where items are to be known again; see `KnownItems`. */
  readonly itemTexts?: ItemTexts | undefined;
  /** The place of a value, or of its key; of the nearest thing around it where it is not in the file. */
  locate(path: ConfigPath, at: 'key' | 'value'): Position;
}

const START: Position = { line: 1, column: 1 };

/**
 * Reads a text. What is wrong inside well-formed YAML goes to `report`. With `known`, an item of a
 * list that was read before has a `KnownItem` in its place.
 */
export function readSourceDocument(
  text: string,
  substituter: Substituter,
  report: ReportProblem,
  known?: KnownItems,
): SourceDocument {
  const content = text.replace(/^\uFEFF/, '');
  const json = readJsonDocument(content, MAX_DEPTH, substituter, report);
  if (json !== undefined) {
    const {
      value,
      substitutions: { values, unresolved },
    } = json;
    return { value, substitutions: values, unresolved, ...placesOf(content) };
  }
  if (known === undefined) return readYamlDocument(content, substituter, report);
  const lists = listTextsOf(content);
  const rest = known.isEmpty ? undefined : readUnknown(content, lists, known, substituter);
  if (rest === undefined) return readYamlDocument(content, substituter, report, lists);
  return { ...rest, unresolved: new Set(), ...placesOf(content) };
}

/** Most documents have nothing wrong in them, and of the others it is enough to look once more. */
function placesOf(content: string): Pick<SourceDocument, 'syntaxProblems' | 'locate'> {
  let placed: SourceDocument | undefined;
  return {
    syntaxProblems: [],
    locate: (path, at) =>
      (placed ??= readYamlDocument(content, AS_WRITTEN, () => undefined)).locate(path, at),
  };
}

/**
 * The way of any text that is no JSON; of JSON it makes the same, and takes many times as long. `lists`:
 * those whose items are to be known again.
 */
export function readYamlDocument(
  content: string,
  substituter: Substituter,
  report: ReportProblem,
  lists: readonly ListText[] = [],
): SourceDocument {
  const { document, lines } = parseYamlTree(content);
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return line === 0 ? START : { line, column: col };
  };
  const syntaxProblems = syntaxProblemsOf(document, content).map(({ offset, message }) => ({
    ...positionAt(offset),
    message,
  }));
  let isWell = syntaxProblems.length === 0;
  const reader = new TreeReader(substituter, (...problem) => {
    isWell = false;
    report(...problem);
  });
  let value: unknown;
  if (syntaxProblems.length === 0) {
    try {
      value = reader.read(document.contents);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      isWell = false;
      syntaxProblems.push({ ...positionAt(error.offset), message: error.message });
    }
  }
  return {
    value,
    syntaxProblems,
    substitutions: reader.substitutions.values,
    unresolved: reader.substitutions.unresolved,
    itemTexts: isWell ? itemTextsOf(document.contents, lists, reader) : undefined,
    locate: (path, at) => positionAt(reader.offsetOf(document.contents, path, at)),
  };
}

function syntaxProblemsOf(
  document: Document.Parsed,
  text: string,
): { offset: number; message: string }[] {
  // The parser goes down with the text, and here its stack was not enough.
  if (document.errors.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) {
    return [{ offset: tooDeepOffset(text, MAX_DEPTH), message: TOO_DEEP }];
  }
  const found = [...document.errors, ...document.warnings];
  if (found.length === 0) return [];
  const unquoted = unquotedReferencesOf(text);
  // What stands behind the first one may be read as anything.
  const start = unquoted[0]?.offset ?? Infinity;
  const before = found.filter(({ pos }) => pos[0] < start);
  return [...before.map(toSyntaxProblem), ...unquoted];
}

function toSyntaxProblem(error: YAMLError): { offset: number; message: string } {
  return {
    offset: error.pos[0],
    message:
      error.code === 'MULTIPLE_DOCS'
        ? 'a file holds one document; remove the `---` and what follows'
        : error.message,
  };
}
