import { describe, expect, it } from 'vitest';
import { hedgeDelayMs, isHedgeable } from '../../../src/mesh/resilience/hedge-policy.ts';
import { RecentLatency } from '../../../src/mesh/resilience/recent-latency.ts';

describe('isHedgeable', () => {
  it.each([
    ['GET', true],
    ['HEAD', true],
    ['OPTIONS', true],
    ['TRACE', true],
    ['PUT', true],
    ['DELETE', true],
    ['POST', false],
    ['PATCH', false],
    ['CONNECT', false],
    ['get', false],
  ])('goes by the method: %s', (method, expected) => {
    expect(isHedgeable({ method, upgrade: undefined })).toBe(expected);
  });

  it('is false for upgrades and for sessions', () => {
    expect(isHedgeable({ method: 'GET', upgrade: 'websocket' })).toBe(false);
    expect(isHedgeable({ method: 'GET', upgrade: undefined, pinned: {} })).toBe(false);
  });
});

describe('hedgeDelayMs', () => {
  const rules = { percentile: 0.95, minDelayMs: 10, attempts: 1 };

  function taking(latencyMs: number): RecentLatency {
    const recent = new RecentLatency(0.95);
    for (let i = 0; i < 20; i++) recent.record(latencyMs, 0);
    return recent;
  }

  it('is the percentile, in whole milliseconds', () => {
    expect(hedgeDelayMs(rules, taking(16), 0)).toBe(16);
    expect(hedgeDelayMs(rules, taking(100), 0)).toBe(108);
  });

  it('is never less than minDelayMs', () => {
    expect(hedgeDelayMs(rules, taking(1), 0)).toBe(10);
  });

  it('is undefined where too little is known', () => {
    expect(hedgeDelayMs(rules, undefined, 0)).toBeUndefined();
    expect(hedgeDelayMs(rules, new RecentLatency(0.95), 0)).toBeUndefined();
  });
});
