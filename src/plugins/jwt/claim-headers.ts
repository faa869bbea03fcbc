/** Tells the service who the caller is, in header fields that the caller itself cannot set. */
import { readClaim, type HeaderFields } from '../sdk/plugin.ts';
import type { Claims } from './claims.ts';

export interface ClaimHeader {
  readonly claim: string;
  readonly name: string;
}

/** Removes the mapped fields of the client's own. */
export type HeaderGuard = (headers: HeaderFields) => void;

/** Fields that frame or route the message, or carry credentials: no claim may stand in them. */
const RESERVED = new Set([
  'authorization',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function isReservedHeader(name: string): boolean {
  return RESERVED.has(name.toLowerCase());
}

/**
 * A guard for some fields. CGI and WSGI back ends read `X_User` as `X-User`, so a client's
 * underscore spelling goes as well.
 */
export function createHeaderGuard(mapped: readonly ClaimHeader[]): HeaderGuard {
  const names = new Set(mapped.map(({ name }) => canonicalName(name)));
  const lengths = new Set(mapped.map(({ name }) => name.length));
  return (headers) => {
    const { raw } = headers;
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i]!;
      // Lengths first: most fields need no lower-case copy to be let through.
      if (!lengths.has(name.length) || !names.has(canonicalName(name))) continue;
      headers.remove(name);
      i -= 2;
    }
  };
}

function canonicalName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** The field lines for a token's claims, flat; a claim that is not there gives no line. */
export function toHeaderLines(claims: Claims, mapped: readonly ClaimHeader[]): readonly string[] {
  return mapped.flatMap(({ claim, name }) => {
    const value = toFieldValue(readClaim(claims, claim));
    return value === undefined ? [] : [name, value];
  });
}

/**
 * A claim as the value of a field: text, number or boolean as it is, a list of those joined by
 * commas, anything else as JSON. What a field cannot carry is percent-encoded as UTF-8, and so
 * are `%` itself, commas within a list's items, and spaces at either end, so that no text passes
 * for another and no item for two.
 */
export function toFieldValue(claim: unknown): string | undefined {
  if (claim === undefined || claim === null) return undefined;
  if (Array.isArray(claim) && claim.every(isScalar)) {
    return claim.map((item) => encodeText(String(item)).replaceAll(',', '%2C')).join(',');
  }
  return encodeText(isScalar(claim) ? String(claim) : JSON.stringify(claim));
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function encodeText(text: string): string {
  return text.toWellFormed().replace(/[^ -$&-~]+|^ +| +$/g, (run) => encodeURIComponent(run));
}
