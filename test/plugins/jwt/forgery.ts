/** Ways of making tokens that no honest library offers. */
import { createHmac, createPublicKey } from 'node:crypto';
import type { SigningKey } from './issuer.ts';

export function base64url(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString(
    'base64url',
  );
}

/** A token with an HMAC for its signature, with anything as the secret. */
export function hmacToken(header: object, claims: object, secret: string): string {
  const input = `${base64url(header)}.${base64url(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** A public key as the text that servers take for a secret when they can be confused. */
export function publicPem(key: SigningKey): string {
  return createPublicKey({ key: key.publicJwk, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
}

/** A token with a good RS256 signature over whatever text stands where the claims should. */
export async function signText(key: SigningKey, payload: string): Promise<string> {
  const input = `${base64url({ alg: 'RS256', kid: key.id })}.${base64url(payload)}`;
  const signature = await crypto.subtle.sign(
    'RSASSA-PKCS1-v1_5',
    key.privateKey,
    Buffer.from(input),
  );
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}
