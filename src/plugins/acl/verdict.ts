/** Whether a caller passes an access list. */
import { claimMatches, type Consumer } from '../sdk/plugin.ts';
import type { AclConfig } from './schema.ts';

export type AclVerdict = 'pass' | 'unauthenticated' | 'forbidden';

type Claims = Readonly<Record<string, unknown>>;
interface Names {
  readonly groups?: readonly string[];
  readonly consumers?: readonly string[];
}

/**
 * Deny wins. Then any listed group or consumer is enough, and every listed claim must match.
 * Nobody is never let in, not even by a list that only denies: the denied would just leave
 * their credential out.
 */
export function judge(
  { allow, deny }: Pick<AclConfig, 'allow' | 'deny'>,
  consumer: Consumer | undefined,
  claims: Claims | undefined,
): AclVerdict {
  if (consumer === undefined && claims === undefined) return 'unauthenticated';
  if (deny !== undefined && isListed(deny, consumer)) return 'forbidden';
  if (allow === undefined) return 'pass';
  const named = allow.groups !== undefined || allow.consumers !== undefined;
  if (named && !isListed(allow, consumer)) return 'forbidden';
  for (const name in allow.claims) {
    const wanted = allow.claims[name]!;
    if (claims === undefined || !claimMatches(claims, name, wanted)) return 'forbidden';
  }
  return 'pass';
}

function isListed(names: Names, consumer: Consumer | undefined): boolean {
  if (consumer === undefined) return false;
  if (names.consumers?.includes(consumer.name) === true) return true;
  for (const group of names.groups ?? []) if (consumer.groups.includes(group)) return true;
  return false;
}
