import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withDeadline } from '../../../src/gateway/pipeline/hook-deadline.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(async () => {
  await vi.runAllTimersAsync();
  vi.useRealTimers();
});

describe('withDeadline', () => {
  it('arms no timer for what settles in its turn', async () => {
    await expect(withDeadline(Promise.resolve('ok'), 50)).resolves.toBe('ok');
    vi.advanceTimersToNextTimer();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('passes a rejection on', async () => {
    await expect(withDeadline(Promise.reject(new Error('no')), 50)).rejects.toThrow('no');
  });

  it('rejects what has not settled in time, and disregards what comes later', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const late = withDeadline(promise, 50);
    const told = late.catch((error: unknown) => String(error));
    await vi.advanceTimersByTimeAsync(51);
    resolve('too late');
    expect(await told).toBe('Error: no result within 50 ms');
  });

  it('disarms the timer of what settles before it', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const guarded = withDeadline(promise, 50);
    await vi.advanceTimersByTimeAsync(10);
    expect(vi.getTimerCount()).toBe(1);
    resolve('in time');
    await expect(guarded).resolves.toBe('in time');
    expect(vi.getTimerCount()).toBe(0);
  });
});
