/** The outer form of a token: three canonical base64url segments, and what its header claims (RFC 7515). */
import { decodeProtectedHeader } from 'jose';

export interface TokenHeader {
  readonly algorithm: string;
  readonly keyId: string | undefined;
}

/** In characters. A header block holds no more anyway, and nobody's token needs it. */
export const MAX_TOKEN_LENGTH = 16 * 1024;

/**
 * Stricter than the library, which tolerates padding and white space: of one signed text there
 * must be one spelling, or whatever remembers tokens by their text can be led round. Five segments
 * (an encrypted token, and its decompression bombs, CVE-2024-28176) do not match either.
 */
const COMPACT_FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** The header of a token of the right form; undefined for anything else. Nothing of it is verified yet. */
export function parseTokenHeader(token: string): TokenHeader | undefined {
  if (token.length > MAX_TOKEN_LENGTH || !COMPACT_FORM.test(token)) return undefined;
  let header: Readonly<Record<string, unknown>>;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
  // No extension is understood here, so one that must be understood ends it (RFC 7515 §4.1.11, CVE-2026-35042).
  if ('crit' in header) return undefined;
  // `jku`, `x5u`, `jwk` and `x5c` would let the token bring its own keys: they are not even read.
  const { alg, kid } = header;
  if (typeof alg !== 'string') return undefined;
  if (kid !== undefined && typeof kid !== 'string') return undefined;
  return { algorithm: alg, keyId: kid };
}
