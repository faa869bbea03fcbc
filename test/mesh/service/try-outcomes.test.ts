import { beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { OutlierDetector } from '../../../src/mesh/health/outlier-detector.ts';
import { TryOutcomes } from '../../../src/mesh/service/try-outcomes.ts';
import type { UpstreamFailure } from '../../../src/mesh/transport/upstream-error.ts';
import { endpoint } from '../balancing/endpoints.ts';

let nowMs: number;
let one: Endpoint;

beforeEach(() => {
  nowMs = 1000;
  one = endpoint('one');
  one.seen.sampledAtMs = nowMs;
});

function outcomes({ latency = true, http2 = false } = {}): TryOutcomes {
  const outliers = new OutlierDetector(
    {
      consecutive5xx: 5,
      consecutiveGatewayFailure: undefined,
      consecutiveLocalOriginFailure: 5,
      intervalMs: 10_000,
      baseEjectionTimeMs: 30_000,
      maxEjectionTimeMs: 300_000,
      maxEjectionPercent: 10,
      successRate: undefined,
      failurePercentage: undefined,
    },
    {
      monotonic: () => nowMs,
      endpoints: () => [one],
      onChanged: () => undefined,
      onEjected: () => undefined,
      onReturned: () => undefined,
    },
  );
  return new TryOutcomes({ outliers, latency, http2, monotonic: () => nowMs, now: () => 0 });
}

function answer(status: number, headers: string[] = [], tookMs = 100, http2 = false): void {
  const told = outcomes({ http2 });
  const startedAtMs = told.start();
  nowMs += tookMs;
  told.answered(one, startedAtMs, status, headers);
}

describe('the latency of a try', () => {
  it('is measured to the head of its answer', () => {
    answer(200);
    expect(one.seen.latencyMs).toBe(100);
  });

  it.each([429, 500, 503])('is 5 s for an answer %i, however fast', (status) => {
    answer(status);
    expect(one.seen.latencyMs).toBe(5000);
  });

  it('is what Retry-After asks for, in seconds', () => {
    answer(503, ['Retry-After', '60']);
    expect(one.seen.latencyMs).toBe(60_000);
  });

  it('is 5 s where there was no connection', () => {
    outcomes().failed(one, 'connect');
    expect(one.seen.latencyMs).toBe(5000);
  });

  it('is at least as long as a caller waited who gave up', () => {
    const told = outcomes();
    const startedAtMs = told.start();
    nowMs += 700;
    told.abandoned(one, startedAtMs);
    expect(one.seen.latencyMs).toBe(700);
    told.abandoned(one, nowMs);
    expect(one.seen.latencyMs).toBe(700);
  });

  it('is not looked at where nobody goes by it', () => {
    const told = outcomes({ latency: false });
    expect(told.start()).toBe(0);
    told.answered(one, 0, 200, []);
    told.failed(one, 'reset');
    told.abandoned(one, 0);
    expect(one.seen.latencyMs).toBe(30);
  });
});

describe('the blame for a try', () => {
  it.each(['connect', 'connect-timeout', 'tls', 'reset', 'protocol', 'timeout'] as const)(
    'is the endpoint’s for %s',
    (failure) => {
      outcomes().failed(one, failure);
      expect(one.seen).toMatchObject({
        requests: 1,
        failures: 1,
        consecutiveLocalOriginFailure: 1,
      });
    },
  );

  it.each<UpstreamFailure>(['refused-stream', 'overflow', 'exhausted', 'request-body'])(
    'is not the endpoint’s for %s',
    (failure) => {
      outcomes().failed(one, failure);
      expect(one.seen).toMatchObject({ requests: 0, failures: 0, latencyMs: 30 });
    },
  );

  it('is by grpc-status where that comes with the head', () => {
    answer(200, ['grpc-status', '14'], 10, true);
    expect(one.seen).toMatchObject({ failures: 1, consecutiveGatewayFailure: 1, latencyMs: 5000 });
    answer(200, ['grpc-status', '5'], 10, true);
    expect(one.seen).toMatchObject({ requests: 2, failures: 1, consecutiveGatewayFailure: 0 });
  });
});
