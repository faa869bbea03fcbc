/** What is left to be looked at of a document, when what is known of it has been left out. */
import { isObject } from '../../mesh/backplane/json-object.ts';
import type { ConfigPath } from './config-path.ts';
import { createFileKeys } from './entry-key.ts';
import { withoutRecalled, type KeyOf, type Lists, type Recollection } from './entry-memory.ts';
import { KnownItem } from './known-items.ts';
import type { SourceDocument } from './source-document.ts';
import type { MergedDocument } from './versions/shared-source.ts';

/** What the records of entries depend on beside their content. */
export function contextOf(value: unknown, directory: string): string {
  return JSON.stringify([directory, isObject(value) ? value['listeners'] : undefined]);
}

/** Of a file that has all of its configuration. */
export function recallOwn(
  own: SourceDocument,
  recall: ((lists: Lists, keyOf: KeyOf) => Recollection) | undefined,
): MergedDocument {
  if (recall === undefined || !isObject(own.value)) return { ...own, recalled: undefined };
  const recalled = recall(own.value, createFileKeys(own));
  const rest = withoutRecalled(own.value as Lists, recalled);
  for (const list of ['services', 'routes', 'consumers'] as const) {
    if (own.value[list] !== undefined)
      (own.value as Record<string, unknown>)[list] = withValues(rest[list]);
  }
  return { ...own, recalled };
}

/** What was read before and is not remembered all the same, as what it was read to. */
function withValues(list: unknown): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((entry: unknown) => (entry instanceof KnownItem ? entry.toValue() : entry));
}

/** Whether it is at a known entry that has values which may not be shown. */
export function isHiding(recalled: Recollection | undefined, [list, step]: ConfigPath): boolean {
  if (recalled === undefined) return false;
  if (list === 'services') {
    const at = recalled.serviceNames.indexOf(String(step));
    return recalled.services.records[at]?.isHiding === true;
  }
  if (list !== 'routes' && list !== 'consumers') return false;
  return recalled[list].records[Number(step)]?.isHiding === true;
}
