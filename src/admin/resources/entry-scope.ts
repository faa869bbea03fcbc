/** The scope of a token, held against objects of the shared configuration. */
import type { EntryKind } from '../../gateway/config/shared-entries.ts';
import type { JsonObject } from '../../gateway/config/versions/shared-document.ts';
import type { Json } from '../../mesh/backplane/backplane.ts';
import type { Scoped } from '../access/scope.ts';

/** Without an entry: by its name alone. */
export function toScoped(kind: EntryKind, name: string, value?: Json): Scoped {
  return { name, labels: labelsOf(kind, value) };
}

/** Settings of a plugin are its own: none of them are labels. */
export function labelsOf(kind: EntryKind, value?: Json): Readonly<Record<string, string>> {
  if (kind === 'plugins') return {};
  const labels = (value as JsonObject | null | undefined)?.['labels'];
  const isMapping = typeof labels === 'object' && labels !== null && !Array.isArray(labels);
  return isMapping ? (labels as Record<string, string>) : {};
}
