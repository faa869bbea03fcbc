/** From a file's content to a `Config`, or to everything that is wrong with it. */
import { childPath, parsePointer, valueAt } from './config-path.ts';
import type { ConfigHead } from './config-pieces.ts';
import { PARTS } from './displayed-config.ts';
import type { Recollection } from './entry-memory.ts';
import { breathe } from './give-way.ts';
import type { Problem, ReportProblem } from './issue.ts';
import { callerNamesOf, isKnownCaller } from './normalise/caller-references.ts';
import {
  firstHttpsPort,
  namesOf,
  normaliseDocument,
  type NormalisedDocument,
  type OnPart,
} from './normalise/document.ts';
import { writtenAddressesOf } from './normalise/listening.ts';
import type { Draft, PemReference, PluginFileReference, Traces } from './normalise/draft.ts';
import type { PluginCatalogue } from './plugin-catalogue.ts';
import { createHiddenValues, type HiddenValue, type HiddenValues } from './redaction.ts';
import { checkSchema, prune, withoutConsequences, type Pruned } from './schema-check.ts';
import { toProblem } from './schema-problem.ts';
import type { SchemaValidator } from './schema-validator.ts';
import type { RawDocument } from './schema/document.ts';
import { HIDDEN } from './secret-text.ts';
import type { SubstitutedValue } from './substitutions.ts';

export interface ValidationInput {
  /** Plain data; defaults are filled into it, and faulty values taken out. */
  readonly value: unknown;
  readonly substitutions: ReadonlyMap<string, SubstitutedValue>;
  /** JSON pointers of texts whose substitution failed, which has been told about. */
  readonly unresolved: ReadonlySet<string>;
  readonly validator: SchemaValidator;
  readonly catalogue: PluginCatalogue;
  /** Absolute; relative paths of the file start here. */
  readonly directory: string;
  /** Whether what nodes share is to come, or has come, from the backplane. */
  readonly isShared: boolean;
  /** Entries that have been left out of `value`. */
  readonly recalled?: Recollection | undefined;
}

export interface Validation {
  /** Good for nothing where a problem is an error; undefined where it could not be made at all. */
  readonly document:
    | (Omit<NormalisedDocument, 'redactions' | 'head'> & { readonly head: ConfigHead })
    | undefined;
  /** Whether all that recalled entries refer to is there. */
  readonly isRecalledWell: boolean;
  readonly problems: readonly Problem[];
  /** Files still to be looked into. */
  readonly pemReferences: readonly PemReference[];
  readonly pluginFiles: readonly PluginFileReference[];
  readonly hidden: HiddenValues;
}

/** Checks all that can be checked without reading other files. */
export function validate(input: ValidationInput): Validation {
  const { value, validator, substitutions, unresolved, recalled } = input;
  withoutEdge(value);
  const writtenAddresses = writtenAddressesOf(value);
  const check = checkSchema(value, validator, new Set(substitutions.keys()));
  const names = {
    ...namesWithin(value, recalled),
    callers: callerNamesOf(
      value,
      substitutions,
      unresolved,
      recalled?.consumers.records.map((record) => record?.facts),
    ),
    writtenAddresses,
    hasCertificates: hasCertificates(input),
  };
  const hidden = createHiddenValues(hiddenValuesOf(input, check.secrets));
  const problems = withoutConsequences(check.faults)
    .filter(({ pointer }) => !unresolved.has(pointer))
    .map((fault) => toProblem(fault, value, hidden.shownInstead));
  const unresolvedPaths = [...unresolved].map((pointer) => parsePointer(pointer, value));
  const pruned = prune(value, check, validator, unresolvedPaths);
  const draft = createDraft(input, names, pruned, problems);
  let document: Validation['document'];
  if (pruned.usable) {
    const raw = value as RawDocument;
    const onPart: OnPart = (part, name, path) => {
      const shown = childPath(String(path[0]), name);
      const redactions = hidden.redactionsOf(part, shown, path);
      return { redactions, isHiding: hidden.hasWithin(path) };
    };
    const { head, redactions, ...lists } = normaliseDocument(raw, draft, onPart, recalled);
    const others = PARTS.flatMap((part) => hidden.redactionsOf(head[part], part, [part]));
    document = { ...lists, head: { ...head, redactions: [...redactions, ...others] } };
  }
  const { pemReferences, pluginFiles } = draft;
  const isRecalledWell = recalled === undefined || refersWell(recalled, draft);
  return { document, isRecalledWell, problems, pemReferences, pluginFiles, hidden };
}

