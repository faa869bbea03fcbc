/** Puts the secrets back into what was shown without them, changed, and is to be written. */
import type { Json } from '../../mesh/backplane/backplane.ts';
import { isObject } from '../../mesh/backplane/json-object.ts';
import { isEqual } from './comparison.ts';
import type { ConfigPath } from './config-path.ts';
import type { Concealed } from './concealment.ts';
import { isConcealed } from './secret-text.ts';

/** Whether a value holds anything that was shown in place of a secret. */
export function holdsConcealed(value: Json): boolean {
  if (typeof value === 'string') return isConcealed(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((member) => holdsConcealed(member as Json));
}

/** Where they stand. */
export function concealedPlaces(value: Json, path: ConfigPath = []): readonly ConfigPath[] {
  if (typeof value === 'string') return isConcealed(value) ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  const members: readonly [string | number, unknown][] = Array.isArray(value)
    ? [...(value as readonly Json[]).entries()]
    : Object.entries(value);
  return members.flatMap(([step, member]) => concealedPlaces(member as Json, [...path, step]));
}

/**
 * A copy of `given` in which every value that was shown hidden is what is stored in its place.
 * Where it cannot be told what stood there, it stays hidden: a secret must not end in another's place.
 */
export function restore(
  given: Json,
  { shown, stored }: Pick<Concealed<Json>, 'shown' | 'stored'>,
): Json {
  // What holds no secret is shown as the very same value.
  if (shown === stored || !holdsConcealed(given)) return given;
  if (Array.isArray(given)) {
    if (!Array.isArray(shown) || !Array.isArray(stored)) return given;
    return restoreList(
      given as readonly Json[],
      shown as readonly Json[],
      stored as readonly Json[],
    );
  }
  if (!isObject(given)) return given === shown ? stored : given;
  if (!isObject(shown) || !isObject(stored)) return given;
  const members = Object.entries(given).map(([key, member]) => {
    if (member === undefined || !Object.hasOwn(shown, key)) return [key, member] as const;
    return [key, restore(member, { shown: shown[key]!, stored: stored[key]! })] as const;
  });
  return Object.fromEntries(members);
}

/** An item is known again by its name, else by being as it was shown, else by all others being in their places. */
function restoreList(
  given: readonly Json[],
  shown: readonly Json[],
  stored: readonly Json[],
): readonly Json[] {
  const changed = given.flatMap((item, i) => (isEqual(item, shown[i]) ? [] : [i]));
  return given.map((item, i) => {
    if (!holdsConcealed(item)) return item;
    const index = sourceOf(given, shown, i, changed);
    if (index === undefined) return item;
    return restore(item, { shown: shown[index]!, stored: stored[index]! });
  });
}

function sourceOf(
  given: readonly Json[],
  shown: readonly Json[],
  i: number,
  changed: readonly number[],
): number | undefined {
  const item = given[i]!;
  const identity = identityOf(item);
  if (identity !== undefined && countOf(given, identity) === 1 && countOf(shown, identity) === 1) {
    return shown.findIndex((one) => identityOf(one) === identity);
  }
  const alike = shown.flatMap((one, index) => (isEqual(one, item) ? [index] : []));
  if (alike.length === 1) return alike[0];
  const isInPlace = given.length === shown.length && changed.every((index) => index === i);
  return isInPlace ? i : undefined;
}

/** A name, or the one key of a mapping in a list of plugins. */
function identityOf(item: Json): string | undefined {
  if (!isObject(item)) return undefined;
  const { name } = item;
  if (typeof name === 'string') return `name ${name}`;
  const [key, ...others] = Object.keys(item);
  return key !== undefined && others.length === 0 && isObject(item[key]) ? `key ${key}` : undefined;
}

function countOf(list: readonly Json[], identity: string): number {
  return list.filter((item) => identityOf(item) === identity).length;
}
