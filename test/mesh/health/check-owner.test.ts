import { describe, expect, it } from 'vitest';
import { ownsCheck } from '../../../src/mesh/health/check-owner.ts';

const NODES = ['edge-1', 'edge-2', 'edge-3', 'edge-4'];
const ENDPOINTS = Array.from({ length: 2000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`);

function ownersOf(endpoint: string, nodes: readonly string[], owners?: number): string[] {
  return nodes.filter((node) => ownsCheck(node, nodes, endpoint, owners));
}

describe('the owner of a check', () => {
  it('is exactly one node, whatever the order they are known in', () => {
    for (const endpoint of ENDPOINTS) {
      const [owner, ...others] = ownersOf(endpoint, NODES);
      expect(others).toEqual([]);
      expect(ownersOf(endpoint, NODES.toReversed())).toEqual([owner]);
    }
  });

  it('is each of them for about as many endpoints', () => {
    const counts = NODES.map(
      (node) => ENDPOINTS.filter((one) => ownsCheck(node, NODES, one)).length,
    );
    for (const count of counts) expect(count / ENDPOINTS.length).toBeCloseTo(1 / 4, 1);
  });

  it('changes only where the node that left was it', () => {
    const left = NODES.slice(1);
    const others = ENDPOINTS.filter((one) => !ownsCheck('edge-1', NODES, one));
    expect(others.map((one) => ownersOf(one, left))).toEqual(
      others.map((one) => ownersOf(one, NODES)),
    );
  });

  it('may be several', () => {
    for (const endpoint of ENDPOINTS.slice(0, 50)) {
      const [owner] = ownersOf(endpoint, NODES);
      const both = ownersOf(endpoint, NODES, 2);
      expect(both).toHaveLength(2);
      expect(both).toContain(owner);
    }
  });

  it('is a node itself, where others do not know of it', () => {
    expect(ownsCheck('edge-9', NODES, ENDPOINTS[0]!)).toBe(true);
    expect(ownsCheck('edge-9', [], ENDPOINTS[0]!)).toBe(true);
  });
});
