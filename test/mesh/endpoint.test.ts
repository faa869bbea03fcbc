import { describe, expect, it } from 'vitest';
import {
  createEndpoint,
  reconcileEndpoints,
  toEndpointId,
  zoneOf,
  type EndpointSpec,
} from '../../src/mesh/endpoint.ts';

function spec(id: string, rest: Partial<EndpointSpec> = {}): EndpointSpec {
  return { id, host: id, port: 80, weight: 1, metadata: {}, ...rest };
}

describe('toEndpointId', () => {
  it('joins host and port, and puts an IPv6 address in brackets', () => {
    expect(toEndpointId('10.0.0.1', 80)).toBe('10.0.0.1:80');
    expect(toEndpointId('orders.internal', 443)).toBe('orders.internal:443');
    expect(toEndpointId('::1', 80)).toBe('[::1]:80');
  });
});

describe('reconcileEndpoints', () => {
  it('keeps the live record of an endpoint that stays, and gives it the new spec', () => {
    const a = createEndpoint(spec('a'), 1);
    a.active = 3;
    a.healthy = false;
    const next = spec('a', { metadata: { version: 'v2' } });
    const change = reconcileEndpoints([a], [next], 9);
    expect(change.endpoints).toEqual([a]);
    expect(change.endpoints[0]).toBe(a);
    expect(a).toMatchObject({ active: 3, healthy: false, joinedAtMs: 1 });
    expect(a.spec).toBe(next);
    expect(change.added).toEqual([]);
    expect(change.removed).toEqual([]);
  });

  it('takes an instance that was started anew for another endpoint, with nothing held against it', () => {
    const a = createEndpoint(spec('a', { incarnation: 'first' }), 1);
    a.ejected = true;
    const next = spec('a', { incarnation: 'second' });
    const { endpoints, added, removed } = reconcileEndpoints([a], [next], 9);
    expect(endpoints).toMatchObject([{ id: 'a', ejected: false, joinedAtMs: 9 }]);
    expect([added, removed]).toEqual([endpoints, [a]]);
  });

  it('names what came and what left, in the order of the specs', () => {
    const [a, b] = [createEndpoint(spec('a'), 1), createEndpoint(spec('b'), 1)];
    const change = reconcileEndpoints([a, b], [spec('c'), spec('b')], 9);
    expect(change.endpoints.map(({ id }) => id)).toEqual(['c', 'b']);
    expect(change.added.map(({ id, joinedAtMs }) => [id, joinedAtMs])).toEqual([['c', 9]]);
    expect(change.removed).toEqual([a]);
  });

  it('takes a new weight from discovery, but leaves an override through a repeated announcement', () => {
    const a = createEndpoint(spec('a', { weight: 2 }), 1);
    a.weight = 7;
    reconcileEndpoints([a], [spec('a', { weight: 2, metadata: { x: 'y' } })], 2);
    expect(a.weight).toBe(7);
    reconcileEndpoints([a], [spec('a', { weight: 3 })], 3);
    expect(a.weight).toBe(3);
  });

  it('drains by what discovery says, and leaves a drain of others through a repeated announcement', () => {
    const { endpoints } = reconcileEndpoints([], [spec('a', { draining: true })], 1);
    const a = endpoints[0]!;
    expect(a.draining).toBe(true);
    reconcileEndpoints([a], [spec('a')], 2);
    expect(a.draining).toBe(false);
    a.draining = true;
    reconcileEndpoints([a], [spec('a', { weight: 3 })], 3);
    expect(a.draining).toBe(true);
  });

  it('takes an id that moved to another address for another endpoint', () => {
    const a = createEndpoint(spec('a'), 1);
    const change = reconcileEndpoints([a], [spec('a', { port: 81 })], 2);
    expect(change.removed).toEqual([a]);
    expect(change.added).toHaveLength(1);
    expect(change.endpoints[0]).not.toBe(a);
  });

  it('counts the first of two specs with one id', () => {
    const change = reconcileEndpoints([], [spec('a', { weight: 1 }), spec('a', { weight: 5 })], 2);
    expect(change.endpoints.map(({ weight }) => weight)).toEqual([1]);
  });
});

describe('endpoints that discovery lists no longer', () => {
  it('stay, at the end and gone, where something holds of them', () => {
    const [a, b] = [createEndpoint(spec('a'), 1), createEndpoint(spec('b'), 1)];
    b.healthy = false;
    const change = reconcileEndpoints([a, b], [spec('c')], 9, ({ healthy }) => healthy);
    expect(change.endpoints.map(({ id, gone }) => [id, gone])).toEqual([
      ['c', false],
      ['a', true],
    ]);
    expect(change.removed).toEqual([b]);
  });

  it('are as before when they are listed again', () => {
    const a = createEndpoint(spec('a'), 1);
    a.gone = true;
    expect(reconcileEndpoints([a], [spec('a')], 9).endpoints).toEqual([a]);
    expect(a.gone).toBe(false);
  });
});

describe('zoneOf', () => {
  it('is the spec’s, else that of the metadata', () => {
    expect(zoneOf(spec('a', { zone: 'x', metadata: { zone: 'y' } }))).toBe('x');
    expect(zoneOf(spec('a', { metadata: { zone: 'y' } }))).toBe('y');
    expect(zoneOf(spec('a'))).toBeUndefined();
  });
});
