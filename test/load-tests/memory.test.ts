import { describe, expect, it } from 'vitest';
import { toMemoryResult, type MemorySample } from '../../load-tests/scenarios/memory.ts';

/** Eleven looks over so many requests, after a warm-up. */
function samples(requests: number, livePerRequest: number, residentPerRequest: number) {
  return Array.from({ length: 11 }, (_, i): MemorySample => {
    const done = (requests * i) / 10;
    return {
      requests: 250_000 + done,
      liveBytes: 30e6 + livePerRequest * done,
      residentBytes: 250e6 + residentPerRequest * done,
    };
  });
}

describe('memory over a million requests', () => {
  it('is flat where it grows by less than an object a request', () => {
    const { failures, notes, data } = toMemoryResult(samples(1e6, 0.5, 2), 0);
    expect(failures).toEqual([]);
    expect(notes[0]).toContain('grows by 0.50 bytes a request, and resident memory by 2.00');
    expect(data).toMatchObject({ liveBytesPerRequest: expect.closeTo(0.5) as number });
  });

  it('is not flat where something keeps an object of every request', () => {
    expect(toMemoryResult(samples(1e6, 16, 16), 0).failures).toEqual([
      'the heap in use grows by 16.0 bytes a request',
      'resident memory grows by 16.0 bytes a request',
    ]);
  });

  it('is not flat where something outside the heap grows', () => {
    expect(toMemoryResult(samples(1e6, 0, 16), 0).failures).toEqual([
      'resident memory grows by 16.0 bytes a request',
    ]);
  });

  it('is shown without a verdict for fewer requests', () => {
    expect(toMemoryResult(samples(100_000, 16, 16), 0).failures).toEqual([]);
  });

  it('says how many requests failed', () => {
    expect(toMemoryResult(samples(1e6, 0, 0), 3).failures).toEqual(['3 requests failed']);
  });
});
