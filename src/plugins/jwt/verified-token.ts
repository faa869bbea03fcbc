/** What is kept of a token once it has been verified. */
import type { JWTPayload } from 'jose';
import { readClaim } from '../sdk/plugin.ts';
import { toHeaderLines, type ClaimHeader } from './claim-headers.ts';
import { hasRequiredClaims, toSafeClaims, type Claims } from './claims.ts';
import type { JwtConfig } from './schema.ts';

/** A token whose signature and claims held. */
export interface VerifiedToken {
  readonly claims: Claims;
  readonly issuer: string | undefined;
  /** What names the consumer, with the issuer. */
  readonly subject: string | undefined;
  /** It has every required claim. */
  readonly sufficient: boolean;
  /** Field lines for the service, flat. */
  readonly headerLines: readonly string[];
  /** Of the token's text, in characters. */
  readonly length: number;
  /** Wall-clock milliseconds, leeway included: valid in [validFromMs, validUntilMs). */
  readonly validFromMs: number;
  readonly validUntilMs: number;
}

export interface VerifiedTokenOptions {
  readonly requiredClaims: JwtConfig['requiredClaims'];
  readonly consumerClaim: string;
  readonly claimHeaders: readonly ClaimHeader[];
  readonly leewayMs: number;
}

/** Does once, when a token is verified, all that its later requests need of it. */
export function toVerifiedToken(
  payload: JWTPayload,
  length: number,
  { requiredClaims, consumerClaim, claimHeaders, leewayMs }: VerifiedTokenOptions,
): VerifiedToken {
  const claims = toSafeClaims(payload);
  const { iss, exp, nbf } = payload;
  const subject = readClaim(claims, consumerClaim);
  return {
    claims,
    issuer: typeof iss === 'string' ? iss : undefined,
    subject: typeof subject === 'string' ? subject : undefined,
    sufficient: hasRequiredClaims(claims, requiredClaims),
    headerLines: toHeaderLines(claims, claimHeaders),
    length,
    validFromMs: nbf === undefined ? -Infinity : nbf * 1000 - leewayMs,
    validUntilMs: exp === undefined ? Infinity : exp * 1000 + leewayMs,
  };
}
