import { describe, expect, it } from 'vitest';
import {
  DEBOUNCE_MS,
  heartbeatDelayMs,
  LEASE_MS,
  pollDelayMs,
  reconnectDelayMs,
  retryDelayMs,
} from '../../../src/mesh/backplane/timing.ts';

const LEAST = (): number => 0;
const MOST = (): number => 1 - Number.EPSILON;
const MIDDLE = (): number => 0.5;

describe('timing of the backplane', () => {
  it('beats every 5 s ± 20% on a lease of 15 s', () => {
    expect(heartbeatDelayMs(LEAST)).toBe(4_000);
    expect(heartbeatDelayMs(MIDDLE)).toBe(5_000);
    expect(heartbeatDelayMs(MOST)).toBeCloseTo(6_000);
    expect(LEASE_MS).toBe(15_000);
  });

  it('polls every 10 to 30 s', () => {
    expect(pollDelayMs(LEAST)).toBe(10_000);
    expect(pollDelayMs(MOST)).toBeCloseTo(30_000);
  });

  it('gathers changes for 100 ms', () => {
    expect(DEBOUNCE_MS).toBe(100);
  });

  it('reconnects with full jitter, doubling from 50 ms to 2 s', () => {
    expect(
      [1, 2, 3, 6, 7, 5_000].map((attempt) => Math.round(reconnectDelayMs(attempt, MOST))),
    ).toEqual([50, 100, 200, 1_600, 2_000, 2_000]);
    expect(reconnectDelayMs(7, LEAST)).toBe(0);
    expect(reconnectDelayMs(7, MIDDLE)).toBe(1_000);
  });

  it('asks again with full jitter, doubling from 100 ms to 3 s', () => {
    expect([1, 2, 5, 6, 5_000].map((attempt) => Math.round(retryDelayMs(attempt, MOST)))).toEqual([
      100, 200, 1_600, 3_000, 3_000,
    ]);
    expect(retryDelayMs(6, LEAST)).toBe(0);
  });
});
