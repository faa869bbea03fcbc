/** An entry's own content as a text, by which it is known again. */
import { toPointer } from './config-path.ts';
import type { KeyOf } from './entry-memory.ts';
import { KnownItem } from './known-items.ts';
import type { SourceDocument } from './source-document.ts';

/** Of canonical JSON, before substitution: what is put in may be another value each time. */
export const keyOfCanonical: KeyOf = (entry) => {
  const key = JSON.stringify(entry);
  return key.includes('${') ? undefined : key;
};

/** Of what a file was read to. */
export function createFileKeys({
  substitutions,
  unresolved,
}: Pick<SourceDocument, 'substitutions' | 'unresolved'>): KeyOf {
  const touched = new Set<string>();
  for (const pointers of [substitutions.keys(), unresolved]) {
    for (const pointer of pointers) touched.add(pointer.split('/', 3).join('/'));
  }
  return (entry, list, step) => {
    // Nothing was put into it.
    if (entry instanceof KnownItem) return entry.json;
    if (touched.size > 0 && touched.has(toPointer([list, step]))) return undefined;
    let isJson = true;
    const key = JSON.stringify(entry, (_, value: unknown) => {
      // `.inf`, `.nan` and -0, which JSON would take for something else.
      if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
        isJson = false;
      return value;
    });
    return isJson ? key : undefined;
  };
}
