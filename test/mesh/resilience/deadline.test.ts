import { describe, expect, it } from 'vitest';
import {
  fitsDeadline,
  remainingMs,
  timeoutBound,
  toDeadlineMs,
  tryTimeoutMs,
} from '../../../src/mesh/resilience/deadline.ts';

describe('deadlines', () => {
  it('take a timeout of 0 for none', () => {
    expect(toDeadlineMs(1_000, 0)).toBe(Infinity);
    expect(toDeadlineMs(1_000, 30_000)).toBe(31_000);
  });

  it('never leave less than nothing', () => {
    expect(remainingMs(31_000, 30_000)).toBe(1_000);
    expect(remainingMs(31_000, 40_000)).toBe(0);
    expect(remainingMs(Infinity, 40_000)).toBe(Infinity);
  });

  it('give a try its own timeout or the rest of the route’s, whichever is shorter', () => {
    expect(tryTimeoutMs(2_000, 30_000)).toBe(2_000);
    expect(tryTimeoutMs(2_000, 500.2)).toBe(501);
    expect(tryTimeoutMs(0, 500)).toBe(500);
    expect(tryTimeoutMs(2_000, Infinity)).toBe(2_000);
    expect(tryTimeoutMs(0, Infinity)).toBe(0);
    expect(tryTimeoutMs(2_000, 0)).toBe(1);
  });

  it('know whose timeout ends a try', () => {
    expect(timeoutBound(2_000, 30_000)).toBe('try');
    expect(timeoutBound(2_000, 2_000)).toBe('route');
    expect(timeoutBound(2_000, 500)).toBe('route');
    expect(timeoutBound(0, 500)).toBe('route');
    expect(timeoutBound(2_000, Infinity)).toBe('try');
    expect(timeoutBound(0, Infinity)).toBe('none');
  });

  it('admit a wait only if something is left after it', () => {
    expect(fitsDeadline(250, 251)).toBe(true);
    expect(fitsDeadline(250, 250)).toBe(false);
    expect(fitsDeadline(250, Infinity)).toBe(true);
  });
});
