import { describe, expect, it } from 'vitest';
import { createBalancer } from '../../../src/mesh/balancing/balancer.ts';
import { createStickySessions } from '../../../src/mesh/balancing/sticky-sessions.ts';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import { endpoint } from './endpoints.ts';

function trio(): [Endpoint, Endpoint, Endpoint] {
  return [endpoint('a'), endpoint('b'), endpoint('c', { metadata: { version: 'v2' } })];
}

describe('tokens', () => {
  it('lead back to their endpoint, and tell nothing of it', () => {
    const [a, b] = trio();
    const sessions = createStickySessions('orders', 'key');
    sessions.update([a, b]);
    const token = sessions.tokenOf(a);
    expect(token).toMatch(/^[\w-]{22}$/);
    expect(sessions.endpointOf(token)).toBe(a);
    expect(sessions.tokenOf(b)).not.toBe(token);
  });

  it('are the same wherever the key is, and worth nothing elsewhere', () => {
    const [a] = trio();
    const token = createStickySessions('orders', 'key').tokenOf(a);
    expect(createStickySessions('orders', Buffer.from('key')).tokenOf(endpoint('a'))).toBe(token);
    expect(createStickySessions('orders', 'other key').tokenOf(a)).not.toBe(token);
    expect(createStickySessions('billing', 'key').tokenOf(a)).not.toBe(token);
  });

  it('of an endpoint that has left lead nowhere', () => {
    const [a, b] = trio();
    const sessions = createStickySessions('orders', 'key');
    sessions.update([a, b]);
    sessions.update([b]);
    expect(sessions.endpointOf(sessions.tokenOf(a))).toBeUndefined();
    expect(sessions.endpointOf('')).toBeUndefined();
  });
});

describe('a session', () => {
  function setOf(endpoints: readonly Endpoint[], where = {}) {
    const options = { policy: 'round-robin', random: () => 0, monotonic: () => 0 } as const;
    const balancer = createBalancer(options);
    balancer.update(endpoints);
    return { balancer, set: balancer.subset(where) };
  }

  it('keeps to its endpoint and takes nobody’s turn', () => {
    const [a, b, c] = trio();
    const { set } = setOf([a, b, c]);
    for (let i = 0; i < 3; i++) expect(set.pick({ exclude: [], pinned: b })).toBe(b);
    expect(set.pick({ exclude: [] })).toBe(a);
    const { pick, considered } = set.explain({ exclude: [], pinned: b });
    expect(pick).toEqual({ endpoint: b, reason: 'sticky: named by the cookie' });
    expect(considered[1]!.verdict).toBe('chosen');
  });

  it.each([
    ['unhealthy', { healthy: false }],
    ['ejected', { ejected: true }],
    ['draining', { draining: true }],
    ['without weight', { weight: 0 }],
  ])('leaves an endpoint that is %s', (_state, change) => {
    const [a, b, c] = trio();
    const { balancer, set } = setOf([a, b, c]);
    Object.assign(b, change);
    balancer.refresh();
    expect(set.pick({ exclude: [], pinned: b })).toBe(a);
  });

  it('leaves an endpoint that has been tried, or is not of the subset', () => {
    const [a, b, c] = trio();
    const { set } = setOf([a, b, c]);
    expect(set.pick({ exclude: [b], pinned: b })).not.toBe(b);
    expect(setOf([a, b, c], { version: 'v2' }).set.pick({ exclude: [], pinned: b })).toBe(c);
  });
});
