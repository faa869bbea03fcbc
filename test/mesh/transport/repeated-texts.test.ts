import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RepeatedTexts } from '../../../src/mesh/transport/repeated-texts.ts';

/** Of octets in the middle of others. */
function read(texts: RepeatedTexts, text: string): string {
  const bytes = Buffer.from(`before ${text} behind`, 'latin1');
  return texts.read(bytes, 'before '.length, 'before '.length + text.length);
}

describe('texts that repeat', () => {
  it('are those of their octets, whatever was read before', () => {
    const alike = fc.stringMatching(/^[ab]{0,6}$/);
    const latin1 = fc
      .uint8Array({ maxLength: 140 })
      .map((octets) => Buffer.from(octets).toString('latin1'));
    fc.assert(
      fc.property(fc.array(fc.oneof(alike, latin1), { maxLength: 30 }), (wanted) => {
        const texts = new RepeatedTexts();
        expect(wanted.map((text) => read(texts, text))).toEqual(wanted);
        expect(wanted.map((text) => read(texts, text))).toEqual(wanted);
      }),
    );
  });

  it('are found by a look-up for a literal, as numbers are', () => {
    const texts = new RepeatedTexts();
    const known = new Map([
      ['Date', 1],
      ['17', 2],
    ]);
    expect(['Date', '17', 'date'].map((text) => known.get(read(texts, text)))).toEqual([
      1,
      2,
      undefined,
    ]);
  });

  it('do not look beyond their end', () => {
    const texts = new RepeatedTexts();
    const bytes = Buffer.from('hosthosts', 'latin1');
    expect(texts.read(bytes, 0, 4)).toBe('host');
    expect(texts.read(bytes, 4, 9)).toBe('hosts');
    expect(texts.read(bytes, 0, 4)).toBe('host');
    expect(texts.read(bytes, 9, 9)).toBe('');
  });
});
