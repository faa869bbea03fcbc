/** An issuer whose tokens are good today. */
import { SignJWT } from 'jose';
import { AUDIENCE, createSigningKey, ISSUER, keySet } from '../../plugins/jwt/issuer.ts';

export interface TokenIssuer {
  /** For `jwt: { … }`: issuer, audience and inline keys. */
  readonly config: object;
  /** A field line with a token of that subject, good for an hour. */
  bearer(
    subject: string,
    claims?: Readonly<Record<string, unknown>>,
  ): Promise<{ authorization: string }>;
}

export async function createTokenIssuer(): Promise<TokenIssuer> {
  const key = await createSigningKey('ES256', 'today');
  return {
    config: { issuer: ISSUER, audience: AUDIENCE, jwks: keySet([key]) },
    async bearer(subject, claims = {}) {
      const token = await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: key.algorithm, kid: key.id })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(subject)
        .setExpirationTime('1h')
        .sign(key.privateKey);
      return { authorization: `Bearer ${token}` };
    },
  };
}
