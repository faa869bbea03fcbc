/** What a verified token says of one thing, and whether it is what was asked for. */

/** One wanted value, or several of which one is enough. */
export type WantedClaim = string | number | boolean | readonly (string | number | boolean)[];

type Claims = Readonly<Record<string, unknown>>;

/**
 * The value of a claim: by its name, or else by a path of names with dots between,
 * e.g. `realm_access.roles`. Inherited properties are never found.
 */
export function readClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  if (!name.includes('.')) return undefined;
  let value: unknown = claims;
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Claims)[step];
  }
  return value;
}

/**
 * Whether a claim equals a wanted value, or is a list that contains one. `scope` and `scp` are
 * lists in one string, with spaces between (RFC 6749 §3.3); no other claim is split, or a
 * display name of "alice admin" would count as `admin`.
 */
export function claimMatches(claims: Claims, name: string, wanted: WantedClaim): boolean {
  const value = readClaim(claims, name);
  if (value === undefined) return false;
  const found: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string' && (name === 'scope' || name === 'scp')
      ? value.split(' ')
      : [value];
  return Array.isArray(wanted) ? wanted.some((one) => found.includes(one)) : found.includes(wanted);
}
