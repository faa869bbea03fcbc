import { describe, expect, it } from 'vitest';
import { createCircuitBreaker } from '../../../src/mesh/resilience/circuit-breaker.ts';

const thresholds = { maxConnections: 1024, maxPending: 1024, maxRequests: 2 };

describe('createCircuitBreaker', () => {
  it('refuses the request over the limit, and counts the refusal', () => {
    const breaker = createCircuitBreaker(thresholds);
    expect([breaker.tryAcquire(), breaker.tryAcquire(), breaker.tryAcquire()]).toEqual([
      true,
      true,
      false,
    ]);
    expect(breaker.active).toBe(2);
    expect(breaker.overflows).toEqual({ requests: 1, pending: 0 });
  });

  it('admits again when one has ended', () => {
    const breaker = createCircuitBreaker(thresholds);
    breaker.tryAcquire();
    breaker.tryAcquire();
    breaker.release();
    expect(breaker.tryAcquire()).toBe(true);
    expect(breaker.tryAcquire()).toBe(false);
  });

  it('can be asked whether there is room, which is no refusal', () => {
    const breaker = createCircuitBreaker(thresholds);
    breaker.tryAcquire();
    expect(breaker.isFull).toBe(false);
    breaker.tryAcquire();
    expect(breaker.isFull).toBe(true);
    expect(breaker.overflows.requests).toBe(0);
  });

  it('counts what the transport refused', () => {
    const breaker = createCircuitBreaker(thresholds);
    breaker.notePendingOverflow();
    expect(breaker.overflows).toEqual({ requests: 0, pending: 1 });
  });

  it('does not hide a place that is released twice', () => {
    expect(() => createCircuitBreaker(thresholds).release()).toThrow(/more often/);
  });
});
