/** A shared document as YAML: the same bytes for the same document, and the same document from them. */
import type { Json } from '../../../mesh/backplane/backplane.ts';
import { isObject, type JsonObject } from '../../../mesh/backplane/json-object.ts';
import { sortedEntries, type SharedDocument } from './shared-document.ts';

/** Texts that every reader of YAML takes for the same text without quotes. */
const PLAIN =
  /^(?:[A-Za-z_/$][\w./${}:@%+=~*-]*(?<!:)|[1-9][0-9]*(?:ms|s|m|h|d|KiB|MiB|GiB|KB|MB|GB)|[0-9]+(?:\.[0-9]+){3}(?:[:/][0-9]+)?)$/;
/** A longer key has to be marked as one (YAML 1.2 §8.2.2). */
const MAX_KEY_CHARACTERS = 1_000;
/** Of YAML 1.1 too, which some still read. */
const WORD = /^(?:true|false|yes|no|on|off|y|n|null)$/i;
/** Line breaks to some readers, and the byte order mark; JSON leaves them as they are. */
const ODD = /[\u007f-\u009f\u2028\u2029\ufeff]/g;

/** A configuration file of the shared part alone. Reading it gives a document of the same hash. */
export function toSharedYaml(document: SharedDocument): string {
  return [...sharedYamlPieces(document)].join('');
}

/** The same in pieces, one an entry; empty parts are left out. */
export function* sharedYamlPieces(document: SharedDocument): Generator<string> {
  for (const { text } of sharedYamlEntries(document)) yield text;
}

/** A piece of the text: an entry of a list or mapping, or what stands before the first one. */
export interface YamlEntry {
  readonly list: string;
  /** Undefined for the key of the list itself. */
  readonly step: string | number | undefined;
  /** Whole lines. */
  readonly text: string;
}

/** By hand: the library takes ten times as long, and holds up the event loop meanwhile. */
export function* sharedYamlEntries(document: SharedDocument): Generator<YamlEntry> {
  yield { list: 'meshgate', step: undefined, text: 'meshgate: 1\n' };
  yield* mappingEntries('services', document.services);
  for (const list of ['routes', 'consumers', 'plugins'] as const) {
    const items = document[list];
    if (items.length > 0) yield { list, step: undefined, text: `${list}:\n` };
    for (const [step, item] of items.entries()) {
      yield { list, step, text: `  - ${toBlock(item, '    ')}` };
    }
  }
  yield* mappingEntries('certificates', document.certificates);
}

function* mappingEntries(list: string, mapping: JsonObject): Generator<YamlEntry> {
  const entries = sortedEntries(mapping);
  if (entries.length > 0) yield { list, step: undefined, text: `${list}:\n` };
  for (const [step, value] of entries) {
    yield { list, step, text: `  ${toMember(step, value, '  ')}` };
  }
}

/** A value whose first line continues the one before it; `indent` is that of its own further lines. */
function toBlock(value: Json, indent: string): string {
  if (Array.isArray(value) && value.length > 0) {
    return (value as readonly Json[])
      .map((item) => `- ${toBlock(item, `${indent}  `)}`)
      .join(indent);
  }
  const members = isObject(value) ? sortedEntries(value) : [];
  if (members.length === 0) return `${toFlow(value)}\n`;
  return members.map(([key, member]) => toMember(key, member, indent)).join(indent);
}

function toMember(key: string, value: Json, indent: string): string {
  const isEmpty = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  const text = toText(key);
  const name = text.length > MAX_KEY_CHARACTERS ? `? ${text}\n${indent}` : text;
  if (isEmpty) return `${name}: ${toFlow(value)}\n`;
  return `${name}:\n${indent}  ${toBlock(value, `${indent}  `)}`;
}

function toFlow(value: Json): string {
  return typeof value === 'string' ? toText(value) : JSON.stringify(value);
}

/** Else as in JSON, which is YAML too. */
function toText(text: string): string {
  if (PLAIN.test(text) && !WORD.test(text)) return text;
  return JSON.stringify(text).replace(
    ODD,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
