/** Keeps what is stored of a configuration from being read, or written, by who lacks the key: AES-256-GCM. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** `unknown-key`: sealed with a key that is not here. `damaged`: altered, or moved from another place. */
export type SealErrorCode = 'unknown-key' | 'damaged';

export class SealError extends Error {
  readonly code: SealErrorCode;

  constructor(code: SealErrorCode, message: string) {
    super(message);
    this.name = 'SealError';
    this.code = code;
  }
}

export interface Sealer {
  /** Names the key that seals; tells nothing of it. */
  readonly keyId: string;
  /** `about` is what it stands for: only there it can be opened. */
  seal(plain: Uint8Array, about: string): string;
  /** Throws a `SealError`. */
  open(sealed: string, about: string): Uint8Array;
  sign(text: string): string;
  /** Whether something sealed or signed was so with the key that seals now. */
  isOwn(sealed: string): boolean;
  /** Throws a `SealError` where the signature is not of this text. */
  verify(text: string, signature: string): void;
}

export const KEY_BYTES = 32;
const ALGORITHM = 'aes-256-gcm';
/** The length that GCM is made for; random ones do for four thousand million seals with one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 'mgs1';

interface DerivedKey {
  readonly id: string;
  readonly seal: Uint8Array;
  readonly sign: Uint8Array;
}

/** The first key seals; all of them open, so that keys can be changed one node after the other. */
export function createSealer(keys: readonly Uint8Array[]): Sealer {
  const derived = keys.map(derive);
  const [first] = derived;
  if (first === undefined) throw new TypeError('a sealer has at least one key');

  /** The key of `<format>.<key id>.<rest>`, and the rest. */
  function keyOf(text: string): readonly [DerivedKey, string] {
    const [format, id, rest] = text.split('.');
    if (format !== FORMAT || rest === undefined) {
      throw new SealError('damaged', 'it is not sealed in a way that this version knows');
    }
    const key = derived.find((one) => one.id === id);
    if (key !== undefined) return [key, rest];
    const here = derived.map((one) => one.id).join(', ');
    throw new SealError(
      'unknown-key',
      `it is sealed with the key ${id}, and here is ${here} alone`,
    );
  }

  return {
    keyId: first.id,
    seal(plain, about) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, first.seal, nonce);
      cipher.setAAD(aboutOf(first.id, about));
      const bytes = Buffer.concat([
        nonce,
        cipher.update(plain),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return `${FORMAT}.${first.id}.${bytes.toString('base64')}`;
    },
    open(sealed, about) {
      const [key, rest] = keyOf(sealed);
      const bytes = Buffer.from(rest, 'base64');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new SealError('damaged', 'it is cut short');
      const decipher = createDecipheriv(ALGORITHM, key.seal, bytes.subarray(0, NONCE_BYTES));
      decipher.setAAD(aboutOf(key.id, about));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const plain = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
        return Buffer.concat([plain, decipher.final()]);
      } catch {
        throw new SealError('damaged', 'it was altered since it was sealed');
      }
    },
    sign(text) {
      return `${FORMAT}.${first.id}.${signatureOf(first, text).toString('base64')}`;
    },
    isOwn: (sealed) => sealed.startsWith(`${FORMAT}.${first.id}.`),
    verify(text, signature) {
      const [key, rest] = keyOf(signature);
      const expected = signatureOf(key, text);
      const given = Buffer.from(rest, 'base64');
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new SealError('damaged', 'it was altered since it was signed');
      }
    },
  };
}

/** One key for each use, as a cipher and a signature must not share one (NIST SP 800-108). */
function derive(key: Uint8Array): DerivedKey {
  if (key.length !== KEY_BYTES) throw new TypeError(`a key has ${KEY_BYTES} bytes`);
  const of = (use: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, '', `meshgate config ${use}`, length));
  return { id: of('id', 4).toString('hex'), seal: of('seal', 32), sign: of('sign', 32) };
}

function aboutOf(keyId: string, about: string): Buffer {
  return Buffer.from(`${FORMAT} ${keyId} ${about}`);
}

function signatureOf(key: DerivedKey, text: string): Buffer {
  return createHmac('sha256', key.sign).update(text).digest();
}
