/** What is wrong with a configuration, as faults of the request that would have brought it about. */
import {
  parsePathText,
  toPointer,
  valueAt,
  type ConfigPath,
} from '../../gateway/config/config-path.ts';
import type { ConfigIssue } from '../../gateway/config/issue.ts';
import { locateEntry, type EntryKind } from '../../gateway/config/shared-entries.ts';
import type { SharedDocument } from '../../gateway/config/versions/shared-document.ts';
import { isObject } from '../../mesh/backplane/json-object.ts';
import type { Fault } from '../problem.ts';

/** Nobody reads more at once, and each is told in full. */
const MAX_FAULTS = 500;

/** What the request is about. */
export interface Subject {
  readonly kind: EntryKind;
  readonly name: string;
  readonly body: unknown;
}

/** Of a request whose body is the document. */
export function toDocumentFaults(issues: readonly ConfigIssue[], body: unknown): readonly Fault[] {
  return issues
    .slice(0, MAX_FAULTS)
    .map((issue) => toFault(issue, { pointer: toBodyPointer(parsePathText(issue.path), body) }));
}

/** Of a request about one entry; what is wrong elsewhere in the document is named by its resource. */
export function toEntryFaults(
  issues: readonly ConfigIssue[],
  document: SharedDocument,
  subject: Subject,
): readonly Fault[] {
  return issues.slice(0, MAX_FAULTS).map((issue) => {
    const found = locateEntry(document, parsePathText(issue.path));
    // Of the node's own part; the path says where.
    if (found === undefined) return toFault(issue, {}, `${issue.path}: `);
    const { kind, entry, rest } = found;
    const steps = toResourceSteps(kind, rest);
    const isOwn = kind === subject.kind && entry.name === subject.name;
    if (isOwn && isWithin(steps, subject.body)) {
      return toFault(issue, { pointer: toBodyPointer(steps, subject.body) });
    }
    return toFault(issue, {
      resource: toAddress(kind, entry.name),
      pointer: `#${toPointer(steps)}`,
    });
  });
}

/** Of values that a body shows hidden, and that cannot be told to be those that are stored. */
export function toHiddenFaults(places: readonly ConfigPath[], body: unknown): readonly Fault[] {
  return places.map((place) => ({
    detail: 'stands for a value that is not known here',
    pointer: toBodyPointer(place, body),
    hint: 'give the value itself',
  }));
}

export function toAddress(kind: EntryKind, name: string): string {
  return `/v1/${kind}/${encodeURIComponent(name)}`;
}

/** A resource is its entry, but for a plugin, whose settings are below `config`. */
export function toResourceSteps(kind: EntryKind, steps: ConfigPath): ConfigPath {
  return kind === 'plugins' ? ['config', ...steps] : steps;
}

/** Plugins may be given as a mapping, and are a list in the document. */
export function toBodyPointer(path: ConfigPath, body: unknown): string {
  const steps: (string | number)[] = [];
  for (const step of path) {
    if (typeof step !== 'number' || !isObject(valueAt(body, steps))) steps.push(step);
  }
  return `#${toPointer(steps)}`;
}

/** Whether the body has something there, or around it; a patch may have nothing. */
function isWithin([first]: ConfigPath, body: unknown): boolean {
  return first === undefined || valueAt(body, [first]) !== undefined;
}

function toFault(
  { message, hint, at }: ConfigIssue,
  place: Pick<Fault, 'pointer' | 'resource'>,
  prefix = '',
): Fault {
  return {
    detail: `${prefix}${message}`,
    ...place,
    ...(at !== undefined && { at }),
    ...(hint !== undefined && { hint }),
  };
}
