/** What differs between two shared documents as they are written, without showing a secret. */
import { Comparison, type ConfigChange } from './comparison.ts';
import type { Concealed } from './concealment.ts';
import { listEntries } from './shared-entries.ts';
import type { SharedDocument } from './versions/shared-document.ts';

/**
 * The changes that lead from one document to another; none where they are the same version.
 * Nothing is filled in or substituted, so that documents of any age can be compared anywhere.
 */
export function diffDocuments(
  before: Concealed<SharedDocument>,
  after: Concealed<SharedDocument>,
): readonly ConfigChange[] {
  const comparison = new Comparison(before.redactions, after.redactions);
  for (const kind of ['services', 'routes', 'plugins', 'consumers', 'certificates'] as const) {
    const [old, current] = [listEntries(before.stored, kind), listEntries(after.stored, kind)];
    comparison.compareNamed(kind, old, current, ({ value }) => value);
    if (kind === 'routes' || kind === 'plugins') comparison.compareOrder(kind, old, current);
  }
  return comparison.changes;
}
