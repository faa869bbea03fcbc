/** Shared documents for tests. */
import {
  parseSharedDocument,
  type SharedDocument,
} from '../../../src/gateway/config/versions/shared-document.ts';

export function documentOf(value: unknown): SharedDocument {
  const parsed = parseSharedDocument(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
}
