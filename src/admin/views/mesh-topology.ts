/** The mesh's edges as the admin API tells them. */
import { Type, type Static } from 'typebox';
import type { Edge } from '../../mesh/topology/topology.ts';
import { Nullable } from '../listing.ts';

export const MeshEdge = Type.Object(
  {
    source: Type.String({ description: 'The calling service, or `gateway`.' }),
    destination: Type.String(),
    requests_per_second: Type.Number({ description: 'Over the last seconds.' }),
    error_ratio: Type.Number({
      description: 'Share of the calls that ended in a 5xx or without a whole answer, 0 to 1.',
    }),
    p50_ms: Nullable(Type.Number({ description: 'To the end of the answer, within 6.25%.' })),
    p99_ms: Nullable(Type.Number()),
    nodes: Type.Array(Type.String(), { description: 'Those that told of it.' }),
  },
  { description: 'Calls from one service to another.' },
);

export type MeshEdge = Static<typeof MeshEdge>;

export function toMeshEdge(edge: Edge): MeshEdge {
  return {
    source: edge.source,
    destination: edge.destination,
    requests_per_second: edge.requestsPerSecond,
    error_ratio: edge.errorRatio,
    p50_ms: edge.p50Ms ?? null,
    p99_ms: edge.p99Ms ?? null,
    nodes: [...edge.nodes],
  };
}
