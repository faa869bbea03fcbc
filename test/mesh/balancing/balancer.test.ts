import { describe, expect, it } from 'vitest';
import { createBalancer } from '../../../src/mesh/balancing/balancer.ts';
import type { LoadSet } from '../../../src/mesh/balancing/load-set.ts';
import { NO_HINT } from '../../../src/mesh/balancing/policy.ts';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { endpoint, picks, seeded, sequence, tally } from './endpoints.ts';

function balancerOf(endpoints: readonly Endpoint[], random = sequence()) {
  const balancer = createBalancer({ policy: 'round-robin', random, monotonic: () => 0 });
  balancer.update(endpoints);
  return balancer;
}

function verdicts(set: LoadSet, exclude: readonly Endpoint[] = []): Record<string, string> {
  const { considered } = set.explain({ exclude });
  return Object.fromEntries(considered.map(({ endpoint, verdict }) => [endpoint.id, verdict]));
}

describe('who is eligible', () => {
  it('passes over draining and weightless endpoints', () => {
    const [a, b, c] = [endpoint('a'), endpoint('b', { weight: 0 }), endpoint('c')];
    const balancer = balancerOf([a, b, c]);
    const set = balancer.subset();
    expect(tally(set, 4)).toEqual({ a: 2, c: 2 });
    c.draining = true;
    balancer.refresh();
    expect(tally(set, 4)).toEqual({ a: 4 });
    expect(verdicts(set)).toEqual({ a: 'chosen', b: 'weight-zero', c: 'draining' });
  });

  it('passes over the unhealthy while at least half are healthy', () => {
    const [a, b] = [endpoint('a'), endpoint('b')];
    const balancer = balancerOf([a, b]);
    b.healthy = false;
    balancer.refresh();
    expect(tally(balancer.subset(), 4)).toEqual({ a: 4 });
    expect(balancer.subset().explain(NO_HINT).panic).toBe(false);
    expect(verdicts(balancer.subset())).toEqual({ a: 'chosen', b: 'unhealthy' });
  });

  it('uses all when fewer than half are healthy, the draining still left out', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => endpoint(id)) as [
      Endpoint,
      Endpoint,
      Endpoint,
      Endpoint,
    ];
    const balancer = balancerOf([a, b, c, d]);
    b.healthy = false;
    c.healthy = false;
    d.draining = true;
    balancer.refresh();
    expect(tally(balancer.subset(), 6)).toEqual({ a: 2, b: 2, c: 2 });
    expect(balancer.subset().explain(NO_HINT).panic).toBe(true);
  });

  it('serves by an ejected last endpoint', () => {
    const only = endpoint('only');
    only.healthy = false;
    expect(balancerOf([only]).subset().pick(NO_HINT)).toBe(only);
  });

  it('picks nothing where none is eligible', () => {
    const a = endpoint('a');
    a.draining = true;
    const set = balancerOf([a]).subset();
    expect(set.pick(NO_HINT)).toBeUndefined();
    expect(set.explain(NO_HINT).pick).toBeUndefined();
    expect(
      balancerOf([])
        .subset()
        .pick({ exclude: [a] }),
    ).toBeUndefined();
  });

  it('lets those that stay keep their turn when one falls ill and recovers', () => {
    const [a, b, c] = [endpoint('a'), endpoint('b'), endpoint('c')];
    const balancer = balancerOf([a, b, c]);
    expect(picks(balancer.subset(), 1)).toBe('a');
    c.healthy = false;
    balancer.refresh();
    expect(picks(balancer.subset(), 1)).toBe('b');
    c.healthy = true;
    balancer.refresh();
    expect(tally(balancer.subset(), 3)).toEqual({ a: 1, b: 1, c: 1 });
  });
});

