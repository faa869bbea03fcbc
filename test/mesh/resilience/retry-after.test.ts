import { describe, expect, it } from 'vitest';
import { parseRetryAfterMs } from '../../../src/mesh/resilience/retry-after.ts';

const nowMs = Date.UTC(2026, 0, 1, 12, 0, 0);

describe('parseRetryAfterMs', () => {
  it('takes the number for seconds', () => {
    expect(parseRetryAfterMs('1', nowMs)).toBe(1_000);
    expect(parseRetryAfterMs(' 120 ', nowMs)).toBe(120_000);
    expect(parseRetryAfterMs('0', nowMs)).toBe(0);
  });

  it('takes a date against the clock, a past one for 0', () => {
    expect(parseRetryAfterMs('Thu, 01 Jan 2026 12:00:30 GMT', nowMs)).toBe(30_000);
    expect(parseRetryAfterMs('Thu, 01 Jan 2026 11:00:00 GMT', nowMs)).toBe(0);
  });

  it('knows nothing of anything else', () => {
    for (const value of [undefined, '', '-1', '1.5', '1e3', 'soon', 'Monday', '2026-01-01']) {
      expect(parseRetryAfterMs(value, nowMs)).toBeUndefined();
    }
  });
});
