/** The named objects of a shared document: found, put and taken out by name, all else left as it was written. */
import type { Json } from '../../mesh/backplane/backplane.ts';
import type { JsonObject } from '../../mesh/backplane/json-object.ts';
import type { ConfigPath } from './config-path.ts';
import { SHARED_KEYS, type SharedDocument } from './versions/shared-document.ts';

export type EntryKind = keyof SharedDocument;

/** Those that stand by name in a mapping; the others are lists. */
type MappedKind = 'services' | 'certificates';

export function isMapped(kind: EntryKind): kind is MappedKind {
  return kind === 'services' || kind === 'certificates';
}

export interface SharedEntry {
  /** Unique in its kind. Of a plugin that is used several times, the second is `cors:2`, and so on. */
  readonly name: string;
  /** As it is written; of a plugin, its settings. */
  readonly value: Json;
  /** Where `value` stands in the document. */
  readonly path: ConfigPath;
}

/** In the order of the document. */
export function listEntries(document: SharedDocument, kind: EntryKind): readonly SharedEntry[] {
  if (kind === 'plugins') return listPlugins(document.plugins);
  if (isMapped(kind)) {
    return Object.entries(document[kind]).map(([name, value]) => ({
      name,
      value: value ?? null,
      path: [kind, name],
    }));
  }
  return document[kind].map((value, i) => ({ name: nameOf(value), value, path: [kind, i] }));
}

export function findEntry(
  document: SharedDocument,
  kind: EntryKind,
  name: string,
): SharedEntry | undefined {
  return listEntries(document, kind).find((entry) => entry.name === name);
}

/** In its place, or as the last one. */
export function withEntry(
  document: SharedDocument,
  kind: EntryKind,
  name: string,
  value: JsonObject,
): SharedDocument {
  if (isMapped(kind)) return { ...document, [kind]: { ...document[kind], [name]: value } };
  const item = kind === 'plugins' ? { [pluginOf(name)]: value } : value;
  const index = findEntry(document, kind, name)?.path[1];
  const list =
    index === undefined ? [...document[kind], item] : document[kind].with(Number(index), item);
  return { ...document, [kind]: list };
}

/** The document itself where it has none of that name. */
export function withoutEntry(
  document: SharedDocument,
  kind: EntryKind,
  name: string,
): SharedDocument {
  const known = findEntry(document, kind, name);
  if (known === undefined) return document;
  if (isMapped(kind)) {
    const { [name]: _, ...others } = document[kind];
    return { ...document, [kind]: others };
  }
  return { ...document, [kind]: document[kind].toSpliced(Number(known.path[1]), 1) };
}

/** All entries of a kind replaced, in the order of `listEntries`. */
export function withValues(
  document: SharedDocument,
  kind: EntryKind,
  values: readonly Json[],
): SharedDocument {
  if (!isMapped(kind) && kind !== 'plugins') return { ...document, [kind]: values };
  const keyed = listEntries(document, kind).map(
    ({ path }, i) => [path.at(-1)!, values[i]] as const,
  );
  if (isMapped(kind)) return { ...document, [kind]: Object.fromEntries(keyed) };
  return { ...document, plugins: keyed.map((entry) => Object.fromEntries([entry])) };
}

/** The plugin that an entry's name means, which may have an ordinal behind it. */
export function pluginOf(name: string): string {
  return name.replace(/:[0-9]+$/, '');
}

/** The entry that a place of the document is in, and the rest of the way. */
export function locateEntry(
  document: SharedDocument,
  path: ConfigPath,
):
  | { readonly kind: EntryKind; readonly entry: SharedEntry; readonly rest: ConfigPath }
  | undefined {
  const kind = SHARED_KEYS.find((key) => key === path[0]);
  if (kind === undefined || path.length < 2) return undefined;
  const entry = listEntries(document, kind).find((one) =>
    one.path.every((step, i) => i >= path.length || step === path[i]),
  );
  return entry && { kind, entry, rest: path.slice(entry.path.length) };
}

function listPlugins(list: readonly JsonObject[]): readonly SharedEntry[] {
  const counts = new Map<string, number>();
  return list.flatMap((item, i) =>
    Object.entries(item).map(([plugin, value]) => {
      const count = (counts.get(plugin) ?? 0) + 1;
      counts.set(plugin, count);
      const name = count === 1 ? plugin : `${plugin}:${count}`;
      return { name, value: value ?? null, path: ['plugins', i, plugin] };
    }),
  );
}

function nameOf(value: JsonObject): string {
  const { name } = value;
  return typeof name === 'string' ? name : '';
}
