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
});
