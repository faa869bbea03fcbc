import { describe, expect, it } from 'vitest';
import { stepFactors, type WeightFactor } from '../../../src/mesh/health/adaptive-weight.ts';
import { combineTraffic, type CombinedTraffic } from '../../../src/mesh/health/combined-traffic.ts';
import type { TrafficReport } from '../../../src/mesh/health/traffic-report.ts';
import { seeded } from '../balancing/endpoints.ts';

type Factors = ReadonlyMap<string, WeightFactor>;
const NONE: Factors = new Map();

/** `[requests, error ratio, latency]` by endpoint. */
function traffic(
  rows: Readonly<Record<string, readonly [number, number, number?]>>,
): ReadonlyMap<string, CombinedTraffic> {
  return new Map(
    Object.entries(rows).map(([id, [requests, errorRatio, latencyMs]]) => [
      id,
      { requests, errorRatio, latencyMs },
    ]),
  );
}

function factors(rows: Readonly<Record<string, number>>): Factors {
  return new Map(Object.entries(rows).map(([id, factor]) => [id, { factor, reason: '' }]));
}

function rowsOf(from: Factors): Record<string, number> {
  return Object.fromEntries([...from].map(([id, { factor }]) => [id, factor]));
}

/** The factors of so many steps, one after the other. */
function walk(
  seen: ReadonlyMap<string, CombinedTraffic>,
  from: Factors,
  steps: number,
  id: string,
): number[] {
  let current = from;
  return Array.from({ length: steps }, () => {
    current = stepFactors(seen, current);
    return current.get(id)?.factor ?? 1;
  });
}

describe('an endpoint that fails more than its peers', () => {
  const seen = traffic({ a: [500, 0.12], b: [500, 0.01], c: [500, 0.01], d: [500, 0.01] });

  it('loses a fifth at a step, with the reason', () => {
    const next = stepFactors(seen, NONE);
    expect([...next]).toEqual([
      ['a', { factor: 0.8, reason: 'error ratio 0.12 against 0.01 of its peers' }],
    ]);
  });

  it('ends where it fails no more calls than a peer with the tolerance: (0.01 + 0.02) ÷ 0.12', () => {
    expect(walk(seen, NONE, 9, 'a')).toEqual([
      0.8, 0.64, 0.512, 0.41, 0.328, 0.263, 0.25, 0.25, 0.25,
    ]);
  });

  it('keeps a tenth when it fails always', () => {
    const dead = traffic({ a: [500, 1], b: [500, 0], c: [500, 0] });
    expect(walk(dead, NONE, 14, 'a').at(-1)).toBe(0.1);
  });

  it('is borne up to two in a hundred', () => {
    const slight = traffic({ a: [500, 0.03], b: [500, 0.01], c: [500, 0.01] });
    expect(stepFactors(slight, NONE)).toEqual(NONE);
  });

  it('is known by one peer alone, and without one by nothing', () => {
    expect(rowsOf(stepFactors(traffic({ a: [500, 0.5], b: [500, 0] }), NONE))).toEqual({ a: 0.8 });
    expect(stepFactors(traffic({ a: [500, 1] }), NONE)).toEqual(NONE);
  });
});

describe('an endpoint that is slower than its peers', () => {
  it('goes to where twice their latency is what it has: 2 · 30 ÷ 240', () => {
    const seen = traffic({ a: [500, 0, 240], b: [500, 0, 30], c: [500, 0, 30] });
    expect(walk(seen, NONE, 8, 'a').at(-1)).toBe(0.25);
    expect(stepFactors(seen, NONE).get('a')!.reason).toBe(
      'latency 240 ms against 30 ms of its peers',
    );
  });

  it('is borne up to 20 ms more: another zone is no fault', () => {
    expect(stepFactors(traffic({ a: [500, 0, 20], b: [500, 0, 1], c: [500, 0, 1] }), NONE)).toEqual(
      NONE,
    );
  });

  it('goes by errors where these are worse', () => {
    const seen = traffic({ a: [500, 0.5, 240], b: [500, 0, 30], c: [500, 0, 30] });
    expect(walk(seen, NONE, 15, 'a').at(-1)).toBe(0.1);
    expect(stepFactors(seen, NONE).get('a')!.reason).toMatch(/^error ratio/);
  });
});

