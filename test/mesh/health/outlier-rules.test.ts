import { describe, expect, it } from 'vitest';
import {
  ejectionTimeMs,
  failurePercentageOutliers,
  mayEject,
  successRateOutliers,
  successRateThreshold,
} from '../../../src/mesh/health/outlier-rules.ts';

describe('the success rate threshold', () => {
  it('is mean − 1.9 σ with σ over n: 52 for 50, 100, 100, 100, 100', () => {
    expect(successRateThreshold([50, 100, 100, 100, 100], 1.9)).toBeCloseTo(52, 9);
  });

  it('is the mean where all are alike', () => {
    expect(successRateThreshold([97, 97, 97], 1.9)).toBe(97);
  });
});

describe('outliers by success rate', () => {
  const rules = { minimumHosts: 5, requestVolume: 100, stdevFactor: 1.9 };
  const count = (failures: number, requests = 100) => ({ requests, failures });
  const vector = [count(50), count(0), count(0), count(0), count(0)];

  it('are those below the threshold', () => {
    expect(successRateOutliers(vector, rules)).toEqual([vector[0]]);
    expect(successRateOutliers([count(48), ...vector.slice(1)], rules)).toHaveLength(1);
  });

  it('are none where all fail alike', () => {
    expect(
      successRateOutliers(
        Array.from({ length: 5 }, () => count(90)),
        rules,
      ),
    ).toEqual([]);
  });

  it('take five endpoints with a hundred requests', () => {
    expect(successRateOutliers(vector.slice(0, 4), rules)).toEqual([]);
    expect(successRateOutliers([count(49, 99), ...vector.slice(1)], rules)).toEqual([]);
    const sixth = count(99, 99);
    expect(successRateOutliers([...vector, sixth], rules)).toEqual([vector[0]]);
  });
});

describe('outliers by failure percentage', () => {
  const rules = { threshold: 85, minimumHosts: 5, requestVolume: 50 };
  const counts = [85, 84, 0, 0, 0].map((failures) => ({ requests: 100, failures }));

  it('are those at or above it, among five endpoints with fifty requests', () => {
    expect(failurePercentageOutliers(counts, rules)).toEqual([counts[0]]);
    expect(failurePercentageOutliers(counts.slice(0, 4), rules)).toEqual([]);
    const few = [{ requests: 49, failures: 49 }, ...counts.slice(1)];
    expect(failurePercentageOutliers(few, rules)).toEqual([]);
  });
});

describe('an ejection', () => {
  it('lasts the base time for each one that counts, and 300 s at most', () => {
    const rules = { baseEjectionTimeMs: 30_000, maxEjectionTimeMs: 300_000 };
    expect([1, 2, 3, 10, 11].map((ejections) => ejectionTimeMs(ejections, rules))).toEqual([
      30_000, 60_000, 90_000, 300_000, 300_000,
    ]);
  });

  it('is one always, and more within the percentage', () => {
    expect(mayEject(0, 1, 10)).toBe(true);
    expect(mayEject(0, 3, 0)).toBe(true);
    expect(mayEject(1, 10, 10)).toBe(false);
    expect(mayEject(1, 19, 10)).toBe(false);
    expect(mayEject(1, 20, 10)).toBe(true);
    expect(mayEject(2, 20, 10)).toBe(false);
  });
});
