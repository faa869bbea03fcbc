/** `GET /v1/mesh/metrics`: how much each node calls, how well that goes and how fast, and all of them together. */
import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { toTraffic } from '../../mesh/topology/topology.ts';
import { isInScope } from '../access/scope.ts';
import { PageQuery, toPage } from '../listing.ts';
import { toStalenessSeconds } from '../views/last-known.ts';
import {
  MeshNodeTraffic,
  MeshTraffic,
  toMeshNodeTraffic,
  toMeshTraffic,
} from '../views/mesh-topology.ts';
import type { MeshViews } from '../views/mesh-views.ts';
import { MeshListing } from './mesh-listings.ts';
import { refusals } from './refusals.ts';

const MetricsQuery = Type.Object(PageQuery, { additionalProperties: false });

export const MeshMetrics = Type.Object({
  ...MeshListing(MeshNodeTraffic).properties,
  total: MeshTraffic,
});

export function addMeshMetrics(app: FastifyInstance, { topology }: MeshViews): void {
  app.get<{ Querystring: Static<typeof MetricsQuery> }>(
    '/v1/mesh/metrics',
    {
      config: { role: 'viewer', isScoped: true },
      schema: {
        operationId: 'getMeshMetrics',
        summary: 'Calls of services, by node and in all.',
        description:
          'A call that goes through several nodes counts at each that makes one. To a token with a scope: calls of its services.',
        querystring: MetricsQuery,
        response: { 200: MeshMetrics, ...refusals(401, 421, 422, 429, 503) },
      } as object,
    },
    async ({ query, principal: { scope } }): Promise<Static<typeof MeshMetrics>> => {
      const { value, ageMs } = await topology.get();
      const { nodes, total } = toTraffic(value.items, (name) =>
        isInScope(scope, 'services', { name }),
      );
      const { items, next_cursor } = toPage(nodes, ({ node }) => node, query);
      return {
        items: items.map(toMeshNodeTraffic),
        next_cursor,
        staleness_seconds: toStalenessSeconds(ageMs),
        nodes: value.nodes,
        total: toMeshTraffic(total),
      };
    },
  );
}
