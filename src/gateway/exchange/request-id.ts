/** The ids that the gateway gives to requests: random UUIDs (RFC 9562, version 4). */
import { randomFillSync } from 'node:crypto';
import { cut } from '../../mesh/transport/octets.ts';

const BYTES = 16;
const CHARACTERS = 36;
/** Made at a time. */
const BATCH = 128;

const HYPHEN = 0x2d;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

const BEFORE = 'X-Request-Id: ';
const LINE = BEFORE.length + CHARACTERS + 2;

const random = Buffer.alloc(BATCH * BYTES);
const written = Buffer.from(`${BEFORE}${' '.repeat(CHARACTERS)}\r\n`.repeat(BATCH), 'latin1');
let text = '';
let used = 0;

/** A version 4 UUID. */
export function createRequestId(): string {
  return toRequestId(createRequestIdLine());
}

/**
 * One on its field line, as both sides of an exchange are told it. Cut from one text for many of them:
 * `crypto.randomUUID` joins each from twenty strings, which are put together anew wherever it is written.
 */
export function createRequestIdLine(): string {
  if (used === text.length) draw();
  const line = cut(text, used, used + LINE);
  used += LINE;
  return line;
}

/** What stands on a line of `createRequestIdLine`. */
export function toRequestId(line: string): string {
  return cut(line, BEFORE.length, BEFORE.length + CHARACTERS);
}

function draw(): void {
  randomFillSync(random);
  let at = 0;
  for (let i = 0; i < random.length; i++) {
    const place = i % BYTES;
    if (place === 0) at = (i / BYTES) * LINE + BEFORE.length;
    let octet = random[i]!;
    // The version and the variant (RFC 9562 §5.4).
    if (place === 6) octet = (octet & 0x0f) | 0x40;
    else if (place === 8) octet = (octet & 0x3f) | 0x80;
    if (place === 4 || place === 6 || place === 8 || place === 10) written[at++] = HYPHEN;
    written[at++] = DIGITS[octet >> 4]!;
    written[at++] = DIGITS[octet & 0x0f]!;
  }
  text = written.toString('latin1');
  used = 0;
}
