/** Loads a configuration file: read, substitute, validate, look into the files it names. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checkCertificates } from './certificate-check.ts';
import { toPathText } from './config-path.ts';
import type { Config } from './config.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { ConfigIssue, Problem, ReportProblem } from './issue.ts';
import type { PluginCatalogue } from './plugin-catalogue.ts';
import { createSchemaValidator } from './schema-validator.ts';
import { Document } from './schema/document.ts';
import { definePluginList } from './schema/plugin-list.ts';
import { readSourceDocument, type SourceDocument } from './source-document.ts';
import { createSubstituter } from './substitute.ts';
import { validate, type Validation } from './validate.ts';

export interface LoadOptions {
  readonly catalogue: PluginCatalogue;
  /** For `${VAR}`. Default: the process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What to take for the content of the file, which then need not exist. */
  readonly text?: string | undefined;
  /** For the dates of certificates, in milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number;
}

export interface Loaded {
  readonly ok: true;
  /** Deep-frozen. */
  readonly config: Config;
  readonly warnings: readonly ConfigIssue[];
  /** SHA-256 of the configuration, 64 lower-case hex digits: two equal ones have the same. */
  readonly hash: string;
  /** Absolute paths of the files it was read from: itself and those of `${file:…}`. */
  readonly files: readonly string[];
}

export interface NotLoaded {
  readonly ok: false;
  /** All of them, warnings too, in the order of the file. */
  readonly issues: readonly ConfigIssue[];
  readonly files: readonly string[];
}

export type LoadResult = Loaded | NotLoaded;

/**
 * Loads a file in this thread. Never rejects on account of what the file holds, or because
 * there is none: that is an issue.
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<LoadResult> {
  const path = resolve(file);
  let { text } = options;
  try {
    text ??= await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    return notLoaded(file, [path], `cannot read the file (${code})`);
  }
  const directory = dirname(path);
  const substituter = createSubstituter({
    env: options.env ?? process.env,
    directory,
    readText: (name) => readFileSync(name, 'utf8'),
  });
  const problems: Problem[] = [];
  const report = createReport(problems);
  const source = readSourceDocument(text, substituter, report);
  const files = [...(options.text === undefined ? [path] : []), ...substituter.files];
  if (source.syntaxProblems.length > 0) {
    const issues = source.syntaxProblems.map(({ line, column, message }): ConfigIssue => {
      return { severity: 'error', file, line, column, path: '', message };
    });
    return { ok: false, issues, files };
  }
  if (source.value === null)
    return notLoaded(file, files, 'the file is empty', 'begin with meshgate: 1');
  const validation = validate({
    value: source.value,
    substitutions: source.substitutions,
    unresolved: source.unresolved,
    validator: createSchemaValidator(Document, definePluginList(options.catalogue)),
    catalogue: options.catalogue,
    directory,
  });
  const now = options.now ?? Date.now;
  await checkCertificates(validation.pemReferences, report, now());
  problems.push(...validation.problems);
  return toResult(file, files, source, validation, problems);
}

function createReport(problems: Problem[]): ReportProblem {
  return (path, message, { severity = 'error', at = 'value', hint } = {}) => {
    problems.push({ severity, path, at, message, hint });
  };
}

function notLoaded(
  file: string,
  files: readonly string[],
  message: string,
  hint?: string,
): NotLoaded {
  const issue = { severity: 'error', file, line: 1, column: 1, path: '', message } as const;
  return { ok: false, issues: [hint === undefined ? issue : { ...issue, hint }], files };
}

function toResult(
  file: string,
  files: readonly string[],
  source: SourceDocument,
  { config, hidden }: Validation,
  problems: readonly Problem[],
): LoadResult {
  const issues = problems
    .map((problem) => toIssue(file, source, hidden.toShownProblem(problem)))
    .sort((a, b) => a.line - b.line || a.column - b.column);
  if (config === undefined || issues.some((issue) => issue.severity === 'error')) {
    return { ok: false, issues, files };
  }
  return { ok: true, config: deepFreeze(config), warnings: issues, hash: hashOf(config), files };
}

function toIssue(file: string, source: SourceDocument, problem: Problem): ConfigIssue {
  const { severity, path, at, message, hint } = problem;
  const issue = { severity, file, ...source.locate(path, at), path: toPathText(path), message };
  return hint === undefined ? issue : { ...issue, hint };
}

/** Where values came from is no part of what they are. */
function hashOf(config: Config): string {
  const json = JSON.stringify({ ...config, redactions: undefined });
  return createHash('sha256').update(json).digest('hex');
}
