import { describe, expect, it } from 'vitest';
import { createBalancer } from '../../../src/mesh/balancing/balancer.ts';
import { slowStartFactor } from '../../../src/mesh/balancing/slow-start.ts';
import { createEndpoint, setHealth, type Endpoint } from '../../../src/mesh/endpoint.ts';
import { endpoint, seeded, tally } from './endpoints.ts';

describe('the factor of slow start', () => {
  const straight = { windowMs: 60_000, aggression: 1 };

  it('is max(0.10, (max(t, 1 s) / window)^(1/aggression))', () => {
    expect(slowStartFactor(30_000, straight)).toBe(0.5);
    expect(slowStartFactor(15_000, { windowMs: 60_000, aggression: 2 })).toBe(0.5);
    expect(slowStartFactor(59_999, straight)).toBeCloseTo(1, 4);
  });

  it('is never under a tenth', () => {
    expect(slowStartFactor(0, straight)).toBe(0.1);
    expect(slowStartFactor(5999, straight)).toBe(0.1);
    expect(slowStartFactor(6600, straight)).toBeCloseTo(0.11);
  });

  it('counts the first second as one', () => {
    expect(slowStartFactor(0, { windowMs: 4000, aggression: 1 })).toBe(0.25);
    expect(slowStartFactor(0, { windowMs: 500, aggression: 1 })).toBe(1);
  });

  it('is 1 from the end of the window on', () => {
    expect(slowStartFactor(60_000, straight)).toBe(1);
  });
});

describe('an endpoint in slow start', () => {
  let nowMs = 0;
  const joining = (id: string): Endpoint =>
    createEndpoint({ id, host: id, port: 80, weight: 1, metadata: {} }, nowMs);

  it('gets a tenth at first, half of it half way, and then all', () => {
    nowMs = 1_000_000;
    const balancer = createBalancer({
      policy: 'round-robin',
      random: seeded(1),
      monotonic: () => nowMs,
      slowStart: { windowMs: 60_000, aggression: 1 },
    });
    const [old, fresh] = [endpoint('old'), joining('fresh')];
    balancer.update([old, fresh]);
    const set = balancer.subset();
    expect(balancer.isWarming).toBe(true);
    expect(tally(set, 110)).toEqual({ old: 100, fresh: 10 });
    nowMs += 30_000;
    balancer.refresh();
    expect(tally(set, 150)).toEqual({ old: 100, fresh: 50 });
    nowMs += 30_000;
    balancer.refresh();
    expect(balancer.isWarming).toBe(false);
    expect(tally(set, 100)).toEqual({ old: 50, fresh: 50 });
  });

  it('begins again when it is well again, but not while it stays well', () => {
    nowMs = 1_000_000;
    const one = endpoint('one');
    setHealth(one, { healthy: true }, nowMs);
    expect(one.wellSinceMs).toBe(0);
    setHealth(one, { healthy: false }, nowMs);
    setHealth(one, { ejected: true }, nowMs);
    setHealth(one, { healthy: true }, nowMs + 1);
    expect(one.wellSinceMs).toBe(0);
    setHealth(one, { ejected: false }, nowMs + 2);
    expect(one.wellSinceMs).toBe(nowMs + 2);
  });

  it('leaves keys where they are with a hashing policy', () => {
    nowMs = 1_000_000;
    const balancer = createBalancer({
      policy: 'maglev',
      random: seeded(1),
      monotonic: () => nowMs,
      slowStart: { windowMs: 60_000, aggression: 1 },
    });
    balancer.update([endpoint('old'), joining('fresh')]);
    expect(balancer.isWarming).toBe(false);
    expect(balancer.endpoints.map(({ effectiveWeight }) => effectiveWeight)).toEqual([1, 1]);
  });
});
