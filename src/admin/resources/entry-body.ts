/** Entries of the shared document as resources: with their names in them, and back. */
import type { Json } from '../../mesh/backplane/backplane.ts';
import { isObject, type JsonObject } from '../../mesh/backplane/json-object.ts';
import { concealedPlaces, restore } from '../../gateway/config/restoration.ts';
import { toPointer } from '../../gateway/config/config-path.ts';
import type { Concealed } from '../../gateway/config/concealment.ts';
import { isMapped, withEntry, type EntryKind } from '../../gateway/config/shared-entries.ts';
import {
  EMPTY_DOCUMENT,
  parseSharedDocument,
} from '../../gateway/config/versions/shared-document.ts';
import type { Fault } from '../problem.ts';
import { DETAILS } from './certificate-details.ts';
import { toBodyPointer, toHiddenFaults, toResourceSteps } from './faults.ts';

/** Of a plugin the settings stand below `config`: their names are the plugin's own. */
export function toResource(kind: EntryKind, name: string, value: Json): JsonObject {
  if (kind === 'plugins') return { name, config: value };
  return { name, ...(value as JsonObject) };
}

export type ParsedBody =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * What a body makes of an entry. `known` is the one before, whose secrets stay where the body
 * shows them hidden. Whether it can be used is for the check of the whole document to say.
 */
export function parseEntryBody(
  kind: EntryKind,
  name: string,
  body: unknown,
  known: Concealed<Json> | undefined,
): ParsedBody {
  if (!isObject(body)) return fault('must be an object', '#');
  const { name: given = name, ...rest } = body;
  if (given !== name) {
    return fault(`is not ${JSON.stringify(name)}, as the path has it`, '#/name', 'leave it out');
  }
  let value: Json = rest as JsonObject;
  if (kind === 'plugins') {
    const unknown = Object.keys(rest).find((key) => key !== 'config');
    if (unknown !== undefined) {
      const hint = "a plugin's settings stand below config";
      return fault('is not known here', `#${toPointer([unknown])}`, hint);
    }
    value = (rest['config'] ?? {}) as Json;
  } else if (kind === 'certificates') {
    // Sent back as it was shown.
    const { [DETAILS]: _, ...own } = rest;
    value = own as JsonObject;
  } else if (!isMapped(kind)) {
    value = { name, ...(rest as JsonObject) };
  }
  const restored = known === undefined ? value : restore(value, known);
  const hidden = concealedPlaces(restored);
  if (hidden.length > 0) {
    const places = hidden.map((steps) => toResourceSteps(kind, steps));
    return { ok: false, faults: toHiddenFaults(places, body) };
  }
  const alone = parseSharedDocument(withEntry(EMPTY_DOCUMENT, kind, name, restored as JsonObject));
  if (alone.ok) return { ok: true, value: entryOf(kind, alone.document[kind]) };
  return {
    ok: false,
    faults: alone.problems.map(({ path, message }) => ({
      detail: message,
      pointer: toBodyPointer(toResourceSteps(kind, path.slice(kind === 'plugins' ? 3 : 2)), body),
    })),
  };
}

/** The only one. */
function entryOf(kind: EntryKind, part: JsonObject | readonly JsonObject[]): JsonObject {
  const [first] = Object.values(part) as JsonObject[];
  return kind === 'plugins' ? (Object.values(first!)[0] as JsonObject) : first!;
}

function fault(detail: string, pointer: string, hint?: string): ParsedBody {
  return { ok: false, faults: [{ detail, pointer, ...(hint !== undefined && { hint }) }] };
}
