/** What `meshgate top` shows: the edges of the mesh, the busiest first. */
import type { MeshEdge } from '../admin/views/mesh-topology.ts';
import { toTable, type Column } from './table.ts';
import { cutTo } from './text-width.ts';

export const EDGE_COLUMNS: readonly Column<MeshEdge>[] = [
  { title: 'SOURCE', of: ({ source }) => source },
  { title: 'DESTINATION', of: ({ destination }) => destination },
  { title: 'REQ/S', of: ({ requests_per_second: rate }) => toRate(rate), align: 'right' },
  { title: 'ERRORS', of: ({ error_ratio: ratio }) => toPercent(ratio), align: 'right' },
  { title: 'P50', of: ({ p50_ms: ms }) => toLatency(ms), align: 'right' },
  { title: 'P99', of: ({ p99_ms: ms }) => toLatency(ms), align: 'right' },
  { title: 'NODES', of: ({ nodes }) => String(nodes.length), align: 'right' },
];

/** The busiest first. */
export function inOrder(edges: readonly MeshEdge[]): readonly MeshEdge[] {
  return edges.toSorted(
    (a, b) =>
      b.requests_per_second - a.requests_per_second ||
      (`${a.source}\0${a.destination}` < `${b.source}\0${b.destination}` ? -1 : 1),
  );
}

export interface Screen {
  readonly address: string;
  readonly edges: readonly MeshEdge[];
  /** Why what is shown is not what is so. */
  readonly note: string | undefined;
  readonly columns: number;
  readonly rows: number;
}

/** Exactly as many lines as fit, none wider than the screen. */
export function toScreen({ address, edges, note, columns, rows }: Screen): string[] {
  const nodes = new Set(edges.flatMap((edge) => edge.nodes));
  const rate = edges.reduce((sum, edge) => sum + edge.requests_per_second, 0);
  const head = `${address}  ${edges.length} edges of ${nodes.size} nodes, ${toRate(rate)} requests a second  (q leaves)`;
  const table =
    edges.length === 0
      ? ['no calls in the last minute']
      : toTable(EDGE_COLUMNS, inOrder(edges), { width: columns });
  const lines = [head, note ?? '', ...table];
  if (lines.length > rows) {
    const hidden = lines.length - rows + 1;
    lines.splice(Math.max(1, rows - 1));
    if (rows > 1) lines.push(`… ${hidden} more`);
  }
  return lines.slice(0, Math.max(1, rows)).map((line) => cutTo(line, Math.max(1, columns)));
}

function toRate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 100 ? 1 : 0);
}

function toPercent(ratio: number): string {
  const percent = ratio * 100;
  // Two of a million are not none.
  if (percent > 0 && percent < 0.1) return '<0.1%';
  return `${percent.toFixed(percent < 10 ? 1 : 0)}%`;
}

function toLatency(ms: number | null): string {
  if (ms === null) return '-';
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 1_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`;
}
