/** The signature algorithms that a token may have, and the keys that fit them (RFC 7518, RFC 8037). */

/** `none` is no signature, and has no place in this list. */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'HS256',
  'HS384',
  'HS512',
] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

const RSA: readonly Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

/** Algorithms by the kind of public key, as node names it: type, or type and curve. */
const BY_KEY_KIND: Readonly<Record<string, readonly Algorithm[]>> = {
  rsa: RSA,
  'ec:prime256v1': ['ES256'],
  'ec:secp384r1': ['ES384'],
  'ec:secp521r1': ['ES512'],
  ed25519: ['EdDSA', 'Ed25519'],
};

/** What a public key can verify; empty for a kind that is not supported. */
export function algorithmsOfKey(type: string, curve: string | undefined): readonly Algorithm[] {
  const kind = curve === undefined ? type : `${type}:${curve}`;
  return Object.hasOwn(BY_KEY_KIND, kind) ? BY_KEY_KIND[kind]! : [];
}

export function isHmac(algorithm: Algorithm): boolean {
  return algorithm.startsWith('HS');
}

/** Bytes that an HMAC secret must have at least: as many as the hash (RFC 7518 §3.2). */
export function minSecretBytes(algorithm: Algorithm): number {
  return Number(algorithm.slice(2)) / 8;
}

/**
 * The algorithms to accept: those listed; else every asymmetric one where there is a key set, and
 * every HMAC that the secret is long enough for where there is a secret.
 */
export function acceptedAlgorithms(options: {
  readonly listed: readonly Algorithm[] | undefined;
  readonly hasKeySet: boolean;
  /** 0: no secret. */
  readonly secretBytes: number;
}): ReadonlySet<Algorithm> {
  return new Set(
    options.listed ??
      ALGORITHMS.filter((algorithm) =>
        isHmac(algorithm) ? options.secretBytes >= minSecretBytes(algorithm) : options.hasKeySet,
      ),
  );
}
