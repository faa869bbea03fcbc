/** A shared document as YAML: the same bytes for the same document, and the same document from them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Json } from '../../mesh/backplane/backplane.ts';
import { sortedEntries, type JsonObject, type SharedDocument } from './versions/shared-document.ts';

const ENTRIES_A_TURN = 200;

/** Texts that every reader of YAML takes for the same text without quotes. */
const PLAIN =
  /^(?:[A-Za-z_/$][\w./${}:@%+=~*-]*(?<!:)|[1-9][0-9]*(?:ms|s|m|h|d|KiB|MiB|GiB|KB|MB|GB)|[0-9]+(?:\.[0-9]+){3}(?:[:/][0-9]+)?)$/;
/** Of YAML 1.1 too, which some still read. */
const WORD = /^(?:true|false|yes|no|on|off|y|n|null)$/i;
/** Line breaks to some readers, and the byte order mark; JSON leaves them as they are. */
const ODD = /[\u007f-\u009f\u2028\u2029\ufeff]/g;

/**
 * Can be kept as a configuration file. Written by hand, since what `yaml` writes is not in every
 * case what it reads (U+2028, a key `<<`) and may differ from one version of it to the next.
 */
export async function toDocumentYaml(document: SharedDocument): Promise<string> {
  const pieces = ['meshgate: 1\n'];
  for (const piece of toPieces(document)) {
    if (pieces.push(piece) % ENTRIES_A_TURN === 0) await nextTurn();
  }
  return pieces.join('');
}

function* toPieces({ services, routes, plugins, consumers }: SharedDocument): Generator<string> {
  const entries = sortedEntries(services);
  yield entries.length === 0 ? 'services: {}\n' : 'services:\n';
  for (const [name, service] of entries) yield `  ${toMember(name, service, '  ')}`;
  for (const [key, list] of Object.entries({ routes, plugins, consumers })) {
    yield list.length === 0 ? `${key}: []\n` : `${key}:\n`;
    for (const item of list) yield `  - ${toBlock(item, '    ')}`;
  }
}

/** A value whose first line continues the one before it; `indent` is that of its own further lines. */
function toBlock(value: Json, indent: string): string {
  if (Array.isArray(value) && value.length > 0) {
    return (value as readonly Json[])
      .map((item) => `- ${toBlock(item, `${indent}  `)}`)
      .join(indent);
  }
  const members = isMapping(value) ? sortedEntries(value) : [];
  if (members.length === 0) return `${toFlow(value)}\n`;
  return members.map(([key, member]) => toMember(key, member, indent)).join(indent);
}

function toMember(key: string, value: Json, indent: string): string {
  const isEmpty = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  if (isEmpty) return `${toText(key)}: ${toFlow(value)}\n`;
  return `${toText(key)}:\n${indent}  ${toBlock(value, `${indent}  `)}`;
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

function isMapping(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
