import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createOverloadGuard } from '../../../src/gateway/admission/overload.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the overload guard', () => {
  it('goes by the last reading of memory while it cannot be read', () => {
    let read = (): number => 200 * 2 ** 20;
    const limits = { maxLoopDelayMs: Infinity, maxRssBytes: 100 * 2 ** 20 };
    const guard = createOverloadGuard(limits, () => read());
    guard.start();
    vi.advanceTimersByTime(250);
    expect(guard.reason).toBe('memory at 200 MiB');
    read = () => {
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    };
    vi.advanceTimersByTime(250);
    expect(guard.reason).toBe('memory at 200 MiB');
    read = () => 0;
    vi.advanceTimersByTime(250);
    expect(guard.reason).toBe('');
    guard.stop();
  });

  describe('of a loop', () => {
    const loop = { mean: 0, count: 0, enable: () => true, disable: () => true, reset() {} };
    const limits = { maxLoopDelayMs: 150, maxRssBytes: Infinity };
    const late = (ms: number): string => `event loop late by ${ms} ms`;

    it('takes one late sample for a pause, and two in a row for load, until one is in time', () => {
      const guard = createOverloadGuard(limits, undefined, () => loop as never);
      guard.start();
      const reasonAfter = (meanMs: number): string => {
        Object.assign(loop, { mean: meanMs * 1e6, count: 20 });
        vi.advanceTimersByTime(250);
        return guard.reason;
      };
      // What is measured is from one tick to the next, 10 ms apart where none is late.
      const reasons = [10, 210, 10, 210, 210, 161, 160, 210].map(reasonAfter);
      expect(reasons).toEqual(['', '', '', '', late(200), late(151), '', '']);
      guard.stop();
    });

    it('that does not tick twice between two samples is as late as these are apart', () => {
      const guard = createOverloadGuard(limits, undefined, () => loop as never);
      guard.start();
      Object.assign(loop, { mean: Number.NaN, count: 0 });
      vi.advanceTimersByTime(500);
      expect(guard.reason).toBe(late(240));
      guard.stop();
    });
  });
});
