/** Loads a configuration file: read, substitute, validate, look into the files it names. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isObject } from '../../mesh/backplane/json-object.ts';
import { checkCertificates } from './certificate-check.ts';
import { toPathText, toPointer } from './config-path.ts';
import type { Config } from './config.ts';
import { STREAMED_LISTS, type ConfigHead } from './config-pieces.ts';
import { deepFreeze } from './deep-freeze.ts';
import { documentValidatorOf } from './document-validator.ts';
import type { EntryMemory, KeyOf, Lesson, Lists, Recollection } from './entry-memory.ts';
import { contextOf, isHiding, recallOwn } from './entry-recall.ts';
import { toReadFailure } from './file-failure.ts';
import type { ConfigIssue, Problem, ReportProblem } from './issue.ts';
import { hashOf, toLoadedLists, type LoadedLists } from './loaded-lists.ts';
import type { PemReference } from './normalise/draft.ts';
import { checkPluginFiles } from './plugin-file-check.ts';
import type { PluginCatalogue } from './plugin-catalogue.ts';
import { readConfigFile } from './read-config-file.ts';
import { DEFAULT_DATA_DIR } from './schema/document.ts';
import { readSourceDocument, type SourceDocument } from './source-document.ts';
import { createSubstituter } from './substitute.ts';
import { validate, type Validation } from './validate.ts';
import { keyFileOf } from './versions/config-keys.ts';
import { ownsSharedPart } from './versions/shared-document.ts';
import { createReferenceGuard } from './versions/shared-references.ts';
import { isSharedPath, mergeSharedPart, type SharedPart } from './versions/shared-source.ts';

export interface LoadOptions {
  readonly catalogue: PluginCatalogue;
  /** For `${VAR}`. Default: the process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What to take for the content of the file, which then need not exist. */
  readonly text?: string | undefined;
  /** What all nodes run; passed over where the file has any of it itself. Default: nothing. */
  readonly shared?: SharedPart | undefined;
  /** What to do where there is no such file. Default: as for verbs that take `--config`. */
  readonly missingHint?: string | undefined;
  /** For the dates of certificates, in milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number;
}

/** The file where it has any of the shared part, else the backplane. */
export type ConfigOwner = 'file' | 'backplane';

export interface Loaded {
  readonly ok: true;
  /** Deep-frozen. */
  readonly config: Config;
  readonly warnings: readonly ConfigIssue[];
  /** How many warnings there are beside those; none where the file was loaded in this thread. */
  readonly unlisted?: number;
  /** SHA-256 of the configuration, 64 lower-case hex digits: two equal ones have the same. */
  readonly hash: string;
  /**
   * The same of what nodes share alone: equal on nodes that understand a version alike, whatever
   * else their files say. Undefined where the file has it.
   */
  readonly sharedHash: string | undefined;
  /** Whose the services, routes, consumers, plugins and certificates are. */
  readonly owner: ConfigOwner;
  /** Absolute paths of the files it was read from: itself and those of `${file:…}`. */
  readonly files: readonly string[];
}

/** As `Loaded`, in the parts that it is sent in. */
export interface LoadedEntries extends Omit<Loaded, 'config'> {
  readonly head: ConfigHead;
  readonly lists: LoadedLists;
}

export interface NotLoaded {
  readonly ok: false;
  /** All of them, warnings too, in the order of the file. */
  readonly issues: readonly ConfigIssue[];
  /** How many there are beside those; none where the file was loaded in this thread. */
  readonly unlisted?: number;
  readonly files: readonly string[];
}

export type LoadResult = Loaded | NotLoaded;

/**
 * Loads a file in this thread. Never rejects on account of what the file holds, or because
 * there is none: that is an issue.
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<LoadResult> {
  const result = await loadOnce(file, options, undefined);
  if (result === 'doubtful') throw new Error('nothing was remembered');
  if (!result.ok) return result;
  const { head, lists, ok, warnings, hash, sharedHash, owner, files } = result;
  const items = STREAMED_LISTS.map((list) => [list, lists[list].map(({ item }) => item)] as const);
  // Without a memory each entry has its item.
  const config = { ...head, ...Object.fromEntries(items) } as Config;
  return { ok, config: deepFreeze(config), warnings, hash, sharedHash, owner, files };
}

/**
 * As `loadConfig`, at the cost of what the memory does not have; the result is the same without it.
 * Afterwards the memory has this configuration, unless it is only a check. Nothing of it is frozen.
 */
export async function loadEntries(
  file: string,
  options: LoadOptions,
  memory: EntryMemory,
  isCheck: boolean,
): Promise<LoadedEntries | NotLoaded> {
  const quick = await loadOnce(file, options, memory);
  if (quick !== 'doubtful' && quick.ok) {
    if (!isCheck) memory.learn(quick.recalled, quick.lesson);
    return quick;
  }
  // What is wrong is told by who has looked at all of it.
  const result = await loadOnce(file, options, undefined);
  if (result === 'doubtful') throw new Error('nothing was remembered');
  if (result.ok && !isCheck) memory.forget();
  return result;
}

interface LoadedOnce extends LoadedEntries {
  readonly recalled: Recollection | undefined;
  readonly lesson: Lesson;
}

