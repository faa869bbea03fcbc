/** What names and ids may look like: they become keys, channels and file names. */
import type { Mutation } from './backplane.ts';

const SPACE = /^[\w.:/-]{1,128}$/;
const OWNER = /^[\w.:/-]{0,128}$/;
const ID_MAX_CHARACTERS = 256;

export function assertSpace(space: string): void {
  // A brace would move the hash tag, and with it the keys to several slots of a cluster.
  if (!SPACE.test(space)) throw new TypeError(`not a name for a space: ${JSON.stringify(space)}`);
}

export function assertId(id: string): void {
  if (id.length === 0 || id.length > ID_MAX_CHARACTERS) {
    throw new TypeError(`an id has 1 to ${ID_MAX_CHARACTERS} characters`);
  }
}

/** Also what keeps the blank-separated form of a stored record readable. */
export function assertOwner(owner: string): void {
  if (!OWNER.test(owner)) throw new TypeError('an owner is a token without blanks');
}

/** Throws a TypeError for what no adapter could store. */
export function assertMutations(mutations: readonly Mutation[]): void {
  if (mutations.length === 0) throw new TypeError('a change has at least one mutation');
  const seen = new Set<string>();
  for (const { kind, id, owner = '' } of mutations) {
    assertId(id);
    assertOwner(owner);
    const key = `${kind} ${id}`;
    if (seen.has(key)) throw new TypeError('a change has one mutation a record');
    seen.add(key);
  }
}
