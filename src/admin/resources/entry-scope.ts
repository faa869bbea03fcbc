/** The scope of a token, held against objects of the shared configuration. */
import type { EntryKind } from '../../gateway/config/shared-entries.ts';
import type { Json } from '../../mesh/backplane/backplane.ts';
import { isObject } from '../../mesh/backplane/json-object.ts';
import type { Scoped } from '../access/scope.ts';

/** Without an entry: by its name alone. */
export function toScoped(kind: EntryKind, name: string, value?: Json): Scoped {
  return { name, labels: labelsOf(kind, value) };
}

/** Settings of a plugin are its own: none of them are labels. */
export function labelsOf(kind: EntryKind, value?: Json): Readonly<Record<string, string>> {
  if (kind === 'plugins') return {};
  const labels = isObject(value) ? value['labels'] : undefined;
  return isObject(labels) ? (labels as Record<string, string>) : {};
}
