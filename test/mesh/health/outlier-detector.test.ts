import { beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { OutlierDetector } from '../../../src/mesh/health/outlier-detector.ts';
import type { OutlierRules } from '../../../src/mesh/health/outlier-rules.ts';
import { endpoint } from '../balancing/endpoints.ts';

const DEFAULTS: OutlierRules = {
  consecutive5xx: 5,
  consecutiveGatewayFailure: undefined,
  consecutiveLocalOriginFailure: 5,
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionTimeMs: 300_000,
  maxEjectionPercent: 10,
  successRate: { minimumHosts: 5, requestVolume: 100, stdevFactor: 1.9 },
  failurePercentage: undefined,
};

let nowMs: number;
let events: string[];
let changes: number;
let endpoints: Endpoint[];

beforeEach(() => {
  nowMs = 1_000_000;
  events = [];
  changes = 0;
  endpoints = ['a', 'b', 'c'].map((id) => endpoint(id));
});

function detector(rules: Partial<OutlierRules> = {}): OutlierDetector {
  return new OutlierDetector(
    { ...DEFAULTS, ...rules },
    {
      monotonic: () => nowMs,
      endpoints: () => endpoints,
      onChanged: () => void changes++,
      onEjected: ({ id }, reason, detail) => void events.push(`${id} ${reason} ${detail}`),
      onReturned: ({ id }) => void events.push(`${id} returned`),
    },
  );
}

function answers(outliers: OutlierDetector, one: Endpoint, ...statuses: number[]): void {
  for (const status of statuses) outliers.onAnswer(one, status);
}

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

function sweepAfter(outliers: OutlierDetector, seconds: number): void {
  nowMs += seconds * 1000;
  outliers.sweep();
}

describe('consecutive failures', () => {
  it('eject at the fifth 5xx in a row', () => {
    const outliers = detector();
    const [a] = endpoints as [Endpoint];
    answers(outliers, a, 500, 503, 599, 501);
    expect(a.ejected).toBe(false);
    answers(outliers, a, 500);
    expect(a.ejected).toBe(true);
    expect(events).toEqual(['a consecutive-5xx for 30 s']);
    expect(changes).toBe(1);
  });

  it('begin anew after any other answer', () => {
    const outliers = detector();
    const [a] = endpoints as [Endpoint];
    answers(outliers, a, 500, 500, 500, 500, 404, 500, 500, 500, 500, 200);
    expect(a.ejected).toBe(false);
  });

  it('eject after five tries without an answer, in their own name', () => {
    const outliers = detector();
    const [a] = endpoints as [Endpoint];
    for (let i = 0; i < 5; i++) outliers.onFailure(a);
    expect(events).toEqual(['a consecutive-local-origin-failure for 30 s']);
  });

  it('count failures and 5xx together', () => {
    const outliers = detector();
    const [a] = endpoints as [Endpoint];
    outliers.onFailure(a);
    answers(outliers, a, 503, 503);
    outliers.onFailure(a);
    outliers.onFailure(a);
    expect(events).toEqual(['a consecutive-5xx for 30 s']);
  });

  it('of gateways count where that is asked for: 502, 503, 504, but no 500', () => {
    const [a, b] = endpoints as [Endpoint, Endpoint];
    const outliers = detector({ consecutiveGatewayFailure: 3, consecutive5xx: undefined });
    answers(outliers, a, 502, 503, 500, 504, 503);
    expect(a.ejected).toBe(false);
    answers(outliers, a, 502);
    expect(events).toEqual(['a consecutive-gateway-failure for 30 s']);
    const off = detector({ consecutive5xx: undefined });
    answers(off, b, ...times(20, 503));
    expect(b.ejected).toBe(false);
  });

  it('of one that has left the list eject nobody', () => {
    answers(detector(), endpoint('gone'), ...times(5, 500));
    expect(events).toEqual([]);
  });
});

describe('how many are ejected', () => {
  it('is one where ten percent are less than one', () => {
    const outliers = detector();
    for (const one of endpoints) answers(outliers, one, ...times(9, 500));
    expect(endpoints.filter(({ ejected }) => ejected)).toHaveLength(1);
  });

  it('is one even of one', () => {
    endpoints = [endpoint('only')];
    answers(detector(), endpoints[0]!, ...times(5, 500));
    expect(endpoints[0]!.ejected).toBe(true);
  });

  it('is two of twenty', () => {
    endpoints = Array.from({ length: 20 }, (_, i) => endpoint(`e${i}`));
    const outliers = detector();
    for (const one of endpoints) answers(outliers, one, ...times(5, 500));
    expect(endpoints.filter(({ ejected }) => ejected)).toHaveLength(2);
  });

  it('lets another go once one is back and fails on', () => {
    const outliers = detector();
    const [a, b] = endpoints as [Endpoint, Endpoint];
    answers(outliers, a, ...times(5, 500));
    answers(outliers, b, ...times(5, 500));
    expect(b.ejected).toBe(false);
    sweepAfter(outliers, 30);
    answers(outliers, b, 500);
    expect(b.ejected).toBe(true);
  });
});

describe('the way back', () => {
  it('is by the first sweep after the time is over', () => {
    const outliers = detector();
    const [a] = endpoints as [Endpoint];
    answers(outliers, a, ...times(5, 500));
    sweepAfter(outliers, 29.999);
    expect(a.ejected).toBe(true);
    sweepAfter(outliers, 0.001);
    expect(a.ejected).toBe(false);
    expect(a.wellSinceMs).toBe(nowMs);
    expect(events.at(-1)).toBe('a returned');
    expect(changes).toBe(2);
    answers(outliers, a, 500, 500, 500, 500);
    expect(a.ejected).toBe(false);
  });

  it('takes a base time longer with each ejection, and 300 s at most', () => {
    const outliers = detector();
    const [a] = endpoints as [Endpoint];
    const spans: number[] = [];
    for (let i = 0; i < 12; i++) {
      answers(outliers, a, ...times(5, 500));
      let seconds = 0;
      while (a.ejected) {
        sweepAfter(outliers, 10);
        seconds += 10;
      }
      spans.push(seconds);
    }
    expect(spans).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]);
  });

  it('is forgiven one ejection for each interval it is well', () => {
    const outliers = detector();
    const [a] = endpoints as [Endpoint];
    for (let i = 0; i < 3; i++) {
      answers(outliers, a, ...times(5, 500));
      sweepAfter(outliers, 300);
    }
    expect(a.seen.ejections).toBe(3);
    sweepAfter(outliers, 10);
    expect(a.seen.ejections).toBe(2);
    sweepAfter(outliers, 10);
    sweepAfter(outliers, 10);
    sweepAfter(outliers, 10);
    expect(a.seen.ejections).toBe(0);
  });

  it('is opened by an active check that passes', () => {
    const outliers = detector();
    const [a, b] = endpoints as [Endpoint, Endpoint];
    answers(outliers, a, ...times(5, 500));
    outliers.onCheckPassed(b);
    expect(a.ejected).toBe(true);
    outliers.onCheckPassed(a);
    expect(a.ejected).toBe(false);
    expect(events.at(-1)).toBe('a returned');
  });
});

