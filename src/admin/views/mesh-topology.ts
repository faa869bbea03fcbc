/** The mesh's calls as the admin API tells them: by edge, and by node. */
import { Type, type Static } from 'typebox';
import type { Edge, NodeTraffic, Traffic } from '../../mesh/topology/topology.ts';
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

const TrafficFields = {
  requests_per_second: Type.Number({ description: 'Over the last seconds.' }),
  errors_per_second: Type.Number({
    description: 'Of these, those that ended in a 5xx or without a whole answer.',
  }),
  error_ratio: Type.Number({ description: 'Their share, 0 to 1.' }),
  p50_ms: Nullable(Type.Number({ description: 'To the end of the answer, within 6.25%.' })),
  p99_ms: Nullable(Type.Number()),
};

export const MeshTraffic = Type.Object(TrafficFields, {
  description: 'Calls of services, of all nodes together.',
});

export const MeshNodeTraffic = Type.Object(
  {
    node: Type.String(),
    source: Type.String({ description: 'Who calls through it: a service, or `gateway`.' }),
    ...TrafficFields,
  },
  { description: 'Calls of services that one node made.' },
);

export function toMeshTraffic(traffic: Traffic): Static<typeof MeshTraffic> {
  const { requestsPerSecond, errorsPerSecond, p50Ms = null, p99Ms = null } = traffic;
  return {
    requests_per_second: requestsPerSecond,
    errors_per_second: errorsPerSecond,
    error_ratio: requestsPerSecond === 0 ? 0 : errorsPerSecond / requestsPerSecond,
    p50_ms: p50Ms,
    p99_ms: p99Ms,
  };
}

export function toMeshNodeTraffic(one: NodeTraffic): Static<typeof MeshNodeTraffic> {
  return { node: one.node, source: one.source, ...toMeshTraffic(one.traffic) };
}
