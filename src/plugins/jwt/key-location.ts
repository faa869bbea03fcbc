/** Which of its forms `jwks` has. */
import type { JwtConfig } from './schema.ts';

export type KeyLocation =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'inline'; readonly keys: readonly unknown[] };

/** A text with a scheme is a URL; one letter before the colon would be a drive. */
const URL_FORM = /^[a-z][a-z0-9+.-]+:/i;

export function parseKeyLocation(jwks: NonNullable<JwtConfig['jwks']>): KeyLocation {
  if (typeof jwks === 'string') {
    return URL_FORM.test(jwks) ? { kind: 'url', url: jwks } : { kind: 'file', path: jwks };
  }
  return 'file' in jwks ? { kind: 'file', path: jwks.file } : { kind: 'inline', keys: jwks.keys };
}
