/** What is kept of a token; never its text. */
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import type { Json } from '../../mesh/backplane/backplane.ts';
import { ROLES, type Role } from './principal.ts';
import { Scope } from './scope.ts';

/** Nothing of it ever changes, but that it is revoked. */
export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly scope: Scope | undefined;
  /** SHA-256 of the text in hexadecimal; undefined once revoked. */
  readonly digest: string | undefined;
  /** Milliseconds since 1970, as all times here. */
  readonly createdAtMs: number;
  readonly createdBy: string;
  /** Undefined: never. */
  readonly expiresAtMs: number | undefined;
  readonly revoked: { readonly atMs: number; readonly by: string } | undefined;
}

const StoredToken = Type.Object({
  name: Type.String(),
  role: Type.Enum([...ROLES]),
  scope: Type.Optional(Scope),
  digest: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  created_at: Type.Number(),
  created_by: Type.String(),
  expires_at: Type.Optional(Type.Number()),
  revoked: Type.Optional(Type.Object({ at: Type.Number(), by: Type.String() })),
});

/**
 * Undefined for what this version does not understand: a scope that cannot be read must not
 * become a token for everything.
 */
export function parseTokenRecord(id: string, value: unknown): TokenRecord | undefined {
  if (!Check(StoredToken, value)) return undefined;
  const { name, role, scope, digest, created_at, created_by, expires_at, revoked } = value;
  if ((digest === undefined) !== (revoked !== undefined)) return undefined;
  return {
    id,
    name,
    role,
    scope,
    digest,
    createdAtMs: created_at,
    createdBy: created_by,
    expiresAtMs: expires_at,
    revoked: revoked && { atMs: revoked.at, by: revoked.by },
  };
}

export function toTokenValue(record: TokenRecord): { readonly [key: string]: Json | undefined } {
  const { name, role, scope, digest, createdAtMs, createdBy, expiresAtMs, revoked } = record;
  return {
    name,
    role,
    ...(scope !== undefined && { scope }),
    ...(digest !== undefined && { digest }),
    created_at: createdAtMs,
    created_by: createdBy,
    ...(expiresAtMs !== undefined && { expires_at: expiresAtMs }),
    ...(revoked !== undefined && { revoked: { at: revoked.atMs, by: revoked.by } }),
  };
}

/** What stays of it, so that no node with an older memory brings it back. */
export function toRevoked(record: TokenRecord, atMs: number, by: string): TokenRecord {
  return { ...record, digest: undefined, revoked: { atMs, by } };
}

export function isExpired({ expiresAtMs }: TokenRecord, nowMs: number): boolean {
  return expiresAtMs !== undefined && nowMs >= expiresAtMs;
}

/** An expired token is shown for a week, so that whoever looks for it finds out why. */
const SHOWN_AFTER_EXPIRY_MS = 7 * 24 * 3_600_000;

/** It does nothing any more, revoked or not, and may be forgotten by everybody. */
export function isPast({ expiresAtMs }: TokenRecord, nowMs: number): boolean {
  return expiresAtMs !== undefined && nowMs >= expiresAtMs + SHOWN_AFTER_EXPIRY_MS;
}