describe('the interval as a whole', () => {
  beforeEach(() => {
    endpoints = ['a', 'b', 'c', 'd', 'e'].map((id) => endpoint(id));
  });

  function halfFailing(outliers: OutlierDetector, requests = 100): void {
    for (const one of endpoints) {
      for (let i = 0; i < requests; i++) {
        outliers.onAnswer(one, one.id === 'a' && i % 2 === 0 ? 500 : 200);
      }
    }
  }

  it('ejects by success rate', () => {
    const outliers = detector();
    halfFailing(outliers);
    sweepAfter(outliers, 10);
    expect(events).toEqual(['a success-rate for 30 s']);
  });

  it('counts each interval by itself', () => {
    const outliers = detector();
    halfFailing(outliers, 60);
    sweepAfter(outliers, 10);
    halfFailing(outliers, 60);
    sweepAfter(outliers, 10);
    expect(events).toEqual([]);
  });

  it('does not mind where it is told so', () => {
    const outliers = detector({ successRate: undefined });
    halfFailing(outliers);
    sweepAfter(outliers, 10);
    expect(events).toEqual([]);
  });

  it('ejects by failure percentage where that is asked for', () => {
    const failurePercentage = { threshold: 50, minimumHosts: 5, requestVolume: 50 };
    const outliers = detector({ successRate: undefined, failurePercentage });
    halfFailing(outliers, 50);
    sweepAfter(outliers, 10);
    expect(events).toEqual(['a failure-percentage for 30 s']);
  });
});

describe('an ejection that others agree on', () => {
  it('is taken over, does not end by time, and ends with them', () => {
    const outliers = detector();
    const [a] = endpoints as [Endpoint];
    expect(outliers.adopt(a, 'n1, n2 of 3')).toBe(true);
    expect([a.ejected, a.ejectedByQuorum, a.seen.ejections]).toEqual([true, true, 0]);
    sweepAfter(outliers, 3600);
    expect(a.ejected).toBe(true);
    outliers.release(a);
    expect([a.ejected, a.ejectedByQuorum]).toEqual([false, false]);
    expect(events).toEqual(['a quorum n1, n2 of 3', 'a returned']);
    expect(changes).toBe(2);
  });

  it('ends with a check that passes', () => {
    const outliers = detector();
    const [a] = endpoints as [Endpoint];
    outliers.adopt(a, '');
    outliers.onCheckPassed(a);
    expect([a.ejected, a.ejectedByQuorum]).toEqual([false, false]);
  });

  it('counts for the bound on ejections as one’s own do', () => {
    const outliers = detector();
    const [a, b] = endpoints as [Endpoint, Endpoint];
    expect(outliers.adopt(a, '')).toBe(true);
    expect(outliers.adopt(b, '')).toBe(false);
    answers(outliers, b, ...times(5, 500));
    expect(b.ejected).toBe(false);
  });

  it('leaves one’s own alone, and so does its end', () => {
    const outliers = detector();
    const [a] = endpoints as [Endpoint];
    answers(outliers, a, ...times(5, 500));
    expect(outliers.adopt(a, '')).toBe(false);
    outliers.release(a);
    expect([a.ejected, a.ejectedByQuorum]).toEqual([true, false]);
  });
});
