import { describe, expect, it } from 'vitest';
import type { MeshEdge } from '../../src/admin/views/mesh-topology.ts';
import { toTable } from '../../src/cli/table.ts';
import { EDGE_COLUMNS, inOrder, toScreen, type Screen } from '../../src/cli/top-screen.ts';

const toEdgeTable = (edges: readonly MeshEdge[]) => toTable(EDGE_COLUMNS, inOrder(edges));

function edge(changes: Partial<MeshEdge> = {}): MeshEdge {
  return {
    source: 'gateway',
    destination: 'orders',
    requests_per_second: 12.34,
    error_ratio: 0.0123,
    p50_ms: 7.936,
    p99_ms: 1_507.3,
    nodes: ['edge-1'],
    ...changes,
  };
}

function screen(changes: Partial<Screen> = {}): string[] {
  return toScreen({
    address: 'http://127.0.0.1:8001',
    edges: [edge()],
    note: undefined,
    columns: 200,
    rows: 24,
    ...changes,
  });
}

describe('the table of edges', () => {
  it('has the busiest first, and of those that are as busy goes by name', () => {
    const table = toEdgeTable([
      edge({ source: 'b', requests_per_second: 1 }),
      edge({ source: 'a', requests_per_second: 1 }),
      edge({ requests_per_second: 1_234.5, nodes: ['n1', 'n2'] }),
    ]);
    expect(table).toEqual([
      'SOURCE   DESTINATION  REQ/S  ERRORS     P50    P99  NODES',
      'gateway  orders        1235    1.2%  7.9 ms  1.5 s      2',
      'a        orders         1.0    1.2%  7.9 ms  1.5 s      1',
      'b        orders         1.0    1.2%  7.9 ms  1.5 s      1',
    ]);
  });

  it.each<[Partial<MeshEdge>, RegExp]>([
    [{ error_ratio: 0 }, / 0\.0% /],
    [{ error_ratio: 0.000_002 }, / <0\.1% /],
    [{ error_ratio: 0.5 }, / 50% /],
    [{ error_ratio: 1 }, / 100% /],
    [{ p50_ms: null, p99_ms: null }, / - {2,}- /],
    [{ p50_ms: 0.05 }, / 0\.1 ms /],
    [{ p50_ms: 250.7 }, / 251 ms /],
    [{ p50_ms: 65_000 }, / 65 s /],
    [{ requests_per_second: 0 }, / 0\.0 /],
  ])('shows %j as %s', (changes, shown) => {
    expect(toEdgeTable([edge(changes)])[1]).toMatch(shown);
  });
});

describe('the screen', () => {
  it('sums up in its first line, and notes what is amiss in the second', () => {
    const edges = [edge(), edge({ source: 'users', nodes: ['n1', 'edge-1'] })];
    const lines = screen({ edges, note: 'as of 12 s ago' });
    expect(lines.slice(0, 2)).toEqual([
      'http://127.0.0.1:8001  2 edges of 2 nodes, 24.7 requests a second  (q leaves)',
      'as of 12 s ago',
    ]);
    expect(lines.length).toBe(5);
  });

  it('says so where there are no calls', () => {
    expect(screen({ edges: [] })[2]).toBe('no calls in the last minute');
  });

  it.each([1, 2, 3, 4, 5, 10, 100])('has no more than %i lines', (rows) => {
    const edges = Array.from({ length: 20 }, (_, i) => edge({ source: `s${i}` }));
    const lines = screen({ edges, rows });
    expect(lines.length).toBe(Math.min(rows, 23));
    const shown = lines.filter((line) => /^s\d/.test(line)).length;
    const more = /^… (\d+) more$/.exec(lines.at(-1)!)?.[1];
    // What cannot be shown is told, be it of the head.
    expect(rows > 1 && rows < 23 ? Number(more) + lines.length - 1 : 23).toBe(23);
    expect(shown).toBe(rows >= 23 ? 20 : Math.max(0, rows - 4));
  });

  it.each([1, 20, 200])('is no wider than %i columns', (columns) => {
    for (const line of screen({ columns })) expect(line.length).toBeLessThanOrEqual(columns);
  });
});
