import { describe, expect, it } from 'vitest';
import {
  createPeakEwma,
  expectedLatencyMs,
  sampleFailure,
  sampleLatency,
} from '../../../src/mesh/balancing/peak-ewma.ts';
import { NO_HINT } from '../../../src/mesh/balancing/policy.ts';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { endpoint, seeded, sequence, tally } from './endpoints.ts';

describe('the latency estimate', () => {
  it('begins at 30 ms', () => {
    expect(expectedLatencyMs(endpoint('a').seen, 0)).toBe(30);
  });

  it('takes a peak at once', () => {
    const { seen } = endpoint('a');
    sampleLatency(seen, 200, 1);
    expect(expectedLatencyMs(seen, 1)).toBe(200);
  });

  it('comes down by w = e^(−Δt/10 s)', () => {
    const { seen } = endpoint('a');
    sampleLatency(seen, 200, 0);
    sampleLatency(seen, 50, 10_000);
    const w = Math.exp(-1);
    expect(expectedLatencyMs(seen, 10_000)).toBeCloseTo(200 * w + 50 * (1 - w), 9);
  });

  it('decays as it is read', () => {
    const { seen } = endpoint('a');
    sampleLatency(seen, 100, 0);
    expect(expectedLatencyMs(seen, 10_000)).toBeCloseTo(100 / Math.E, 9);
    expect(expectedLatencyMs(seen, 20_000)).toBeCloseTo(100 / Math.E ** 2, 9);
  });

  it('counts a failure as 5 s, and honours Retry-After up to 300 s', () => {
    const after = (retryAfterMs: number): number => {
      const { seen } = endpoint('a');
      sampleFailure(seen, retryAfterMs, 0);
      return expectedLatencyMs(seen, 0);
    };
    expect(after(0)).toBe(5_000);
    expect(after(2_000)).toBe(5_000);
    expect(after(60_000)).toBe(60_000);
    expect(after(86_400_000)).toBe(300_000);
  });
});

describe('peak-ewma', () => {
  function policyOf(endpoints: readonly Endpoint[], random: () => number, nowMs = 0) {
    const policy = createPeakEwma({ random, monotonic: () => nowMs });
    policy.update(endpoints);
    return policy;
  }

  it('takes the one of two with the lower latency · (in flight + 1)', () => {
    const [a, b] = [endpoint('a'), endpoint('b')];
    sampleLatency(a.seen, 100, 0);
    sampleLatency(b.seen, 60, 0);
    expect(policyOf([a, b], sequence(0, 0)).pick(NO_HINT)).toBe(b);
    b.active = 1;
    const policy = policyOf([a, b], sequence(0, 0, 0, 0));
    expect(policy.pick(NO_HINT)).toBe(a);
    expect(policy.explain(NO_HINT)?.reason).toBe(
      'peak-ewma: of two drawn, load 100 against 120 at b',
    );
  });

  it('takes a heavier endpoint for the less loaded', () => {
    const [a, b] = [endpoint('a'), endpoint('b', { weight: 2 })];
    b.active = 1;
    sampleLatency(a.seen, 61, 0);
    sampleLatency(b.seen, 60, 0);
    expect(policyOf([a, b], sequence(0, 0)).pick(NO_HINT)).toBe(b);
  });

  it('is not drawn to an endpoint that fails fast', () => {
    const [slow, failing, other] = [endpoint('slow'), endpoint('failing'), endpoint('other')];
    sampleLatency(slow.seen, 800, 0);
    sampleLatency(other.seen, 800, 0);
    sampleFailure(failing.seen, 0, 0);
    expect(tally(policyOf([slow, failing, other], seeded(4)), 300)).not.toHaveProperty('failing');
  });

  it('tries it again when the failure has faded', () => {
    const [well, failed] = [endpoint('well'), endpoint('failed')];
    sampleFailure(failed.seen, 0, 0);
    sampleLatency(well.seen, 40, 60_000);
    expect(policyOf([well, failed], sequence(0, 0), 60_000).pick(NO_HINT)).toBe(failed);
  });

  it('passes over the excluded', () => {
    const [a, b] = [endpoint('a'), endpoint('b')];
    expect(policyOf([a, b], sequence()).pick({ exclude: [a] })).toBe(b);
    expect(policyOf([a, b], sequence()).pick({ exclude: [a, b] })).toBeUndefined();
    expect(policyOf([], sequence()).pick(NO_HINT)).toBeUndefined();
  });
});