function createDraft(
  { value, catalogue, directory }: ValidationInput,
  names: Pick<Draft, 'services' | 'listeners' | 'callers' | 'writtenAddresses' | 'hasCertificates'>,
  pruned: Pruned,
  problems: Problem[],
): Draft {
  const traces: Traces = { reports: 0, services: [], callers: [] };
  const report: ReportProblem = (path, message, options = {}) => {
    const { severity = 'error', at = 'value', hint, absent } = options;
    // What is missing because it was taken out has been told about.
    if (at === 'value' && pruned.isGap(path)) return;
    if (absent !== undefined && pruned.isGap(absent)) return;
    traces.reports++;
    problems.push({ severity, path, at, message, hint });
  };
  const listeners = pruned.usable ? (value as RawDocument).listeners : [];
  return {
    report,
    directory,
    catalogue,
    ...names,
    httpsPort: firstHttpsPort(listeners),
    pemReferences: [],
    pluginFiles: [],
    traces,
  };
}

/** What was there when an entry was looked at may be gone. */
function refersWell(recalled: Recollection, { services, callers }: Draft): boolean {
  const { records } = recalled.routes;
  return records.every((record, i) => {
    breathe(i);
    if (record === undefined) return true;
    const { uses } = record;
    return (
      uses.services.every((name) => services.has(name)) &&
      (callers === undefined || uses.callers.every((one) => isKnownCaller(callers, one)))
    );
  });
}

/** A node proxy is no gateway unless it says so: it has none of the default listeners. */
function withoutEdge(value: unknown): void {
  const has = (key: string): boolean => valueAt(value, [key]) !== undefined;
  if (!has('register') && !has('outbound')) return;
  if (!has('listeners')) (value as { listeners?: unknown }).listeners = [];
}

/** Before anything is taken out: what has faults is there all the same. */
function namesWithin(
  value: unknown,
  recalled: Recollection | undefined,
): Pick<Draft, 'services' | 'listeners'> {
  const services = valueAt(value, ['services']);
  const listeners = valueAt(value, ['listeners']);
  return {
    services: new Set(
      recalled?.serviceNames ??
        (typeof services === 'object' && services !== null ? Object.keys(services) : []),
    ),
    listeners: namesOf(listeners),
  };
}

/** What has faults counts too. */
function hasCertificates({ value, isShared }: ValidationInput): Draft['hasCertificates'] {
  const certificates = valueAt(value, ['certificates']);
  const isMapping = typeof certificates === 'object' && certificates !== null;
  if (isMapping && Object.keys(certificates).length > 0) return true;
  return isShared ? 'later' : false;
}

/** Substituted values, and what the schema calls secret. */
function hiddenValuesOf(
  { value, substitutions }: ValidationInput,
  secrets: readonly string[],
): HiddenValue[] {
  const hidden: HiddenValue[] = [];
  for (const [pointer, { text, value: substituted }] of substitutions) {
    hidden.push({ path: parsePointer(pointer, value), text, value: substituted });
  }
  for (const pointer of new Set(secrets)) {
    if (substitutions.has(pointer)) continue;
    const path = parsePointer(pointer, value);
    for (const secret of textsWithin(valueAt(value, path))) {
      hidden.push({ path, text: HIDDEN, value: secret });
    }
  }
  return hidden;
}

function textsWithin(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsWithin);
}
