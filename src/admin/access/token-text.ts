/** The text of a token: random, shown once, and known afterwards by its digest alone. */
import { hash, randomBytes } from 'node:crypto';

const TOKEN_BYTES = 32;
/** 32 bytes in Base64url, after a prefix by which scanners of leaked secrets know it. */
const TOKEN = /^mg_[A-Za-z0-9_-]{43}$/;

export function createTokenText(): string {
  return `mg_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
}

export function isTokenText(text: string): boolean {
  return TOKEN.test(text);
}

/** SHA-256. With 256 random bits in the text there is nothing for a slower one to protect. */
export function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
