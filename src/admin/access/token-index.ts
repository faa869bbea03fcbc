/** Finds the record of a token by its text, in a time that tells nothing of the tokens there are. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { digestOf } from './token-text.ts';
import type { TokenRecord } from './token-record.ts';

export interface TokenIndex {
  /** In place of what was there. */
  fill(records: Iterable<TokenRecord>): void;
  /** Expired ones too; never a revoked one. */
  find(text: string): TokenRecord | undefined;
}

/**
 * A map takes longer for a key that resembles one it has. So digests are blinded by a key of this
 * process: what a caller sends cannot steer what they resemble.
 */
export function createTokenIndex(): TokenIndex {
  const key = randomBytes(32);
  const blind = (digest: Buffer): string => createHmac('sha256', key).update(digest).digest('hex');
  let entries = new Map<string, { readonly digest: Buffer; readonly record: TokenRecord }>();
  return {
    fill(records) {
      entries = new Map();
      for (const record of records) {
        if (record.digest === undefined) continue;
        const digest = Buffer.from(record.digest, 'hex');
        entries.set(blind(digest), { digest, record });
      }
    },
    find(text) {
      const digest = digestOf(text);
      const entry = entries.get(blind(digest));
      return entry !== undefined && timingSafeEqual(entry.digest, digest)
        ? entry.record
        : undefined;
    },
  };
}
