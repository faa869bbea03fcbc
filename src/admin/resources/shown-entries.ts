/** Entries of the shared document as they are answered: secrets hidden, certificates explained. */
import type { Concealer } from '../../gateway/config/concealment.ts';
import type { EntryKind, SharedEntry } from '../../gateway/config/shared-entries.ts';
import type { JsonObject } from '../../mesh/backplane/json-object.ts';
import { DETAILS, toCertificateDetails, type CertificateInForce } from './certificate-details.ts';
import { toResource } from './entry-body.ts';

export interface Showing {
  readonly concealer: Concealer;
  readonly certificateInForce: CertificateInForce;
}

export function toShownEntries(
  { concealer, certificateInForce }: Showing,
  kind: EntryKind,
  entries: readonly SharedEntry[],
): readonly JsonObject[] {
  const concealed = concealer.entries(kind, entries);
  return entries.map((entry, i) => {
    const resource = toResource(kind, entry.name, concealed[i]!.shown);
    if (kind !== 'certificates') return resource;
    const details = toCertificateDetails(entry, certificateInForce);
    return details === undefined ? resource : { ...resource, [DETAILS]: details };
  });
}

export function toShownEntry(showing: Showing, kind: EntryKind, entry: SharedEntry): JsonObject {
  return toShownEntries(showing, kind, [entry])[0]!;
}
