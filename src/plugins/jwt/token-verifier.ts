/** Verifies a token: form, algorithm, signature, issuer, audience and time (RFC 7519, RFC 8725). */
import type { KeyObject } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose';
import type { Clock } from '../sdk/plugin.ts';
import { isHmac, type Algorithm } from './algorithms.ts';
import { parseTokenHeader, type TokenHeader } from './compact-form.ts';
import { selectKeys } from './key-set.ts';
import type { KeySource } from './key-source.ts';
import type { InvalidToken, TokenRefusal } from './refusal.ts';

export interface TokenVerifierOptions {
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly source: KeySource;
  /** For HMAC; undefined: none. */
  readonly secret: KeyObject | undefined;
  /** Undefined: not checked. */
  readonly issuers: readonly string[] | undefined;
  readonly audiences: readonly string[] | undefined;
  readonly leewayMs: number;
  readonly requireExpiry: boolean;
  readonly clock: Clock;
}

/** The payload and the version of the keys that verified it, or why it is refused. */
export type Verification =
  | { readonly payload: JWTPayload; readonly keysVersion: number }
  | { readonly refusal: TokenRefusal };

export class TokenVerifier {
  readonly #options: TokenVerifierOptions;

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
  }

  /** Never rejects on account of the token. */
  async verify(token: string): Promise<Verification> {
    const header = parseTokenHeader(token);
    if (header === undefined) return { refusal: 'malformed' };
    const { algorithm } = header;
    if (!this.#isAccepted(algorithm)) return { refusal: 'algorithm' };
    const { source } = this.#options;
    if (isHmac(algorithm)) return this.#verifyWithKnownKeys(token, header, algorithm);

    if (!source.isCurrent()) await source.refresh();
    if (source.keys === undefined) return { refusal: 'keysUnavailable' };
    const { version } = source;
    const verification = await this.#verifyWithKnownKeys(token, header, algorithm);
    if (!('refusal' in verification) || !isForWantOfKeys(verification.refusal, header)) {
      return verification;
    }
    // The issuer may have changed its keys. The cooldown is shared by all tokens, so made-up key
    // ids cannot be used to flood the issuer.
    await source.refresh();
    return source.version === version
      ? verification
      : this.#verifyWithKnownKeys(token, header, algorithm);
  }

  #isAccepted(algorithm: string): algorithm is Algorithm {
    return (this.#options.algorithms as ReadonlySet<string>).has(algorithm);
  }

  async #verifyWithKnownKeys(
    token: string,
    header: TokenHeader,
    algorithm: Algorithm,
  ): Promise<Verification> {
    const { source } = this.#options;
    const keysVersion = source.version;
    let refusal: InvalidToken = 'unknownKey';
    for (const key of this.#candidates(header, algorithm)) {
      const outcome = await this.#verifyWith(token, algorithm, key);
      if (typeof outcome !== 'string') return { payload: outcome, keysVersion };
      if (outcome !== 'signature') return { refusal: outcome };
      refusal = outcome;
    }
    return { refusal };
  }

  /**
   * The secret for HMAC and public keys for the rest, never one for the other: an HMAC made with
   * a public key's text as the secret finds no key here that would verify it.
   */
  #candidates(header: TokenHeader, algorithm: Algorithm): readonly KeyObject[] {
    const { secret, source } = this.#options;
    if (isHmac(algorithm)) return secret === undefined ? [] : [secret];
    if (source.keys === undefined) return [];
    return selectKeys(source.keys, algorithm, header.keyId).map(({ key }) => key);
  }

  async #verifyWith(
    token: string,
    algorithm: Algorithm,
    key: KeyObject,
  ): Promise<JWTPayload | InvalidToken> {
    const { issuers, audiences, leewayMs, requireExpiry, clock } = this.#options;
    const options: JWTVerifyOptions = {
      algorithms: [algorithm],
      clockTolerance: leewayMs / 1000,
      currentDate: new Date(clock.now()),
      requiredClaims: requireExpiry ? ['exp'] : [],
      ...(issuers === undefined ? {} : { issuer: [...issuers] }),
      ...(audiences === undefined ? {} : { audience: [...audiences] }),
    };
    try {
      const { payload } = await jwtVerify(token, key, options);
      // `1e999` is a number in JSON, and no date.
      return Number.isFinite(payload.exp ?? 0) && Number.isFinite(payload.nbf ?? 0)
        ? payload
        : 'claims';
    } catch (error) {
      return toInvalidToken(error);
    }
  }
}

/** Whether other keys could make a difference: none of the id is known, or there is no id and none fits. */
function isForWantOfKeys(refusal: TokenRefusal, header: TokenHeader): boolean {
  return refusal === 'unknownKey' || (refusal === 'signature' && header.keyId === undefined);
}

function toInvalidToken(error: unknown): InvalidToken {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return 'issuer';
    if (error.claim === 'aud') return 'audience';
    if (error.claim === 'nbf') return error.reason === 'check_failed' ? 'notYetValid' : 'claims';
    if (error.claim === 'exp' && error.reason === 'missing') return 'unlimited';
    return 'claims';
  }
  return 'malformed';
}
