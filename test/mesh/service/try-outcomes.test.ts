import { beforeEach, describe, expect, it } from 'vitest';
import { HeaderFields } from '../../../src/plugins/sdk/header-fields.ts';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { OutlierDetector } from '../../../src/mesh/health/outlier-detector.ts';
import type { HedgeRules } from '../../../src/mesh/resilience/hedge-policy.ts';
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

function outcomes({
  latency = true,
  timed = false,
  http2 = false,
  hedge = undefined as HedgeRules | undefined,
} = {}): TryOutcomes {
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
  return new TryOutcomes({
    outliers,
    latency,
    timed,
    hedge,
    http2,
    monotonic: () => nowMs,
    now: () => 0,
  });
}

function answer(status: number, headers: string[] = [], tookMs = 100, http2 = false): void {
  const told = outcomes({ http2 });
  const startedAtMs = told.start();
  nowMs += tookMs;
  told.answered(one, startedAtMs, status, new HeaderFields(headers));
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
    outcomes().failed(one, 'connect', nowMs);
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
    told.answered(one, 0, 200, new HeaderFields());
    told.failed(one, 'reset', 0);
    told.abandoned(one, 0);
    expect(one.seen.latencyMs).toBe(30);
  });
});

describe('the recent latency of an endpoint', () => {
  const hedge = { percentile: 0.95, minDelayMs: 1, attempts: 1 };

  /** 20 answers after 100 ms. */
  function learn(): TryOutcomes {
    const told = outcomes({ latency: false, hedge });
    for (let i = 0; i < 20; i++) {
      const startedAtMs = told.start();
      nowMs += 100;
      told.answered(one, startedAtMs, 200, new HeaderFields());
    }
    return told;
  }

  const percentileMs = (): number => one.seen.recentLatency!.percentileMs(nowMs)!;

  it('is kept where calls are hedged, and nowhere else', () => {
    answer(200);
    const averageMs = one.seen.latencyMs;
    expect(one.seen.recentLatency).toBeUndefined();
    learn();
    expect(percentileMs()).toBeGreaterThanOrEqual(100);
    expect(percentileMs()).toBeLessThan(110);
    // The average is for those who balance by it.
    expect(one.seen.latencyMs).toBe(averageMs);
  });

  it('is not drawn down by failures, however fast', () => {
    const told = learn();
    for (let i = 0; i < 100; i++) {
      told.answered(one, nowMs, i % 2 === 0 ? 503 : 429, new HeaderFields());
      told.failed(one, 'connect', nowMs);
    }
    nowMs += 250;
    expect(percentileMs()).toBeGreaterThanOrEqual(100);
  });

  it('knows of tries that were given up, or timed out, as slow as they were by then', () => {
    const told = learn();
    for (const giveUp of [
      () => told.abandoned(one, nowMs - 400),
      () => told.failed(one, 'timeout', nowMs - 400),
    ]) {
      giveUp();
    }
    nowMs += 250;
    // 2 of 22 are above 5%.
    expect(percentileMs()).toBeGreaterThanOrEqual(400);
  });
});

describe('the blame for a try', () => {
  it.each(['connect', 'connect-timeout', 'tls', 'reset', 'protocol', 'timeout'] as const)(
    'is the endpoint’s for %s',
    (failure) => {
      outcomes().failed(one, failure, nowMs);
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
      outcomes().failed(one, failure, nowMs);
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

describe('the totals of an endpoint', () => {
  function timed(): TryOutcomes {
    return outcomes({ latency: false, timed: true });
  }

  it('count tries, failed ones, and how long good answers took', () => {
    const told = timed();
    for (const [status, tookMs] of [
      [200, 10],
      [404, 20],
      [500, 1],
      [429, 1],
    ] as const) {
      const startedAtMs = told.start();
      nowMs += tookMs;
      told.answered(one, startedAtMs, status, new HeaderFields());
    }
    told.failed(one, 'reset', nowMs);
    told.failed(one, 'overflow', nowMs);
    expect(one.seen).toMatchObject({
      tries: 5,
      failedTries: 2,
      timedAnswers: 2,
      answerMs: 30,
      latencyMs: 30,
    });
  });

  it('count a wait that was given up where it was longer than usual', () => {
    const told = timed();
    const startedAtMs = told.start();
    nowMs += 700;
    told.abandoned(one, startedAtMs);
    expect(one.seen.timedAnswers).toBe(0);
    one.seen.usualAnswerMs = 699;
    told.abandoned(one, startedAtMs);
    one.seen.usualAnswerMs = 701;
    told.abandoned(one, startedAtMs);
    expect(one.seen).toMatchObject({ tries: 0, timedAnswers: 1, answerMs: 700 });
  });

  it('read no clock where nobody asks for times', () => {
    outcomes({ latency: false }).answered(one, 0, 200, new HeaderFields());
    expect(one.seen).toMatchObject({ tries: 1, timedAnswers: 0, answerMs: 0 });
  });
});
