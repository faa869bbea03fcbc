/** JSON merge patch (RFC 7396). */
import type { Json } from '../mesh/backplane/backplane.ts';
import { isObject } from '../mesh/backplane/json-object.ts';

/** What becomes of `target`: keys of the patch go over its own, null takes one out. */
export function applyMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  // As entries, for which no key is special.
  const members = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) members.delete(key);
    else members.set(key, applyMergePatch(members.get(key), value));
  }
  return Object.fromEntries(members);
}
