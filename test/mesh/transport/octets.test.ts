import { describe, expect, it } from 'vitest';
import { isValue, toWholeNumber } from '../../../src/mesh/transport/octets.ts';

describe('isValue', () => {
  it.each([0, 31, 32, 600])('knows every character, %i others beside it', (others) => {
    const allowed: number[] = [];
    for (let code = 0; code < 0x200; code++) {
      const text = `${'a'.repeat(others)}${String.fromCharCode(code)}`;
      if (isValue(text) && isValue(String.fromCharCode(code) + 'a'.repeat(others)))
        allowed.push(code);
    }
    // RFC 9110 §5.5: tab, space, visible characters and obs-text.
    const expected = Array.from({ length: 0x100 }, (_, code) => code).filter(
      (code) => code === 0x09 || (code >= 0x20 && code !== 0x7f),
    );
    expect(allowed).toEqual(expected);
  });
});

describe('toWholeNumber', () => {
  it.each([
    ['0', 0],
    ['007', 7],
    ['999999999999999', 999_999_999_999_999],
    ['1000000000000000', -1],
    ['', -1],
    ['-1', -1],
    ['+1', -1],
    [' 1', -1],
    ['1.0', -1],
    ['0x1', -1],
    ['1, 1', -1],
    ['\u0661', -1],
  ])('reads %j as %i', (text, number) => {
    expect(toWholeNumber(text)).toBe(number);
  });
});