/** `doubtful`: by what is remembered it cannot be told. */
async function loadOnce(
  file: string,
  options: LoadOptions,
  memory: EntryMemory | undefined,
): Promise<LoadedOnce | NotLoaded | 'doubtful'> {
  const path = resolve(file);
  let { text } = options;
  try {
    text ??= await readConfigFile(path);
  } catch (error) {
    const { missingHint: hint = 'write one, or name another with --config' } = options;
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return notLoaded(file, [path], toReadFailure(error), isMissing ? hint : undefined);
  }
  const directory = dirname(path);
  const sources = {
    env: options.env ?? process.env,
    directory,
    readText: (name: string) => readFileSync(name, 'utf8'),
  };
  const substituter = createSubstituter(sources);
  const problems: Problem[] = [];
  const report = createReport(problems);
  const own = readSourceDocument(text, substituter, report, memory?.items);
  const ownFiles = [...(options.text === undefined ? [path] : []), ...substituter.files];
  if (own.syntaxProblems.length > 0) {
    const issues = own.syntaxProblems.map(({ line, column, message }): ConfigIssue => {
      return { severity: 'error', file, line, column, path: '', message };
    });
    return { ok: false, issues, files: ownFiles };
  }
  if (own.value === null)
    return notLoaded(file, ownFiles, 'the file is empty', 'begin with meshgate: 1');
  const owner: ConfigOwner = ownsSharedPart(own.value) ? 'file' : 'backplane';
  const shared = owner === 'backplane' && isObject(own.value) ? options.shared : undefined;
  const sharedSubstituter = createSubstituter({
    ...sources,
    refuse: createReferenceGuard({
      configFile: path,
      dataDir: dataDirOf(own.value, directory),
      keyFile: keyFileOf(sources),
    }),
  });
  const recall =
    memory &&
    ((lists: Lists, keyOf: KeyOf): Recollection =>
      memory.recall(lists, contextOf(own.value, directory), keyOf));
  const source = shared
    ? mergeSharedPart(own, shared, sharedSubstituter, report, recall)
    : recallOwn(own, recall);
  const { recalled } = source;
  if (recalled !== undefined && own.itemTexts !== undefined)
    memory?.items.learn(own.itemTexts, recalled);
  const files = [...ownFiles, ...sharedSubstituter.files];
  const validation = validate({
    value: source.value,
    substitutions: source.substitutions,
    unresolved: source.unresolved,
    validator: documentValidatorOf(options.catalogue),
    catalogue: options.catalogue,
    directory,
    isShared: owner === 'backplane',
    recalled,
  });
  if (!validation.isRecalledWell) return 'doubtful';
  const now = options.now ?? Date.now;
  const references = validation.pemReferences.filter((one) => !isUnresolved(one, source));
  await checkCertificates(references, report, now());
  await checkPluginFiles(validation.pluginFiles, report);
  problems.push(...validation.problems);
  // Of what such an entry hides nothing is known here that its problem could show.
  if (problems.some(({ path: at }) => isHiding(recalled, at))) return 'doubtful';
  const from = { file, owner, shared, files, source };
  return toResult(from, validation, problems, recalled);
}

/** What a substitution has failed to put there has been told about. */
function isUnresolved(reference: PemReference, { unresolved }: SourceDocument): boolean {
  const paths =
    reference.kind === 'authorities' ? [reference.path] : [reference.certPath, reference.keyPath];
  return paths.some((path) => unresolved.has(toPointer(path)));
}

/** As the file has it, which is looked at only later. */
function dataDirOf(value: unknown, directory: string): string {
  const dataDir = isObject(value) ? value['dataDir'] : undefined;
  return resolve(directory, typeof dataDir === 'string' ? dataDir : DEFAULT_DATA_DIR);
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

interface LoadedFrom {
  readonly file: string;
  readonly owner: ConfigOwner;
  readonly shared: SharedPart | undefined;
  readonly files: readonly string[];
  readonly source: SourceDocument;
}

function toResult(
  from: LoadedFrom,
  { document, hidden }: Validation,
  problems: readonly Problem[],
  recalled: Recollection | undefined,
): LoadedOnce | NotLoaded {
  const { file, files, owner } = from;
  const issues = problems
    .map((problem) => toIssue(from, hidden.toShownProblem(problem)))
    .sort((a, b) => {
      if (a.file !== b.file) return a.file === file ? -1 : 1;
      return a.line - b.line || a.column - b.column;
    });
  if (document === undefined || issues.some((issue) => issue.severity === 'error')) {
    return { ok: false, issues, files };
  }
  const { lists, lesson } = toLoadedLists(document);
  const { head } = document;
  const { hash, listsHash } = hashOf(head, lists);
  const sharedHash = owner === 'backplane' ? listsHash : undefined;
  const origin = { owner, files, recalled, lesson };
  return { ok: true, head, lists, warnings: issues, hash, sharedHash, ...origin };
}

function toIssue({ file, shared, source }: LoadedFrom, problem: Problem): ConfigIssue {
  const { severity, path, at, message, hint } = problem;
  const name = shared !== undefined && isSharedPath(path) ? shared.name : file;
  const issue = {
    severity,
    file: name,
    ...source.locate(path, at),
    path: toPathText(path),
    ...(at === 'key' && { at }),
    message,
  };
  return hint === undefined ? issue : { ...issue, hint };
}
