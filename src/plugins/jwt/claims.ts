/** The claims of a verified token, made safe to share and to read carelessly. */
import { claimMatches, readClaim, type WantedClaim } from '../sdk/plugin.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** A list of claims that must be there, or the wanted value of each. */
export type RequiredClaims = readonly string[] | Readonly<Record<string, WantedClaim>>;

/**
 * A copy without prototype at the top, so that `claims.constructor` finds nothing, without any
 * `__proto__` member, so that no careless merge changes a prototype, and frozen to the last leaf,
 * because requests share it through the cache.
 */
export function toSafeClaims(payload: Claims): Claims {
  const claims: Record<string, unknown> = Object.assign(Object.create(null), payload);
  // A work list and no recursion: a token has room for thousands of levels, the stack has not.
  const pending: object[] = [claims];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__');
    for (const child of Object.values(value)) {
      if (typeof child === 'object' && child !== null) pending.push(child);
    }
    Object.freeze(value);
  }
  return claims;
}

export function hasRequiredClaims(claims: Claims, required: RequiredClaims | undefined): boolean {
  if (required === undefined) return true;
  return Array.isArray(required)
    ? required.every((name: string) => isGiven(readClaim(claims, name)))
    : Object.entries(required).every(([name, wanted]) => claimMatches(claims, name, wanted));
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
