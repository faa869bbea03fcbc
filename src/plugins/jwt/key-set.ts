/** Public keys to verify with, taken from a JSON Web Key Set (RFC 7517). */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { algorithmsOfKey, type Algorithm } from './algorithms.ts';

export interface VerificationKey {
  readonly id: string | undefined;
  readonly algorithms: readonly Algorithm[];
  readonly key: KeyObject;
}

export interface KeySet {
  readonly keys: readonly VerificationKey[];
  /** Why each key that was left out was, e.g. `keys[1]: RSA key of 1024 bits`. */
  readonly refused: readonly string[];
}

const MIN_RSA_BITS = 2048;
/** More would be no issuer's key set, and a token without `kid` is tried with each. */
const MAX_KEYS = 64;

/**
 * The usable keys of a set. A key that cannot be used is left out, not an error: issuers publish
 * encryption keys and new kinds of keys beside those that matter here (RFC 7517 §5).
 *
 * @throws {TypeError} where it is no key set at all.
 */
export function parseKeySet(document: unknown): KeySet {
  const list = (document as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) throw new TypeError('not a JSON Web Key Set: it has no list `keys`');
  if (list.length > MAX_KEYS)
    throw new TypeError(`a JSON Web Key Set of more than ${MAX_KEYS} keys`);
  const keys: VerificationKey[] = [];
  const refused: string[] = [];
  for (const [index, jwk] of list.entries()) {
    const key = parseKey(jwk);
    if (typeof key === 'string') refused.push(`keys[${index}]: ${key}`);
    else keys.push(key);
  }
  return { keys, refused };
}

/** The key, or why it is none to verify with. */
function parseKey(jwk: unknown): VerificationKey | string {
  if (typeof jwk !== 'object' || jwk === null) return 'not an object';
  const { kid, alg, use, key_ops: operations, kty } = jwk as Record<string, unknown>;
  if (kty === 'oct') return 'a shared secret, which does not belong in a key set; use `secret`';
  // createPublicKey would take the public half of it, but a private key that was published is nobody's proof.
  if ('d' in jwk) return 'a private key';
  if (kid !== undefined && typeof kid !== 'string') return '`kid` is not a string';
  if (use !== undefined && use !== 'sig') return 'not for signatures';
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'not for verifying';
  }
  const key = importKey(jwk);
  if (key === undefined) return 'not a public key of a known kind';
  const { namedCurve, modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {};
  const algorithms = algorithmsOfKey(key.asymmetricKeyType ?? '', namedCurve);
  if (algorithms.length === 0)
    return `no algorithm for a key of kind ${namedCurve ?? key.asymmetricKeyType}`;
  if (modulusLength !== undefined && modulusLength < MIN_RSA_BITS) {
    return `an RSA key of ${modulusLength} bits; ${MIN_RSA_BITS} are the least that is safe`;
  }
  // With an exponent of 1 every message is its own signature.
  if (publicExponent !== undefined && publicExponent < 3n)
    return 'an RSA key with a trivial exponent';
  if (alg === undefined) return { id: kid, algorithms, key };
  const only = algorithms.filter((algorithm) => algorithm === alg);
  return only.length === 0 ? '`alg` does not fit the key' : { id: kid, algorithms: only, key };
}

function importKey(jwk: object): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** Keys that may have made a signature; `id` only narrows the choice, it never brings a key. */
export function selectKeys(
  { keys }: KeySet,
  algorithm: Algorithm,
  id: string | undefined,
): readonly VerificationKey[] {
  return keys.filter(
    (key) => key.algorithms.includes(algorithm) && (id === undefined || key.id === id),
  );
}
