/** JSON merge patch (RFC 7396). */
import type { Json } from '../mesh/backplane/backplane.ts';

type Mapping = { readonly [key: string]: Json | undefined };

/** What becomes of `target`: keys of the patch go over its own, null takes one out. */
export function applyMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isMapping(patch)) return patch;
  // As entries, for which no key is special.
  const members = new Map(isMapping(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) members.delete(key);
    else members.set(key, applyMergePatch(members.get(key), value));
  }
  return Object.fromEntries(members);
}

function isMapping(value: Json | undefined): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
