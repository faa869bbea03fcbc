/** Versions of the configuration, as they are asked for by number. */
import type { StoredVersion, VersionStore } from '../../gateway/config/versions/version-store.ts';
import { AdminError } from '../problem.ts';

/** What is known here needs no backplane. Rejects with an `AdminError` (404) where there is none. */
export async function readVersion(store: VersionStore, version: number): Promise<StoredVersion> {
  const head = store.head();
  const found = head?.version === version ? head : await store.read(version);
  if (found !== undefined) return found;
  throw noVersion(version);
}

export function noVersion(version: number): AdminError {
  return new AdminError(404, 'not_found', `There is no version ${version}, or no longer.`);
}
