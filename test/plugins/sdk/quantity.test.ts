/** Lengths of time and sizes. */
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { ByteSize, byteSize, Duration, durationMs } from '../../../src/plugins/sdk/plugin.ts';

const ajv = new Ajv();
const isDuration = ajv.compile(Duration());
const isSize = ajv.compile(ByteSize());

describe('a duration', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['5s', 5000],
    ['1m', 60_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['99999999d', 8_639_999_913_600_000],
  ])('%s is %d ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
    expect(isDuration(text)).toBe(true);
  });

  it.each([
    '',
    '5',
    's',
    '1.5m',
    '-1s',
    '+1s',
    '05s',
    '1 s',
    '1S',
    '1w',
    '1s ',
    '1s\n',
    '100000000s',
  ])('is not %j', (text) => {
    expect(() => durationMs(text)).toThrow(TypeError);
    expect(isDuration(text)).toBe(false);
  });
});

describe('a size', () => {
  it.each([
    ['0', 0],
    ['1000', 1000],
    ['1KB', 1000],
    ['1KiB', 1024],
    ['64KiB', 65_536],
    ['1MB', 1_000_000],
    ['1MiB', 1_048_576],
    ['2GB', 2_000_000_000],
    ['2GiB', 2_147_483_648],
    ['999999999999999', 999_999_999_999_999],
  ])('%s is %d bytes', (text, bytes) => {
    expect(byteSize(text)).toBe(bytes);
    expect(isSize(text)).toBe(true);
  });

  it('stays a safe integer at the largest that is accepted', () => {
    expect(Number.isSafeInteger(byteSize('999999GiB'))).toBe(true);
  });

  it.each([
    '',
    'KiB',
    '1.5MiB',
    '-1',
    '01KiB',
    '1kb',
    '1 MiB',
    '1B',
    '1M',
    '1TiB',
    '1000000GiB',
    '1e3',
  ])('is not %j', (text) => {
    expect(() => byteSize(text)).toThrow(TypeError);
    expect(isSize(text)).toBe(false);
  });
});

describe('a quantity schema', () => {
  it('carries description and default', () => {
    expect(Duration({ description: 'How long', default: '5m' })).toMatchObject({
      type: 'string',
      description: 'How long',
      default: '5m',
    });
  });
});