describe('another endpoint each time', () => {
  it('passes over those already tried', () => {
    const [a, b, c] = [endpoint('a'), endpoint('b'), endpoint('c')];
    const set = balancerOf([a, b, c]).subset();
    expect(set.pick({ exclude: [a] })).toBe(b);
    expect(set.pick({ exclude: [a, b] })).toBe(c);
    expect(verdicts(set, [a, b])).toEqual({ a: 'already-tried', b: 'already-tried', c: 'chosen' });
  });

  it('tries a single endpoint again', () => {
    const only = endpoint('only');
    const set = balancerOf([only]).subset();
    expect(set.pick({ exclude: [only] })).toBe(only);
    expect(set.explain({ exclude: [only] }).pick?.endpoint).toBe(only);
  });

  it('goes to the next priority before it tries one again', () => {
    const [main, spare] = [endpoint('main'), endpoint('spare', { priority: 1 })];
    const set = balancerOf([main, spare], seeded(1)).subset();
    expect(set.pick(NO_HINT)).toBe(main);
    expect(set.pick({ exclude: [main] })).toBe(spare);
    expect(set.explain({ exclude: [main] }).pick?.endpoint).toBe(spare);
    expect([main, spare]).toContain(set.pick({ exclude: [main, spare] }));
  });
});

describe('priorities', () => {
  it('leaves the later ones alone while the first is well', () => {
    const balancer = balancerOf([endpoint('p1', { priority: 1 }), endpoint('p0')], seeded(5));
    expect(tally(balancer.subset(), 50)).toEqual({ p0: 50 });
    expect(verdicts(balancer.subset())).toEqual({ p0: 'chosen', p1: 'other-priority' });
  });

  it('spills over what the first cannot carry', () => {
    const first = [endpoint('a'), endpoint('b')];
    first[1]!.healthy = false;
    const balancer = balancerOf([...first, endpoint('spare', { priority: 1 })], seeded(5));
    const { a = 0, spare = 0, b = 0 } = tally(balancer.subset(), 2_000);
    expect(b).toBe(0);
    expect(a / 2_000).toBeCloseTo(0.7, 1);
    expect(spare / 2_000).toBeCloseTo(0.3, 1);
  });
});

describe('subsets', () => {
  const [v1, v2, other] = [
    endpoint('v1', { metadata: { version: 'v1', zone: 'x' } }),
    endpoint('v2', { metadata: { version: 'v2', zone: 'x' } }),
    endpoint('other', { metadata: {} }),
  ];

  it('holds the endpoints whose metadata equal all that is asked', () => {
    const balancer = balancerOf([v1, v2, other]);
    expect(tally(balancer.subset({ version: 'v1' }), 3)).toEqual({ v1: 3 });
    expect(tally(balancer.subset({ zone: 'x' }), 4)).toEqual({ v1: 2, v2: 2 });
    expect(tally(balancer.subset({ zone: 'x', version: 'v2' }), 2)).toEqual({ v2: 2 });
    expect(balancer.subset({ version: 'v3' }).pick(NO_HINT)).toBeUndefined();
    expect(verdicts(balancer.subset({ version: 'v1' }))).toEqual({
      v1: 'chosen',
      v2: 'metadata-differs',
      other: 'metadata-differs',
    });
  });

  it('does not take inherited properties for metadata', () => {
    const set = balancerOf([other]).subset({ constructor: String(Object) });
    expect(set.pick(NO_HINT)).toBeUndefined();
  });

  it('is the same for equal metadata, so turns go on', () => {
    const balancer = balancerOf([v1, v2]);
    const set = balancer.subset({ zone: 'x', version: 'v1' });
    expect(balancer.subset({ version: 'v1', zone: 'x' })).toBe(set);
    expect(balancer.subset({})).toBe(balancer.subset());
  });

  it('panics by itself: the health of others does not count', () => {
    const list = ['a', 'b', 'c'].map((id) =>
      endpoint(id, { metadata: { v: id === 'a' ? '1' : '2' } }),
    );
    list[0]!.healthy = false;
    const balancer = balancerOf(list);
    expect(balancer.subset({ v: '1' }).pick(NO_HINT)).toBe(list[0]);
    expect(tally(balancer.subset(), 4)).toEqual({ b: 2, c: 2 });
  });

  it('follows changes of the list through an old handle', () => {
    const balancer = balancerOf([v1]);
    const kept = balancer.subset({ version: 'v2' });
    balancer.update([v2]);
    expect(kept.pick(NO_HINT)).toBe(v2);
    expect(balancer.endpoints).toEqual([v2]);
  });
});
