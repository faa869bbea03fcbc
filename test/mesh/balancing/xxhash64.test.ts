import { describe, expect, it } from 'vitest';
import { xxHash64, xxHash64Hex } from '../../../src/mesh/balancing/xxhash64.ts';

describe('xxHash64', () => {
  // By libxxhash 0.8.1.
  it.each([
    ['', 0, 'ef46db3751d8e999'],
    ['a', 0, 'd24ec4f1a98c6e5b'],
    ['abc', 0, '44bc2cf5ad770999'],
    ['abc', 1, 'bea9ca8199328908'],
    ['127.0.0.1:3001_17', 0, 'b522a61fa178ae02'],
    ['0123456789abcdef0123456789abcdef', 0, '642a94958e71e6c5'],
    ['The quick brown fox jumps over the lazy dog', 0, '0b242d361fda71bc'],
    [
      'The quick brown fox jumps over the lazy dog, twice and once more, so that it takes two rounds',
      7,
      'c6dda71fca6374d9',
    ],
    ['straße', 0, '5a34b57b727837be'],
    ['x'.repeat(1000), 0, '4cb9a3b69cb700e1'],
  ])('of %j with seed %i agrees with the reference', (text, seed, digest) => {
    expect(xxHash64Hex(text, seed)).toBe(digest);
    expect(BigInt(xxHash64(text, seed))).toBe(BigInt(`0x${digest}`) >> 11n);
  });

  it('grows its buffer for a long text', () => {
    expect(xxHash64('é'.repeat(5000))).not.toBe(xxHash64('é'.repeat(4999)));
  });
});
