/** Every operation, by its name in the document. */
import { CONFIGURED_ENTRIES } from './configured-entries.ts';
import { DOCUMENT_ENTRIES } from './document-entries.ts';
import { NODE_ENTRIES } from './node-entries.ts';
import type { Entry } from './operation-entry.ts';

export const ENTRIES: Readonly<Record<string, Entry>> = {
  ...CONFIGURED_ENTRIES,
  ...DOCUMENT_ENTRIES,
  ...NODE_ENTRIES,
};
