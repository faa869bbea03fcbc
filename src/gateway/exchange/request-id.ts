/** The ids that the gateway gives to requests: random UUIDs (RFC 9562, version 4). */
import { cut } from '../../mesh/transport/octets.ts';
import { randomFillSync } from 'node:crypto';

const BYTES = 16;
const CHARACTERS = 36;
/** Made at a time. */
const BATCH = 128;

const HYPHEN = 0x2d;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

const random = Buffer.alloc(BATCH * BYTES);
const written = Buffer.alloc(BATCH * CHARACTERS);
let text = '';
let used = 0;

/**
 * A version 4 UUID. Cut from one text for many of them: `crypto.randomUUID` joins each from twenty
 * strings, which are put together anew wherever the id is written.
 */
export function createRequestId(): string {
  if (used === text.length) draw();
  const id = cut(text, used, used + CHARACTERS);
  used += CHARACTERS;
  return id;
}

function draw(): void {
  randomFillSync(random);
  let at = 0;
  for (let i = 0; i < random.length; i++) {
    const place = i % BYTES;
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
