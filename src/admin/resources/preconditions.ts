/** Entity tags of the configuration, and the conditions on them (RFC 9110 §13). */
import type { IncomingHttpHeaders } from 'node:http';
import { Type } from 'typebox';
import {
  pluginOf,
  withEntry,
  type EntryKind,
  type SharedEntry,
} from '../../gateway/config/shared-entries.ts';
import type { JsonObject } from '../../mesh/backplane/json-object.ts';
import { EMPTY_DOCUMENT, hashDocument } from '../../gateway/config/versions/shared-document.ts';
import type { Reading } from '../configuration-desk.ts';
import { AdminError } from '../problem.ts';

/** The fields of a change that has conditions. */
export const Conditions = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'Entity tags, one of which it still has to be; `*`: any.' }),
  ),
  'if-none-match': Type.Optional(
    Type.String({ description: '`*`: only where there is nothing yet.' }),
  ),
});

/** The fields of a question whose answer may be known. */
export const Knowledge = Type.Object({
  'if-none-match': Type.Optional(
    Type.String({ description: 'Entity tags; where one of them still fits: 304.' }),
  ),
});

/** 128 bits. */
const TAG_DIGITS = 32;
const TAG = /(W\/)?("[^"]*")/g;

/** Of an entry as it is stored: what an answer hides counts too. The same on every node. */
export function toEntryTag(kind: EntryKind, { name, value }: SharedEntry): string {
  const alone = withEntry(EMPTY_DOCUMENT, kind, pluginOf(name), value as JsonObject);
  return `"${hashDocument(alone).slice(0, TAG_DIGITS)}"`;
}

/** Of the whole document: its version, 0 before the first. Its two forms are not byte for byte the same. */
export function toDocumentTag({ owner, head, document }: Reading, form: 'json' | 'yaml'): string {
  return toVersionTag(
    owner === 'file' ? `file-${hashDocument(document)}` : (head?.version ?? 0),
    form,
  );
}

export function toVersionTag(version: number | string, form: 'json' | 'yaml'): string {
  return `"${version}${form === 'yaml' ? '.yaml' : ''}"`;
}

/** For a change. `tags` are those of what is there now; none where nothing is. */
export function toRefusal(
  headers: IncomingHttpHeaders,
  tags: readonly string[],
  isThere = tags.length > 0,
): AdminError | undefined {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  const now = isThere ? `it is ${tags[0]} now` : 'there is nothing here';
  if (match !== undefined && !isMet(match, tags, isThere)) {
    return preconditionFailed(`If-Match does not hold: ${now}.`);
  }
  if (noneMatch !== undefined && isMet(noneMatch, tags, isThere)) {
    return preconditionFailed(`If-None-Match does not hold: ${now}.`);
  }
  return undefined;
}

/** For a GET: whether the caller has it already. Weak tags compare as their strong ones. */
export function isKnown({ 'if-none-match': known }: IncomingHttpHeaders, tag: string): boolean {
  return known !== undefined && isMet(known.replaceAll('W/', ''), [tag], true);
}

export function preconditionFailed(detail: string): AdminError {
  return new AdminError(412, 'precondition_failed', detail);
}

function isMet(field: string, tags: readonly string[], isThere: boolean): boolean {
  if (field.trim() === '*') return isThere;
  return [...field.matchAll(TAG)].some(
    ([, weak, tag]) => weak === undefined && tags.includes(tag!),
  );
}

/** For a change of the whole document. */
export function toDocumentRefusal(
  headers: IncomingHttpHeaders,
  current: Reading,
): AdminError | undefined {
  const tags = [toDocumentTag(current, 'json'), toDocumentTag(current, 'yaml')];
  return toRefusal(headers, tags, current.head !== undefined);
}