describe('endpoints that all do equally badly', () => {
  it.each([0.05, 0.5, 1])('keep their weight at an error ratio of %d', (ratio) => {
    const seen = traffic({ a: [500, ratio, 900], b: [500, ratio, 900], c: [500, ratio, 900] });
    expect(stepFactors(seen, NONE)).toEqual(NONE);
  });

  it('keep it too where they are most of all', () => {
    const seen = traffic({ a: [99, 0.9], b: [99, 0.9], c: [99, 0.9], d: [99, 0.9], e: [99, 0] });
    expect(stepFactors(seen, NONE)).toEqual(NONE);
  });
});

describe('few requests', () => {
  it('are no opinion: 19 of them, or two failures', () => {
    expect(stepFactors(traffic({ a: [19, 1], b: [500, 0], c: [500, 0] }), NONE)).toEqual(NONE);
    expect(stepFactors(traffic({ a: [20, 0.1], b: [500, 0], c: [500, 0] }), NONE)).toEqual(NONE);
    expect(rowsOf(stepFactors(traffic({ a: [20, 0.15], b: [500, 0], c: [500, 0] }), NONE))).toEqual(
      { a: 0.8 },
    );
  });

  it('let a factor recover, or it would stay low for want of them', () => {
    const next = stepFactors(traffic({ a: [2, 1] }), factors({ a: 0.2, gone: 0.98 }));
    expect([...next]).toEqual([
      ['a', { factor: 0.21, reason: 'recovers, too few requests to tell' }],
    ]);
  });
});

describe('recovery', () => {
  it('takes a twentieth a step, 47 steps from a tenth', () => {
    const well = traffic({ a: [500, 0], b: [500, 0], c: [500, 0] });
    const steps = walk(well, factors({ a: 0.1 }), 60, 'a');
    expect(steps.slice(0, 3)).toEqual([0.105, 0.11, 0.115]);
    expect(steps.indexOf(1)).toBeGreaterThanOrEqual(46);
    expect(steps.at(-1)).toBe(1);
  });
});

describe('any reports', () => {
  const random = seeded(7);
  const draw = (below: number): number => Math.floor(random() * below);

  function drawReports(): TrafficReport[] {
    return Array.from({ length: 1 + draw(6) }, (_, node) => ({
      node: `n${node}`,
      endpoints: Array.from({ length: 1 + draw(8) }, (_unused, index) => {
        const requests = draw(2) === 0 ? draw(30) : draw(5000);
        const failures = draw(2) === 0 ? 0 : draw(requests + 1);
        return { id: `e${index}`, requests, failures, latencyMs: draw(3) === 0 ? 0 : draw(4000) };
      }),
    }));
  }

  it('keep factors within 0.1 to 1, and no step is more than a fifth', () => {
    let current = NONE;
    for (let step = 0; step < 3000; step += 1) {
      const next = stepFactors(combineTraffic(drawReports()), current);
      for (const id of new Set([...current.keys(), ...next.keys()])) {
        const [before, after] = [current.get(id)?.factor ?? 1, next.get(id)?.factor ?? 1];
        expect(after).toBeGreaterThanOrEqual(0.1);
        expect(after).toBeLessThanOrEqual(1);
        expect(Math.abs(after - before) / before).toBeLessThanOrEqual(0.2 + 1e-12);
        expect(next.get(id)?.reason).not.toBe('');
      }
      current = next;
    }
  });

  it('lead to the same factors on every node, in whatever order they are read', () => {
    let [one, other] = [NONE, NONE];
    for (let step = 0; step < 300; step += 1) {
      const reports = drawReports();
      one = stepFactors(combineTraffic(reports), one);
      other = stepFactors(combineTraffic(reports.toReversed()), other);
      expect(rowsOf(other)).toEqual(rowsOf(one));
    }
  });

  it('come to rest where they stay the same', () => {
    for (let round = 0; round < 50; round += 1) {
      const seen = combineTraffic(drawReports());
      let current = NONE;
      for (let step = 0; step < 80; step += 1) current = stepFactors(seen, current);
      expect(rowsOf(stepFactors(seen, current))).toEqual(rowsOf(current));
    }
  });
});
