/** Bodies that are a whole shared document. */
import type { Concealer } from '../../gateway/config/concealment.ts';
import { inTurns } from '../../gateway/config/in-turns.ts';
import { concealedPlaces, holdsConcealed, restore } from '../../gateway/config/restoration.ts';
import { readShape, type SharedDocument } from '../../gateway/config/versions/shared-document.ts';
import type { Json } from '../../mesh/backplane/backplane.ts';
import type { Fault } from '../problem.ts';
import { invalid } from './answers.ts';
import { toBodyPointer, toHiddenFaults } from './faults.ts';

/** Rejects with an `AdminError` (422) for what has not even the shape of one. */
export async function parseDocumentBody(body: unknown): Promise<SharedDocument> {
  const parsed = await inTurns(readShape(body));
  if (parsed.ok) return parsed.document;
  throw invalid(
    parsed.problems.map(({ path, message }) => ({
      detail: message,
      pointer: toBodyPointer(path, body),
    })),
  );
}

/** With the secrets of the document before, where this one shows them hidden. */
export async function restoreDocument(
  given: SharedDocument,
  before: SharedDocument,
  concealer: Concealer,
  body: unknown,
): Promise<{ readonly document: SharedDocument; readonly faults: readonly Fault[] }> {
  if (!holdsConcealed(toJson(given))) return { document: given, faults: [] };
  const { shown } = await concealer.document(before);
  const restored = restore(toJson(given), { shown: toJson(shown), stored: toJson(before) });
  const faults = toHiddenFaults(concealedPlaces(restored), body);
  return { document: restored as unknown as SharedDocument, faults };
}

function toJson(document: SharedDocument): Json {
  return document as unknown as Json;
}
