/** Lengths of time and sizes as they are written in a configuration: schemas and parsers. */
import { Type } from 'typebox';

export interface QuantityOptions {
  readonly description?: string;
  /** Used where the configuration says nothing, e.g. `5m`. */
  readonly default?: string;
}

// The counts of digits keep every value that matches within the safe integers, so that the
// parsers need no further check: 99,999,999 days are 8.6e15 ms, 999,999 GiB are 1.1e15 bytes.
const DURATION_PATTERN = '^(?:0|[1-9][0-9]{0,7})(?:ms|s|m|h|d)$';
const BYTE_SIZE_PATTERN = '^(?:(?:0|[1-9][0-9]{0,14})|(?:0|[1-9][0-9]{0,5})[KMG]i?B)$';

const DURATION = new RegExp(DURATION_PATTERN);
const BYTE_SIZE = new RegExp(BYTE_SIZE_PATTERN);

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/**
 * The schema of a length of time: a whole number and `ms`, `s`, `m`, `h` or `d`.
 *
 * @example
 * Type.Object({ maxAge: Duration({ description: 'How long to keep it', default: '5m' }) });
 */
export function Duration(options: QuantityOptions = {}) {
  return Type.String({ ...options, pattern: DURATION_PATTERN, examples: ['250ms', '5s', '1m'] });
}

/**
 * The schema of a size: a whole number of bytes, or of `KB`, `MB`, `GB` (powers of 1000) or
 * `KiB`, `MiB`, `GiB` (powers of 1024).
 */
export function ByteSize(options: QuantityOptions = {}) {
  return Type.String({ ...options, pattern: BYTE_SIZE_PATTERN, examples: ['64KiB', '1MiB'] });
}

/**
 * Milliseconds of a duration.
 *
 * @throws {TypeError} on a text that `Duration()` refuses.
 * @example
 * durationMs('1m'); // 60000
 */
export function durationMs(text: string): number {
  if (!DURATION.test(text)) throw new TypeError(`Not a duration: ${JSON.stringify(text)}`);
  const count = Number.parseInt(text, 10);
  return count * MS_PER_UNIT[text.slice(String(count).length)]!;
}

/**
 * Bytes of a size.
 *
 * @throws {TypeError} on a text that `ByteSize()` refuses.
 * @example
 * byteSize('1MiB'); // 1048576
 */
export function byteSize(text: string): number {
  if (!BYTE_SIZE.test(text)) throw new TypeError(`Not a size: ${JSON.stringify(text)}`);
  const count = Number.parseInt(text, 10);
  return count * BYTES_PER_UNIT[text.slice(String(count).length)]!;
}
