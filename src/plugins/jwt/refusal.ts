/** The answers to requests without a token that will do (RFC 6750 §3). */
import { problem, type Problem } from '../sdk/plugin.ts';

/** Why a token is refused, with the sentence for the caller: never a piece of the token. */
const INVALID_TOKEN = {
  several: 'more than one token was sent',
  malformed: 'the token is malformed',
  algorithm: 'the algorithm of the signature is not accepted',
  unknownKey: 'the key of the signature is not known',
  signature: 'the signature does not match',
  expired: 'the token has expired',
  unlimited: 'the token has no expiry',
  notYetValid: 'the token is not valid yet',
  issuer: 'the token is of another issuer',
  audience: 'the token is for another audience',
  claims: 'a claim of the token is not valid',
} as const;

export type InvalidToken = keyof typeof INVALID_TOKEN;

/** Why a token is not let in: it will not do, or there are no keys yet to tell. */
export type TokenRefusal = InvalidToken | 'keysUnavailable';

/** Also: the token is missing, not enough, or of nobody known. */
export type Refusal = TokenRefusal | 'missing' | 'insufficient' | 'stranger';

/** Every refusal as the answer for it, made once. */
export function createRefusals(realm: string): Readonly<Record<Refusal, Problem>> {
  const challenge = (parameters = '') => ({
    'www-authenticate': `Bearer realm="${realm}"${parameters}`,
  });
  const invalid = Object.entries(INVALID_TOKEN).map(([reason, sentence]) => [
    reason,
    problem(401, 'unauthenticated', {
      detail: `The request was not authenticated: ${sentence}.`,
      headers: challenge(`, error="invalid_token", error_description="${sentence}"`),
    }),
  ]);
  return {
    ...(Object.fromEntries(invalid) as Record<InvalidToken, Problem>),
    missing: problem(401, 'unauthenticated', {
      detail: 'A bearer token is required.',
      headers: challenge(),
    }),
    insufficient: problem(403, 'forbidden', {
      detail: 'The token lacks a claim that this needs.',
      headers: challenge(
        ', error="insufficient_scope", error_description="the token lacks a claim that this needs"',
      ),
    }),
    stranger: problem(403, 'forbidden', { detail: 'The token is of no known consumer.' }),
    keysUnavailable: problem(503, 'jwks_unavailable', {
      detail: "The issuer's keys could not be had yet.",
      headers: { 'retry-after': '5' },
    }),
  };
}
